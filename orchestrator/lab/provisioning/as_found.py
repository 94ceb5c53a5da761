"""A host's etcd laid out as it was found on a real host: its unit, files, programs and accounts.

The paths are a host's own words, so everything is unpacked by tar inside of the host's root, where no link
leads out of it.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.machine.programs import LabError, run
from orchestrator.lab.provisioning import furnishing
from orchestrator.plan.layout import Folder, HostLayout, Layout, Placed

# Debian's own etcd, which the base system has.
DEBIANS = (furnishing.DEBIAN_UNIT, "etc/default/etcd", "usr/bin/etcd", "usr/bin/etcdctl")
UNITS = "/etc/systemd/system"
RUN = "/run/"
_ARCHIVE = "as-found.tar"


def lay(host: Host, found: HostLayout, store: Path) -> Iterator[str]:
    """Lay out a mounted host; yield programs that its unit starts and that it has not.

    ``store`` holds the programs by their digests.
    """
    for path in DEBIANS:
        (host.root / path).unlink(missing_ok=True)
    _make_accounts(host.root, found)
    archive = host.root / _ARCHIVE
    with tarfile.open(archive, "w") as tar:
        for entry, content in _entries(found, store):
            with content:
                tar.addfile(entry, content)
    run(["chroot", str(host.root), "tar", "--extract", "--keep-directory-symlink", f"--file=/{_ARCHIVE}"])
    archive.unlink()
    for file in found.files:
        if file.path.startswith(RUN):  # every boot begins with an empty one
            place = host.run_files / file.path.removeprefix(RUN)
            furnishing.write(place, file.text, mode=file.mode)
    for path in found.needs:
        if run(["chroot", str(host.root), "test", "-e", path], check=False).returncode != 0:
            yield path


def beginning(name: str, found: Layout) -> Iterator[str]:
    """Yield etcd's flags that say who a new cluster's members are, for the member on that host."""
    registered = found.members[name]
    everyone = (f"{each.name}={url}" for each in found.members.values() for url in each.peer_urls)
    yield f"--name={registered.name}"
    yield f"--initial-advertise-peer-urls={','.join(registered.peer_urls)}"
    yield f"--initial-cluster={','.join(everyone)}"
    yield f"--initial-cluster-token={found.token}"


def check_programs(host: Host, found: HostLayout) -> None:
    """Refuse an etcd that does not run on the lab's hosts: for another processor, or with other libraries."""
    done = run(["chroot", str(host.root), found.etcd, "--version"], check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise LabError(f"{host.name}: its etcd does not run on the lab's hosts, which are Debian's: {said}")


def _entries(found: HostLayout, store: Path) -> Iterator[tuple[tarfile.TarInfo, io.BufferedIOBase]]:
    for folder in dict.fromkeys(found.folders):
        yield _entry(folder, tarfile.DIRTYPE), io.BytesIO()
    for program in found.programs:
        entry = _info(program.path)
        entry.mode, entry.size = 0o755, (store / program.sha256).stat().st_size
        yield entry, (store / program.sha256).open("rb")
    for file in found.files:
        if not file.path.startswith(RUN):
            content = file.text.encode(errors="surrogateescape")
            entry = _entry(file, tarfile.REGTYPE)
            entry.size = len(content)
            yield entry, io.BytesIO(content)
    for path, real in (*found.links.items(), *_enabling(found)):
        entry = _info(path)
        entry.type, entry.linkname = tarfile.SYMTYPE, real
        yield entry, io.BytesIO()


def _enabling(found: HostLayout) -> Iterable[tuple[str, str]]:
    """Links by which systemd knows the unit's other names, and starts it at boot."""
    for alias in found.aliases:
        yield f"{UNITS}/{alias}", found.fragment
    yield f"{UNITS}/multi-user.target.wants/{found.unit}", found.fragment


def _entry(placed: Placed | Folder, kind: bytes) -> tarfile.TarInfo:
    entry = _info(placed.path)
    entry.type, entry.mode, entry.uname, entry.gname = kind, placed.mode, placed.owner, placed.group
    return entry


def _info(path: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(path.lstrip("/"))


def _make_accounts(root: Path, found: HostLayout) -> None:
    """Make every user and group that is named and not there; Debian's tools refuse a name that is none."""
    owned: tuple[Placed | Folder, ...] = (*found.files, *found.folders)
    groups = dict.fromkeys((found.account.group, *(each.group for each in owned)))
    users = dict.fromkeys((found.account.user, *(each.owner for each in owned)))
    for group in groups:
        if not _has(root, "group", group):
            run(["chroot", str(root), "groupadd", "--system", group])
    for user in users:
        if not _has(root, "passwd", user):
            group = found.account.group if user == found.account.user else "nogroup"
            account = ("--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "--gid", group)
            run(["chroot", str(root), "useradd", *account, user])


def _has(root: Path, database: str, name: str) -> bool:
    lines = (root / "etc" / database).read_text().splitlines()
    return name.isdigit() or any(line.partition(":")[0] == name for line in lines)
