"""etcd's own client, etcdctl, as a gRPC client of the members: how it is called, and one that runs on."""

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.probe.login import Login
from orchestrator.probe.spoken import Spoken
from orchestrator.probe.way import Stage, Way

PATIENCE_S = 5.0  # for one that was told to end
# What etcdctl 3.4 says over TLS of a member that restarts, and ends (docs/etcd-facts.md); libraries go on.
RESTARTING = "transport: missing content-type field"
# The same, and what it says of a write that was in flight then, which clientv3 does not repeat.
UNANSWERED = (RESTARTING, "transport is closing", "error reading from server: EOF")


@dataclass(frozen=True, slots=True)
class Etcdctl:
    """The program, the way to the members, and whom it is asked as."""

    program: Path
    way: Way
    ca: str
    certificate: str
    key: str
    login: Login | None = None
    spoken: Spoken = field(default_factory=Spoken)

    def command(self, *words: str) -> list[str]:
        """Return a command line for the members as they are to be asked now."""
        files = ("--cacert", self.ca, "--cert", self.certificate, "--key", self.key)
        urls = ",".join(map(str, self.way.endpoints))
        is_secure = self.way.stage is not Stage.HTTP
        self.spoken.note("", "https" if is_secure else "http")
        return [str(self.program), "--endpoints", urls, *(files if is_secure else ()), *words]

    def environment(self) -> Mapping[str, str]:
        """Return its environment: nothing of ours leads it elsewhere, no command line shows a password."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("ETCDCTL_")}
        who = {"ETCDCTL_USER": f"{self.login.user}:{self.login.password}"} if self.login else {}
        return {**ours, "ETCDCTL_API": "3", "NO_PROXY": "*", "no_proxy": "*", **who}


class Running:
    """An etcdctl that runs on and does not move; ``on_line`` gets each line that it prints."""

    def __init__(self, etcdctl: Etcdctl, words: tuple[str, ...], on_line: Callable[[str], None]) -> None:
        self.stage = etcdctl.way.stage
        self.said: deque[str] = deque(maxlen=3)
        self._on_line = on_line
        self._process = subprocess.Popen(
            etcdctl.command(*words),
            env=etcdctl.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, for whatever reason."""
        return self._process.poll() is not None

    def ask_to_end(self) -> None:
        """Tell it that it is enough."""
        self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, as it was told; in the end, make it."""
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join(PATIENCE_S)

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as printed:
            for line in printed:
                self.said.append(line.rstrip())
                self._on_line(line.rstrip())
