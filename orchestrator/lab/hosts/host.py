"""One host of the lab: a real systemd with sshd, journald and etcd, booted in a network namespace."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.machine import cgroups, network, processes
from orchestrator.lab.machine.programs import LabError, run, wait_until
from orchestrator.plan import model

PROPAGATED = Path("/run/systemd/nspawn/propagate")  # nspawn clears it up only if /run is a tmpfs
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Host:
    """Where one host lives: network namespace, port at the bastion's bridge, directory, console log.

    ``entry`` is what the plan says of it: it is a member or a proxy.
    """

    entry: model.EtcdHost
    namespace: str
    bastion: str
    port: str
    directory: Path
    console: Path

    @property
    def name(self) -> str:
        """The host's name in the plan."""
        return self.entry.name

    @property
    def address(self) -> str:
        """The IP address at which the bastion reaches it: the lab's copy of the plan names it."""
        return self.entry.ssh.host

    @property
    def root(self) -> Path:
        """The host's file system: an overlay on the base system."""
        return self.directory / "root"

    @property
    def run_files(self) -> Path:
        """Files that the host sees below /run, whose own ones every boot begins without."""
        return self.directory / "run"

    @property
    def drop_in(self) -> Path:
        """The file that the host sees as 20-cloudinit.conf."""
        return self.run_files / f"systemd/system/{self.unit}.d/20-cloudinit.conf"

    @property
    def unit(self) -> str:
        """The host's systemd unit for etcd, as the plan names it: ``etcd2.service``."""
        return f"{self.entry.service.removesuffix('.service')}.service"

    def run(
        self, argv: Sequence[str], *, check: bool = True, timeout_s: float = 30.0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host, from outside, without SSH; no command line shows its ``stdin``."""
        init = processes.init_of(self.namespace)
        if init is None:
            raise LabError(f"{self.name} is down")
        entering = ["nsenter", "--target", str(init), "--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/"]
        clean = ["env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8"]
        return run([*entering, *clean, *argv], check=check, timeout_s=timeout_s, stdin=stdin)


def mount(host: Host, trees: Sequence[Path]) -> None:
    """Lay the host's own, empty layer over the trees that hosts share, the uppermost first."""
    for name in ("root", "upper", "work"):
        (host.directory / name).mkdir(parents=True)
    below = ":".join(map(str, trees))
    layers = f"lowerdir={below},upperdir={host.directory / 'upper'},workdir={host.directory / 'work'}"
    try:
        run(["mount", "-t", "overlay", host.namespace, "-o", layers, str(host.root)])
    except LabError as cause:
        raise LabError(
            f"{cause}\nThe lab's directory must be on a file system that carries overlays: ext4, xfs."
        ) from cause


def unmount(host_directory: Path) -> None:
    """Take the overlay away again; a mount that is still busy is detached."""
    root = host_directory / "root"
    if os.path.ismount(root):
        run(["umount", str(root)], check=False)
    if os.path.ismount(root):
        run(["umount", "--lazy", str(root)])
    if os.path.ismount(root):
        raise LabError(f"{root} is still mounted")


def discard(host_directory: Path, namespace: str) -> None:
    """Delete what a halted host leaves behind: its overlay, its directory, and what nspawn keeps for it."""
    unmount(host_directory)
    for path in (host_directory, PROPAGATED / namespace):
        if path.exists():
            shutil.rmtree(path)


def boot(host: Host) -> None:
    """Start the host; it goes on living when this program ends."""
    if processes.supervisors(host.namespace):
        raise LabError(f"{host.name} is already running")
    machine = [
        *(
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--directory={host.root}",
            f"--hostname={host.name}",
        ),
        *processes.boot_arguments(host.namespace),
        *("--register=no", "--keep-unit", "--console=read-only"),
        *(
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
        ),  # nothing of this machine comes in, or goes out
        *_bound(host),
    ]
    with host.console.open("ab") as console:
        # setsid --fork: the host must not be our child, for it outlives us and is not ours to wait for.
        subprocess.run(
            ["setsid", "--fork", *cgroups.supervised(host.namespace, machine)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            check=True,
            timeout=30,
        )
    wait_until(lambda: bool(processes.supervisors(host.namespace)), f"{host.name} is booting", timeout_s=5)


def _bound(host: Host) -> Iterable[str]:
    files = (path for path in host.run_files.rglob("*") if path.is_file())
    for path in sorted(files):
        source, place = (
            str(each).replace("\\", "\\\\").replace(":", "\\:")
            for each in (path, path.relative_to(host.run_files))
        )
        yield f"--bind-ro={source}:/run/{place}"


def kill(host: Host) -> None:
    """End the host at once, as when its power fails. Its files stay; ``boot`` starts it again."""
    processes.halt(host.namespace)


def reboot(host: Host, *, timeout_s: float = 60.0) -> None:
    """Reboot the host in good order and wait until it takes SSH connections again."""
    before = processes.init_of(host.namespace)
    host.run(["systemctl", "reboot"], check=False)  # the answer may be cut off by the reboot itself
    name = host.name
    wait_until(
        lambda: processes.init_of(host.namespace) not in {None, before},
        f"{name} has rebooted",
        timeout_s=timeout_s,
    )
    wait_for_ssh(host, timeout_s=timeout_s)


def wait_for_ssh(host: Host, *, timeout_s: float = 60.0) -> None:
    """Wait until the host's sshd greets a client on the bastion."""
    with network.entered(host.bastion):
        wait_until(lambda: _greets(host), f"{host.name}: sshd answers", timeout_s=timeout_s)


def _greets(host: Host) -> bool:
    if not processes.supervisors(host.namespace):
        raise LabError(f"{host.name} has ended by itself")
    try:
        with socket.create_connection((host.address, host.entry.ssh.port), timeout=1.0) as connection:
            connection.settimeout(2.0)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
