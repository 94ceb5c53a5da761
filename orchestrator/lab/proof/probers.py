"""The probers of a lab: where they stand, how they are started, followed and stopped."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from orchestrator.lab.clients.tally import ProbeReport
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import LabError, wait_until
from orchestrator.lab.provisioning import credentials

MODULE = "orchestrator.lab.clients.probe"


@dataclass(frozen=True, slots=True)
class Post:
    """One prober's place, what it writes through (without URLs: every member), and how it does so."""

    name: str
    namespace: str
    api: Literal["v2", "v3"]
    urls: tuple[str, ...] = ()
    interval_ms: float = 10.0
    patience_s: float = 5.0
    lease_ttl_s: int = 5
    is_watched: bool = False


def of_members(lab: Lab, *, leisure: float = 1.0) -> Post:
    """Return the main prober's post: on the bastion, with every member to choose from.

    ``leisure`` is how much longer than usual a client waits between two writes: that spares the machine where
    no stall has to be measured.
    """
    api = _api(lab)
    return Post("members", lab.bastion, api, interval_ms=10.0 * leisure, is_watched=api == "v3")


def of_single_ways(lab: Lab, *, leisure: float = 1.0) -> tuple[Post, ...]:
    """Return the posts of those who have one way only, if the plan has proxies or watches local clients.

    They write less often, for there are many of them, and wait longer, for a restart is in their way.
    """
    cluster = lab.cluster
    if not (cluster.proxies or cluster.watch.units):
        return ()
    client, local = f"http://127.0.0.1:{cluster.ports.client}", f"http://127.0.0.1:{cluster.local_port}"
    interval_ms = 50.0 * leisure
    proxies = [Post(each.name, each.namespace, "v2", (client,), interval_ms, 10.0, 0) for each in lab.proxies]
    members = [
        Post(each.name, each.namespace, _api(lab), (local, client), interval_ms, 10.0, 0)
        for each in (lab.members if cluster.local_port else ())
    ]
    return (*proxies, *members)


def _api(lab: Lab) -> Literal["v2", "v3"]:
    return "v2" if lab.cluster.api == "v2" else "v3"


@dataclass(frozen=True, slots=True)
class RunningProber:
    """A prober at work; it ends when we do."""

    process: subprocess.Popen[bytes]
    log: Path
    report: Path

    @classmethod
    def start(cls, lab: Lab, post: Post | None = None) -> "RunningProber":
        """Start a prober: of all members of the lab's cluster, unless it is given another post."""
        post = post or of_members(lab)
        name = f"prober-{post.name}"
        log, report = lab.directory / "logs" / f"{name}.log", lab.directory / f"{name}.json"
        report.unlink(missing_ok=True)
        argv = [sys.executable, "-m", MODULE, "--report", str(report), *_reported(lab, post)]
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
        return Progress(last["after_s"], last["acknowledged"])

    def ask_to_stop(self) -> None:
        """Let the prober know that it is enough."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def stop(self, *, timeout_s: float = 180.0) -> ProbeReport:
        """Stop writing, have everything read back from every member, and return the report."""
        self.ask_to_stop()
        try:
            self.process.wait(timeout=timeout_s)
            return ProbeReport.model_validate_json(self.report.read_text())
        except subprocess.TimeoutExpired as cause:
            self.kill()
            raise LabError(f"the prober does not end; its log is {self.log}") from cause
        except (FileNotFoundError, ValidationError) as cause:
            said = self.log.read_text(errors="replace")[-2000:]
            raise LabError(f"the prober left no report; it said:\n{said}") from cause

    def kill(self) -> None:
        """End the prober at once, without a report."""
        self.ask_to_stop()
        self.process.kill()
        self.process.wait()


def wait_for_all(probers: Sequence[RunningProber], *, for_s: float, timeout_s: float) -> None:
    """Wait until each prober has been writing for that long from now on, with success."""
    since = [(each, each.progress()) for each in probers]
    wait_until(
        lambda: all(each.has_advanced(then, for_s) for each, then in since),
        "the probers' writes are acknowledged",
        timeout_s=timeout_s,
    )


def _reported(lab: Lab, post: Post) -> Iterator[str]:
    """Yield the arguments that send a prober to its post."""
    tls, files = lab.cluster.tls, credentials.of_gateway_client(lab.cluster)
    yield from ("--port", str(lab.cluster.ports.client), "--api", post.api)
    yield from ("--ca", str(tls.ca), "--certificate", str(files.certificate))
    yield from ("--key", str(files.key), "--interval-ms", f"{post.interval_ms:g}")
    yield from ("--patience-s", f"{post.patience_s:g}", "--lease-ttl-s", str(post.lease_ttl_s))
    yield from ("--watch",) if post.is_watched else ()
    if lab.cluster.auth and post.api == "v3":
        yield from ("--user", lab.cluster.auth.user, "--password-file", str(lab.cluster.auth.password_file))
    for member in lab.cluster.members:
        yield from ("--address", member.ssh.host)
    for url in post.urls:
        yield from ("--endpoint", url)


@dataclass(frozen=True, slots=True)
class RunningProbers:
    """The main prober, and by its host's name each one that has a single way only."""

    main: RunningProber
    single: Mapping[str, RunningProber]

    @classmethod
    def start(cls, lab: Lab, *, leisure: float = 1.0) -> "RunningProbers":
        """Start them all at once; ``leisure`` as posts.of_members has it."""
        posts = of_single_ways(lab, leisure=leisure)
        single = {post.name: RunningProber.start(lab, post) for post in posts}
        return cls(RunningProber.start(lab, of_members(lab, leisure=leisure)), single)

    @property
    def everyone(self) -> tuple[RunningProber, ...]:
        """All of them, the main one first."""
        return (self.main, *self.single.values())

    def wait_for_writes(self, *, timeout_s: float = 30.0) -> None:
        """Wait until each has been writing for a second from now on, with success."""
        wait_for_all(self.everyone, for_s=1.0, timeout_s=timeout_s)

    def stop(self) -> tuple[ProbeReport, Mapping[str, ProbeReport]]:
        """Stop them all at once, and return the main one's report, and the others'."""
        for each in self.everyone:
            each.ask_to_stop()
        return self.main.stop(), {name: each.stop() for name, each in self.single.items()}

    def kill(self) -> None:
        """End them at once, without reports."""
        for each in self.everyone:
            each.kill()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the prober is: seconds since its first write, and writes acknowledged."""

    after_s: float
    acknowledged: int
