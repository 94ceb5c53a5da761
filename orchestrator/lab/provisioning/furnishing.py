"""What is written on a host before it boots: its name, its keys, its user, and its etcd's configuration."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.machine.programs import LabError, run
from orchestrator.lab.provisioning.credentials import HostKeys
from orchestrator.plan import model

DEBIAN_UNIT = "lib/systemd/system/etcd.service"
NO_NAMES: Mapping[str, str] = {}
ALIAS = "etcd2.service"  # Debian's own second name for etcd.service
GENERATORS = "lib/systemd/system-generators"


def furnish(host: Host, cluster: model.Cluster, keys: HostKeys, names: Mapping[str, str] = NO_NAMES) -> None:
    """Write everything that makes a mounted host this entry's, but for its etcd.

    ``names`` are further DNS names with their addresses.
    """
    root, entry = host.root, host.entry
    write(root / "etc/hostname", f"{entry.name}\n")
    write(root / "etc/machine-id", f"{uuid.uuid4().hex}\n")
    write(root / "etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n{_names(cluster, names)}")
    write(root / "etc/ssh/ssh_host_ed25519_key", keys.own[entry.name], mode=0o600)
    write(
        root / "etc/ssh/sshd_config.d/lab.conf",
        f"Port {entry.ssh.port}\nHostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\n",
    )
    _mask_generators(root)
    _let_in(root, entry, keys.authorized_key)


def _mask_generators(root: Path) -> None:
    """Let systemd start none of its generators: they are for disks and consoles that no host here has.

    They were more than half of what a daemon-reload costs: 57 of 100 ms, and a run of three members has 18.
    """
    own = root / "etc/systemd/system-generators"
    own.mkdir(exist_ok=True)
    for generator in (root / GENERATORS).iterdir():
        (own / generator.name).symlink_to("/dev/null")


def configure(host: Host, drop_in: str) -> None:
    """Let Debian's etcd start at boot. ``drop_in`` is its first configuration."""
    write(host.drop_in, drop_in)
    enable(host.root, host.unit)


def _names(cluster: model.Cluster, more: Mapping[str, str]) -> str:
    """Return a line of /etc/hosts for each name: in the plan, of an address there, or another one."""
    named = {name: each.ssh.host for each in cluster.etcd_hosts for name in (each.address, each.name)}
    return "".join(f"{address} {name}\n" for name, address in {**more, **named}.items() if name != address)


def _let_in(root: Path, entry: model.Host, authorized_key: str) -> None:
    """Make the plan's user if there is none, and let the lab's key in."""
    user = entry.ssh.user
    if user not in _homes(root):
        # "*" is no password's hash, and unlike "!" it does not lock the account.
        run(
            ["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", user]
        )
    home, uid, gid = _homes(root)[user]
    keys = root / home.lstrip("/") / ".ssh/authorized_keys"
    write(keys, f"{authorized_key}\n", mode=0o600)
    keys.parent.chmod(0o700)
    for path in (keys.parent, keys):
        os.chown(path, uid, gid)
    if entry.ssh.become == "sudo":
        write(root / "etc/sudoers.d/lab", f"{user} ALL=(ALL:ALL) NOPASSWD: ALL\n", mode=0o440)


def _homes(root: Path) -> dict[str, tuple[str, int, int]]:
    """Return each user's home, uid and gid, as the host's own passwd file has them."""
    lines = (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    return {fields[0]: (fields[5], int(fields[2]), int(fields[3])) for fields in lines}


def enable(root: Path, unit: str) -> None:
    """Let etcd start at boot under the plan's name for it: Debian's unit, its alias, or a copy."""
    units = root / "etc/systemd/system"
    target = f"/{DEBIAN_UNIT}"
    if unit in {"etcd.service", ALIAS}:
        (units / ALIAS).symlink_to(target)
        wanted = "etcd.service"
    else:
        if (root / "lib/systemd/system" / unit).exists():
            raise LabError(
                f"the plan's service {unit} is another program's on Debian: the lab cannot use the name"
            )
        lines = (root / DEBIAN_UNIT).read_text().splitlines(keepends=True)
        write(units / unit, "".join(line for line in lines if not line.startswith("Alias=")))
        wanted, target = unit, f"/etc/systemd/system/{unit}"
    (units / "multi-user.target.wants" / wanted).symlink_to(target)


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file and the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
