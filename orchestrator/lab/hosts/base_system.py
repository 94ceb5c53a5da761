"""The base system: one Debian tree that every host of the lab shares, built once and kept."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab.machine.programs import LabError, require, run

SUITE = "bookworm"
INCLUDED = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "etcd-server",
    "etcd-client",
    "iproute2",
    "sudo",
    "curl",
    "openssl",
    "ca-certificates",
    "procps",
)
MASKED = (
    "apt-daily.timer",  # wants the network
    "apt-daily-upgrade.timer",  # wants the network
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "systemd-timesyncd.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "console-getty.service",  # would own the console, which is our log
    "getty.target",
)
EMPTIED = ("var/cache/apt", "var/lib/apt/lists")
KEPT_CAS = 5  # of Mozilla's 142: update-ca-certificates starts a dozen processes for each of them
TRUST_FEW = f"""
conf=/etc/ca-certificates.conf
grep '^mozilla/' $conf | head -n {KEPT_CAS} > $conf.few
mv $conf.few $conf
update-ca-certificates --fresh
"""
BUILD_TIMEOUT_S = 1800.0


def digest() -> str:
    """Name the recipe: another recipe is another base system."""
    changes_to_finish = 2
    recipe = json.dumps([changes_to_finish, SUITE, INCLUDED, MASKED, EMPTIED, TRUST_FEW])
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def cache_directory() -> Path:
    """Return where base systems are kept; ORCHESTRATOR_LAB_CACHE overrides it."""
    return Path(os.environ.get("ORCHESTRATOR_LAB_CACHE", "/var/cache/orchestrator-lab"))


def ensure(report: Callable[[str], None] = lambda _: None) -> Path:
    """Return the base system's directory, built first if this machine has none of this recipe."""
    cache = cache_directory()
    base = cache / f"base-{digest()}"
    if base.is_dir():
        return base
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes network namespaces, mounts and whole hosts")
    require("debootstrap", "chroot")
    cache.mkdir(parents=True, exist_ok=True)
    with alone(cache / "lock"):
        if not base.is_dir():
            report(f"Building the hosts' base system in {base}; this is done once and takes a minute or two.")
            _build(base)
    return base


def _build(base: Path) -> None:
    """Build under another name and rename at the end, so that half a base system is never used."""
    unfinished = base.with_name(f"{base.name}.unfinished")
    log = base.with_name(f"{base.name}.log")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    included = f"--include={','.join(INCLUDED)}"
    try:
        done = run(
            ["debootstrap", "--variant=minbase", included, SUITE, str(unfinished)],
            timeout_s=BUILD_TIMEOUT_S,
            check=False,
        )
    finally:
        for name in ("proc", "sys"):  # debootstrap leaves them mounted when it is stopped half-way
            if os.path.ismount(unfinished / name):
                run(["umount", str(unfinished / name)])
    log.write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise LabError(
            f"debootstrap could not build the base system (exit {done.returncode}, log {log}):\n{last}"
        )
    run(["chroot", str(unfinished), "sh", "-ec", TRUST_FEW])
    finish(unfinished)
    unfinished.rename(base)


def finish(root: Path) -> None:
    """Make a fresh Debian tree into a base: no keys, nothing that wants the net, etcd not enabled."""
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for directory in EMPTIED:
        shutil.rmtree(root / directory, ignore_errors=True)
    (root / "var/lib/apt/lists").mkdir(parents=True, exist_ok=True)
    units = root / "etc/systemd/system"
    for unit in MASKED:
        _link(units / unit, "/dev/null")
    for link in ("multi-user.target.wants/etcd.service", "etcd2.service"):
        (units / link).unlink(missing_ok=True)
    (root / "var/log/journal").mkdir(parents=True, exist_ok=True)  # the journal outlives a host's reboot
    (root / "etc/machine-id").write_text("")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("")


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file, waiting for another builder if there is one."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
