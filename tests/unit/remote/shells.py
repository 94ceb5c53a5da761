"""A local shell in place of a host: what a script prints, and a channel that talks to one."""

import os
import select
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from orchestrator.plan.model import Cluster, Member, Patience, Ports, Ssh, Tls

# systemd-run in small: starts the command in the background, and ExecStopPost after it
_SYSTEMD_RUN = """#!/bin/sh
for word; do case $word in ExecStopPost=*) post=${word#ExecStopPost=} ;; esac; done
while [ "$1" != /bin/sh ]; do shift; done
echo started >>"$SHELLS/started"
[ ! -f "$SHELLS/broken" ] || exit 1
( "$@"; $post ) </dev/null >/dev/null 2>&1 &
"""


def shims(directory: Path) -> dict[str, str]:
    """An environment in which there is a systemd of sorts, and in which everybody is root."""
    directory.mkdir(exist_ok=True)
    texts = {
        "systemd-run": _SYSTEMD_RUN,
        "systemctl": "#!/bin/sh\necho inactive\n",
        "id": "#!/bin/sh\necho 0\n",
    }
    for name, text in texts.items():
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "SHELLS": str(directory)}


class ShellChannel:
    """The part of a paramiko channel that a Conversation uses, over a local process's pipes."""

    def __init__(self, argv: tuple[str, ...], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self.closed = False
        self.eof_received = 0
        self.exit_status = -1
        self.status_event = threading.Event()
        self.status_event.set()

    @property
    def _stdout(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def fileno(self) -> int:
        return self._stdout

    def settimeout(self, timeout: float | None, /) -> None:
        pass

    def send(self, data: bytes, /) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()
        return len(data)

    def shutdown_write(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def recv_ready(self) -> bool:
        if not select.select([self._stdout], [], [], 0)[0]:
            return False
        self._next = os.read(self._stdout, 65536)
        self.eof_received = not self._next
        return bool(self._next)

    def recv(self, _size: int, /) -> bytes:
        return self._next

    def recv_stderr_ready(self) -> bool:
        return False

    def recv_stderr(self, _size: int, /) -> bytes:
        return b""

    def close(self) -> None:
        """Let go of the process, as a lost connection does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def cluster_of(*, gate_s: float = 90.0, **hosts: Ssh) -> Cluster:
    """A cluster with a member for each host; nothing but its ``ssh`` and the patience matters here."""
    here = Path("/nowhere")
    members = tuple(
        Member(name=name, address=ssh.host, service="etcd", ssh=ssh, certificate=here, key=here)
        for name, ssh in hosts.items()
    )
    tls = Tls(
        ca=here,
        certificate="{name}.pem",
        key="{name}-key.pem",
        client_certificate=here,
        client_key=here,
        directory="/etc/etcd/pki",
        client_cert_auth=True,
        peer_cert_auth=True,
    )
    return Cluster(
        name="test",
        strategy="bridge",
        members=members,
        tls=tls,
        ports=Ports(),
        patience=Patience(gate_s=gate_s),
    )
