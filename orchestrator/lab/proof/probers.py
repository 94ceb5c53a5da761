"""The probers of a lab: how they are started, followed and stopped."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError, wait_until
from orchestrator.lab.proof import posts
from orchestrator.lab.proof.posts import Post
from orchestrator.plan.model import Frozen
from orchestrator.probe.tally import ClientReport, CrowdReport, ProbeReport

Report = TypeVar("Report", bound=Frozen)


@dataclass(frozen=True, slots=True)
class RunningProber:
    """A prober at work; it ends when we do."""

    process: subprocess.Popen[bytes]
    log: Path
    report: Path

    @classmethod
    def start(cls, lab: Lab, post: Post | None = None) -> "RunningProber":
        """Start a prober: of all members of the lab's cluster, unless it is given another post."""
        post = post or posts.of_members(lab)
        name = f"prober-{post.name}"
        log, report = lab.directory / "logs" / f"{name}.log", lab.directory / f"{name}.json"
        report.unlink(missing_ok=True)
        argv = [sys.executable, "-m", post.module, "--report", str(report), *posts.arguments(lab, post)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                lab.command(argv, namespace=post.namespace),
                stdin=subprocess.PIPE,  # its end tells the prober to stop, even if we are killed
                stdout=output,
                stderr=subprocess.STDOUT,
                env=lab.environment(),
                start_new_session=True,  # Ctrl-C at our terminal is not meant for it
            )
        return cls(process, log, report)

    @classmethod
    def start_crowd(cls, lab: Lab, *, leisure: float = 1.0) -> "RunningProber":
        """Start clients of every kind, some of which come from addresses of their own."""
        network.add_addresses(lab.bastion, network.more_addresses(lab.taken, len(posts.OF_THEIR_OWN)))
        return cls.start(lab, posts.of_every_kind(lab, leisure=leisure))

    def wait_for_writes(self, *, for_s: float = 1.0, timeout_s: float = 30.0) -> None:
        """Wait until it has been writing for that long from now on, with success."""
        wait_for_all([self], for_s=for_s, timeout_s=timeout_s)

    def has_advanced(self, since: "Progress", for_s: float) -> bool:
        """Tell whether it has been writing for that long since then, with success."""
        if self.process.poll() is not None:
            raise LabError(f"the prober ended by itself:\n{self.log.read_text(errors='replace')[-2000:]}")
        now = self.progress()
        return now.after_s - since.after_s >= for_s and now.acknowledged > since.acknowledged

    def progress(self) -> "Progress":
        """Return what the prober last said of itself."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.startswith("{")]
        try:
            last = json.loads(lines[-1])
        except (IndexError, ValueError):  # nothing said yet, or half a line
            return Progress(0.0, 0)
        return Progress(last["after_s"], last["acknowledged"], last.get("plain_s", {}))

    def move_back(self) -> None:
        """Have its clients move back to http as soon as every member serves that."""
        self.process.send_signal(signal.SIGUSR1)

    def ask_to_stop(self) -> None:
        """Let the prober know that it is enough."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def stop(self, *, timeout_s: float = 180.0) -> ProbeReport:
        """Stop writing, have everything read back from every member, and return the report."""
        return self.finish(ProbeReport, timeout_s=timeout_s)

    def finish(self, kind: type[Report], *, timeout_s: float = 180.0) -> Report:
        """Stop it as ``stop`` does, and return its report, which is of that kind."""
        self.ask_to_stop()
        try:
            self.process.wait(timeout=timeout_s)
            return kind.model_validate_json(self.report.read_text())
        except subprocess.TimeoutExpired as cause:
            self.kill()
            raise LabError(f"the prober does not end; its log is {self.log}") from cause
        except (FileNotFoundError, ValidationError) as cause:
            said = self.log.read_text(errors="replace")[-2000:]
            raise LabError(f"the prober left no report; it said:\n{said}") from cause

    def kill(self) -> None:
        """End the prober at once, without a report."""
        self.ask_to_stop()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what it started itself goes with it
        self.process.wait()


def wait_for_all(probers: Sequence[RunningProber], *, for_s: float, timeout_s: float) -> None:
    """Wait until each prober has been writing for that long from now on, with success."""
    since = [(each, each.progress()) for each in probers]
    wait_until(
        lambda: all(each.has_advanced(then, for_s) for each, then in since),
        "the probers' writes are acknowledged",
        timeout_s=timeout_s,
    )


@dataclass(frozen=True, slots=True)
class RunningProbers:
    """The main prober, by its host's name each one that has a single way only, and one of every kind."""

    main: RunningProber
    single: Mapping[str, RunningProber]
    crowd: RunningProber | None = None

    @classmethod
    def start(cls, lab: Lab, *, leisure: float = 1.0, has_crowd: bool = False) -> "RunningProbers":
        """Start them all at once; ``leisure`` as posts.of_members has it."""
        ways = posts.of_single_ways(lab, leisure=leisure, has_crowd=has_crowd)
        single = {post.name: RunningProber.start(lab, post) for post in ways}
        crowd = RunningProber.start_crowd(lab, leisure=leisure) if has_crowd else None
        return cls(RunningProber.start(lab, posts.of_members(lab, leisure=leisure)), single, crowd)

    @property
    def everyone(self) -> tuple[RunningProber, ...]:
        """All of them, the main one first."""
        return (self.main, *self.single.values(), *((self.crowd,) if self.crowd else ()))

    def wait_for_writes(self, *, timeout_s: float = 30.0) -> None:
        """Wait until each has been writing for a second from now on, with success."""
        wait_for_all(self.everyone, for_s=1.0, timeout_s=timeout_s)

    def wait_for_last_writes(self, *, timeout_s: float) -> None:
        """Wait for the same at the end, where those who are cut off on purpose do not write any more."""
        wait_for_all((self.main, *self.single.values()), for_s=1.0, timeout_s=timeout_s)

    def stop(self) -> tuple[ProbeReport, Mapping[str, ProbeReport]]:
        """Stop them all at once, and return the main one's report, and the single ones'."""
        for each in self.everyone:
            each.ask_to_stop()
        return self.main.stop(), {name: each.stop() for name, each in self.single.items()}

    def stop_crowd(self) -> tuple[ClientReport, ...]:
        """Stop those of every kind, if they are there, and return their reports."""
        return self.crowd.finish(CrowdReport).clients if self.crowd else ()

    def kill(self) -> None:
        """End them at once, without reports."""
        for each in self.everyone:
            each.kill()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the prober is: seconds since its first write, and writes acknowledged.

    ``plain_s`` says how many seconds ago it spoke plain http, by its address; '' is the bastion's.
    """

    after_s: float
    acknowledged: int
    plain_s: Mapping[str, float] = field(default_factory=dict)
