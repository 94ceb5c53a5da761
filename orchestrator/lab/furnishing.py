"""What is written on a host before it boots: its name, its keys, its user, and etcd's first configuration."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from orchestrator.cluster.model import Cluster, Member
from orchestrator.lab.command import LabError, run
from orchestrator.lab.host import Host

DEBIAN_UNIT = "lib/systemd/system/etcd.service"
ALIAS = "etcd2.service"  # Debian's own second name for etcd.service


def url(scheme: str, address: str, port: int) -> str:
    """Write a URL; an IPv6 address stands in brackets."""
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}:{port}"


def settings(cluster: Cluster, member: Member, extra: Mapping[str, str]) -> dict[str, str]:
    """Return etcd's settings as the guide's cluster starts out: plain HTTP for clients and for peers."""
    everywhere = "::" if ":" in member.address else "0.0.0.0"  # noqa: S104 - the guide's clusters listen everywhere
    client, peer = cluster.ports.client, cluster.ports.peer
    peers = (f"{each.name}={url('http', each.address, peer)}" for each in cluster.members)
    return {
        "ETCD_NAME": member.name,
        "ETCD_DATA_DIR": f"/var/lib/etcd/{cluster.name}",
        "ETCD_LISTEN_CLIENT_URLS": url("http", everywhere, client),
        "ETCD_ADVERTISE_CLIENT_URLS": url("http", member.address, client),
        "ETCD_LISTEN_PEER_URLS": url("http", everywhere, peer),
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": url("http", member.address, peer),
        "ETCD_INITIAL_CLUSTER": ",".join(peers),
        "ETCD_INITIAL_CLUSTER_TOKEN": cluster.name,
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        **extra,
    }


def drop_in(values: Mapping[str, str]) -> str:
    """Write settings as a systemd drop-in, one Environment line each, as cloud-init did."""
    lines = (f'Environment="{name}={_escaped(value)}"' for name, value in values.items())
    return "\n".join(("[Service]", *lines, ""))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def furnish(
    host: Host, cluster: Cluster, host_key: str, authorized_key: str, extra_settings: Mapping[str, str]
) -> None:
    """Write everything that makes a mounted host this member's. ``host_key`` is its private key."""
    root, member = host.root, host.member
    host.drop_in.write_text(drop_in(settings(cluster, member, extra_settings)))
    _write(root / "etc/hostname", f"{member.name}\n")
    _write(root / "etc/machine-id", f"{uuid.uuid4().hex}\n")
    names = "".join(f"{each.address} {each.name}\n" for each in cluster.members)
    _write(root / "etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n{names}")
    _write(root / "etc/ssh/ssh_host_ed25519_key", host_key, mode=0o600)
    _write(
        root / "etc/ssh/sshd_config.d/lab.conf",
        f"Port {member.ssh.port}\nHostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\n",
    )
    _let_in(root, member, authorized_key)
    _enable(root, host.unit)


def _let_in(root: Path, member: Member, authorized_key: str) -> None:
    """Make the plan's user if there is none, and let the lab's key in."""
    user = member.ssh.user
    if user not in _homes(root):
        # "*" is no password's hash, and unlike "!" it does not lock the account.
        run(
            ["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", user]
        )
    home, uid, gid = _homes(root)[user]
    keys = root / home.lstrip("/") / ".ssh/authorized_keys"
    _write(keys, f"{authorized_key}\n", mode=0o600)
    keys.parent.chmod(0o700)
    for path in (keys.parent, keys):
        os.chown(path, uid, gid)
    if member.ssh.become == "sudo":
        _write(root / "etc/sudoers.d/lab", f"{user} ALL=(ALL:ALL) NOPASSWD: ALL\n", mode=0o440)


def _homes(root: Path) -> dict[str, tuple[str, int, int]]:
    """Return each user's home, uid and gid, as the host's own passwd file has them."""
    lines = (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    return {fields[0]: (fields[5], int(fields[2]), int(fields[3])) for fields in lines}


def _enable(root: Path, unit: str) -> None:
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
        _write(units / unit, "".join(line for line in lines if not line.startswith("Alias=")))
        wanted, target = unit, f"/etc/systemd/system/{unit}"
    (units / "multi-user.target.wants" / wanted).symlink_to(target)


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
