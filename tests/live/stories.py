"""What the stories on the lab have in common: the program as an operator starts it, and a look around."""

import hashlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from orchestrator.commands import preflight
from orchestrator.engine.events import Recorded, StepStarted, StepSucceeded
from orchestrator.engine.state_file import read
from orchestrator.etcd.checks.item import Finding
from orchestrator.lab.hosts import journald
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.posts import of_members
from orchestrator.lab.proof.probers import RunningProber
from orchestrator.plan.model import Cluster
from orchestrator.probe.tally import ProbeReport
from orchestrator.session import open_session

STATES = ("staged", "proven", "accepting", "bridged", "switched", "sealed")
OURS = "etc/systemd/system/etcd2.service.d"
LEISURE = 5.0  # a write every 50 ms: a rehearsal writes five times as often, and takes a core for itself
ROUNDS = ("stage", "prove", "accept", "bridge", "switch", "seal")


def orchestrator(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program on the bastion, to its end."""
    return lab.run([sys.executable, "-m", "orchestrator", *arguments], check=False, timeout_s=180.0)


def failure(done: subprocess.CompletedProcess[str]) -> str:
    """What to show of a program that ended otherwise than it should."""
    return f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def state_file(lab: Lab) -> Path:
    return lab.directory / "plan.yaml.state.jsonl"


def events(lab: Lab) -> list[Recorded]:
    """What the state file holds now; nothing if there is none.

    Cheap to ask over and over: the file is read only if it has changed.
    """
    path = state_file(lab)
    try:
        status = path.stat()
    except FileNotFoundError:
        return []
    return list(_events_of(path, status.st_ino, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=4)
def _events_of(path: Path, *_version: int) -> tuple[Recorded, ...]:
    # reading takes 2 to 4 ms of CPU, and whoever waits for a moment looks every 5 ms: that is half a core
    return tuple(read(path)[0])


def first_of(lab: Lab, kind: type[StepStarted | StepSucceeded], round_: str) -> float:
    """When the first step of a round began, or had succeeded, in seconds since 1970."""
    return min(
        event.at.timestamp()
        for event in events(lab)
        if isinstance(event, kind) and event.step.startswith(f"{round_}/")
    )


def run_and_kill(lab: Lab, when: Callable[[list[Recorded]], bool], *arguments: str) -> None:
    """Start the program and kill it with SIGKILL as soon as the state file shows that moment."""
    command = lab.command([sys.executable, "-m", "orchestrator", *arguments])
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            command, cwd=lab.directory, env=lab.environment(), stdout=subprocess.DEVNULL, stderr=printed
        )
        deadline = time.monotonic() + 300  # a whole run on a busy machine takes more than two minutes
        while not when(events(lab)):
            if process.poll() is not None:
                printed.seek(0)
                words = printed.read()[-6000:]
                came = "came and went between two looks" if when(events(lab)) else "never came"
                pytest.fail(f"exit {process.returncode} instead of being killed: the moment {came}\n{words}")
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it had ended before it was killed"


def restarts(lab: Lab) -> Mapping[str, int]:
    """How often each member was started since the lab was booted, but for the first time."""
    return {host.name: journald.starts(host) - 1 for host in lab.hosts}


def peer_urls(lab: Lab) -> list[str]:
    """Registered peer URLs, as the first member sees them."""
    answer = lab.hosts[0].run(["etcdctl", f"--endpoints={local(lab)}", "member", "list", "-w", "json"])
    return sorted(url for member in json.loads(answer.stdout)["members"] for url in member["peerURLs"])


def local(lab: Lab) -> str:
    port = 4001 if any("accept" in str(event) for event in events(lab)) else lab.cluster.ports.client
    return f"http://127.0.0.1:{port}"


def unhealthy(lab: Lab) -> dict[str, str]:
    """Members that do not answer a read that needs a quorum, and what they say; asked on their own hosts."""
    ports = lab.cluster.ports
    # a port that is closed answers at once here, while etcdctl would try it for five seconds
    asked = [
        f"curl --silent --show-error --fail --max-time 3 http://127.0.0.1:{port}/health"
        for port in (ports.local, ports.client)
    ]
    answers = {host.name: host.run(["sh", "-c", " || ".join(asked)], check=False) for host in lab.hosts}
    return {name: answer.stderr for name, answer in answers.items() if answer.returncode != 0}


def wait_until_healthy(lab: Lab, within_s: float = 90.0) -> float:
    """Wait for every member to be healthy without any help; return how long it took, in seconds."""
    began = time.monotonic()
    while found := unhealthy(lab):
        assert time.monotonic() - began < within_s, found
        time.sleep(0.1)
    return time.monotonic() - began


@contextmanager
def writing(lab: Lab, *, may_fail: bool = False) -> Iterator[list[ProbeReport]]:
    """Let a client write all the while; at the end nothing may be lost, nor have failed unless it may.

    Its report is in the list behind the end.
    """
    reports: list[ProbeReport] = []
    prober = RunningProber.start(lab, of_members(lab, leisure=LEISURE))
    try:
        prober.wait_for_writes()
        yield reports
        prober.wait_for_writes()
        report = prober.stop()
    finally:
        prober.kill()
    reports.append(report)
    reported = report.model_dump()
    assert report.acknowledged > 10, reported  # it may have had two seconds, one of them without a leader
    assert (report.lost, report.wrong_reads) == (0, 0), reported
    if not may_fail:
        assert (report.failed, report.failed_reads) == (0, 0), reported
        assert report.lease == "alive", reported


def fingerprint(lab: Lab) -> dict[str, str]:
    """Every file that a host has of its own (all but logs and etcd's data): content, mode, owner and time."""
    found = {}
    for host in lab.hosts:
        top = host.directory / "upper"
        for path in sorted(top.rglob("*")):
            name = str(path.relative_to(top))
            if name.startswith(("var/log/", "var/lib/etcd", "tmp/", "run/")) or not path.is_file():
                continue
            status = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            owner = f"{status.st_uid}:{status.st_gid}"
            found[f"{host.name}:{name}"] = f"{content} {status.st_mode:o} {owner} {status.st_mtime_ns}"
    return found


def changed(cluster: Cluster, **ssh: object) -> Cluster:
    """The cluster with its first member only, reached in another way."""
    member = cluster.members[0]
    reached = member.ssh.model_copy(update=ssh)
    return cluster.model_copy(update={"members": (member.model_copy(update={"ssh": reached}),)})


def found(lab: Lab) -> tuple[Finding, ...]:
    with lab.in_bastion(), open_session(lab.plan, None) as session:
        return preflight.look(session).findings


def reported(findings: Sequence[Finding], name: str, where: str, verdict: str = "fail") -> str:
    """What a check says of a place with that verdict."""
    return "; ".join(
        one.evidence for one in findings if (one.check, one.where, one.verdict) == (name, where, verdict)
    )


def shell(host: Host, command: str) -> str:
    return host.run(["sh", "-c", command], timeout_s=60).stdout


def carry_out(findings: tuple[Finding, ...], check: str, where: str) -> str:
    return next(one.fix for one in findings if (one.check, one.where, one.verdict) == (check, where, "fail"))


def written(host: Host, path: str, text: str, *, mode: int = 0o644) -> None:
    place = host.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(mode)
