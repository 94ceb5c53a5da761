"""gRPC clients by etcdctl besides locks: a watch, a lease that is kept alive, and a write from cron."""

import json
import subprocess
import threading
import time

from orchestrator.lab.clients.etcdctl import RESTARTING, Etcdctl, Running
from orchestrator.probe import v3
from orchestrator.probe.history import Event
from orchestrator.probe.tally import Count

LOOK_S = 0.2
TTL_S = 10


class Standing:
    """One etcdctl that runs all the while; when the way changes, the next one goes on where it stopped."""

    kind = ""

    def __init__(self, etcdctl: Etcdctl) -> None:
        self.count = Count(self.kind)
        self._etcdctl = etcdctl
        self._running: Running | None = None

    def words(self) -> tuple[str, ...]:
        """Return what etcdctl is to do from now on."""
        raise NotImplementedError

    def take(self, line: str) -> bool:
        """Take a line that it printed, and tell whether it shows that all is well."""
        raise NotImplementedError

    def goes_on_behind(self, said: str) -> bool:
        """Whether the next one goes on where this one ended with these words, and nothing is lost by it."""
        del said
        return False

    def tend(self) -> None:
        """Start it, or another one where it has ended or is to move."""
        if self._running and self._running.has_ended:
            said = " ".join(self._running.said)
            note = self.count.complain if self.goes_on_behind(said) else self.count.fail
            note(f"it ended: {said}")
            self._running = None
        elif self._running and self._running.stage is not self._etcdctl.way.stage:
            self._stop()
        if self._running is None:
            self._running = Running(self._etcdctl, self.words(), self._on_line)

    def end(self) -> None:
        """End it, and count no longer."""
        self.count.ended = time.monotonic()
        self._stop()

    def _stop(self) -> None:
        if self._running:
            self._running.ask_to_end()
            self._running.end()
            self._running = None

    def _on_line(self, line: str) -> None:
        if self.take(line):
            self.count.attempts += 1
            self.count.times.append(time.monotonic())


class GrpcWatch(Standing):
    """A watch on a prefix, behind a revision; a witness takes it for its own (Follower)."""

    kind = "etcdctl watch"

    def __init__(self, etcdctl: Etcdctl, prefix: str, after: int) -> None:
        super().__init__(etcdctl)
        self.events: list[Event] = []
        self._prefix = prefix
        self._seen = after
        self._moved = threading.Condition()
        self._is_enough = threading.Event()

    def words(self) -> tuple[str, ...]:
        """Return what etcdctl is to do from now on."""
        return ("watch", "--prefix", self._prefix, "--rev", str(self._seen + 1), "-w", "json")

    def goes_on_behind(self, said: str) -> bool:
        """A watch that a member ends as it restarts goes on behind the last revision that it has seen."""
        return RESTARTING in said

    def take(self, line: str) -> bool:
        """Take the events of a line, if there are any."""
        try:
            part = json.loads(line)
        except ValueError:
            return False
        if not isinstance(part, dict) or not part.get("Events"):
            return False
        with self._moved:
            self.events += v3.events({"events": part["Events"]})
            self._seen = self.events[-1].revision
            self._moved.notify_all()
        return True

    def follow(self) -> None:
        """Follow until it is enough."""
        self.count.times = [time.monotonic()]
        while not self._is_enough.is_set():
            self.tend()
            self._is_enough.wait(LOOK_S)
        self.end()

    def see(self, revision: int, patience_s: float) -> None:
        """Wait until that revision was delivered; then it is enough."""
        with self._moved:
            self._moved.wait_for(lambda: self._seen >= revision, patience_s)
        self._is_enough.set()


class GrpcLease(Standing):
    """A lease with a key, granted over the gateway and kept alive by etcdctl; it must not be lost."""

    kind = "etcdctl lease keep-alive"

    def __init__(self, etcdctl: Etcdctl, lease: v3.KeptLease) -> None:
        super().__init__(etcdctl)
        self._lease = lease
        lease.grant()

    def words(self) -> tuple[str, ...]:
        """Return what etcdctl is to do from now on."""
        return ("lease", "keep-alive", f"{int(self._lease.id or '0'):x}")

    def take(self, line: str) -> bool:
        """Tell whether the lease was renewed."""
        return "keepalived" in line

    def lost(self) -> tuple[str, ...]:
        """Look at the key, and say what became of the lease if it is not alive."""
        self._lease.look()
        return () if self._lease.state == "alive" else (f"the lease is {self._lease.state}",)


class CronPut:
    """A new etcdctl for each write, as from cron: it is called again until it succeeds or patience ends."""

    def __init__(self, etcdctl: Etcdctl, key: str, *, pause_s: float, patience_s: float) -> None:
        self.count = Count("etcdctl put, from cron")
        self._etcdctl = etcdctl
        self._key = key
        self._pause_s = pause_s
        self._patience_s = patience_s

    def run(self, stop: threading.Event) -> None:
        """Write until told to stop."""
        while not stop.is_set():
            self.count.attempts += 1
            deadline = time.monotonic() + self._patience_s
            while not (is_written := self._put()) and time.monotonic() < deadline:
                time.sleep(LOOK_S)
            if is_written:
                self.count.times.append(time.monotonic())
            else:
                self.count.fail("it was given up")
            stop.wait(self._pause_s)
        self.count.ended = time.monotonic()

    def _put(self) -> bool:
        words = ("--command-timeout", "2s", "put", self._key, str(self.count.attempts))
        try:
            done = subprocess.run(
                self._etcdctl.command(*words),
                env=self._etcdctl.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self._patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        if done.returncode != 0:
            self.count.complain(done.stderr.strip())
        return done.returncode == 0
