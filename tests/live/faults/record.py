"""One case of the fault matrix: a fault, the moment when it strikes, what was expected, and what was seen.

A case that does not end as expected fails its test. With ``--record`` what was seen goes to
tests/results/faults.jsonl, which docs/faults.md is generated from.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from live.faults.strikes import Moment
from live.stories import LEISURE, events, failure, orchestrator, run_and_kill, wait_until_healthy
from support.results import Results

from orchestrator.engine.progress import Progress
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof.posts import of_members
from orchestrator.lab.proof.probers import RunningProber

STOPPED = 7
PERSON_NEEDED = 9
KILLED = 128 + 9  # as shells say it
WRITING_S = 0.5  # before the first run of a case, and behind its last
HEALTHY_S = 60.0  # for a cluster to be well again without any help
MESSAGE_CHARS = 300
FAILURE = re.compile(r"(CA )?\S+ +fail ")
FINISHES = (0,)
STOPS_AND_RESUMES = (STOPPED, 0)
RECOVERS = (FINISHES, STOPS_AND_RESUMES)  # 9 is for what does not heal within the plan's patience
Exits = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a case. ``message`` is the first refusal's own words, empty if there was none."""

    fault: str
    moment: str
    expected: str
    exits: tuple[int, ...]
    message: str
    cluster: str
    acknowledged: int
    lost: int

    @property
    def key(self) -> tuple[str, str]:
        return self.fault, self.moment


RESULTS = Results("faults", Seen, compared=("expected", "cluster"))


@dataclass
class Case:
    """A case that is under way; ``run`` is the program as the operator starts it."""

    lab: Lab
    exits: list[int] = field(default_factory=list)
    message: str = ""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.note(orchestrator(self.lab, *_not_waiting(arguments)))

    def finish(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run to the end: resume if the run stops, as its message says, once the cluster is well."""
        done = self.run("run", *arguments)
        if done.returncode in {STOPPED, PERSON_NEEDED}:
            wait_until_healthy(self.lab, HEALTHY_S)
            rest = [word for word in arguments if word not in {"--yes", "--resume"}]
            done = self.run("run", *rest, "--resume")
        return done

    def run_and_kill(self, when: Moment, *arguments: str) -> None:
        """Start the program and kill it with SIGKILL at a moment."""
        run_and_kill(self.lab, when, *_not_waiting(arguments))
        self.exits.append(KILLED)

    def note(self, done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
        """Take a run into the case's account that was started in another way."""
        self.exits.append(done.returncode)
        if done.returncode and not self.message:
            named = done.stderr.replace(f"{self.lab.directory}/", "").replace(sys.executable, "python")
            self.message = words(named)
        return done


def _not_waiting(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Have a run not wait for the client: a fault may send it back to http, and is what the case is about."""
    return (*arguments, "--cut-off") if arguments[0] == "run" else arguments


def words(stderr: str) -> str:
    """The error that the program ended with, on one line; of what checks found, the first failure."""
    lines = [line for line in stderr.splitlines() if not line.startswith("more: ")]
    begins = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    said = lines[begins[-1] :] if begins else []
    failure = next((line for line in said if FAILURE.match(line)), None)
    said = [failure] if failure else said
    line = "; ".join(" ".join(one.split()) for one in said).removeprefix("error: ")
    return line if len(line) <= MESSAGE_CHARS else line[: MESSAGE_CHARS - 1] + "…"


@contextmanager
def case(lab: Lab, fault: str, moment: str, *, exits: Exits, expected: str) -> Iterator[Case]:
    """Let a client write while a case runs, and have every acknowledged write read back from every member.

    ``exits`` holds the exit codes that the runs may end with, in their order: more than one such order if
    it depends on what the fault hits. ``expected`` says in words what should become of it. In the end the
    cluster has to be healthy.
    """
    prober = RunningProber.start(lab, of_members(lab, leisure=LEISURE))
    try:
        prober.wait_for_writes(for_s=WRITING_S)
        under_way = Case(lab)
        yield under_way
        wait_until_healthy(lab, HEALTHY_S)
        prober.wait_for_writes(for_s=WRITING_S)
        report = prober.stop()
    finally:
        prober.kill()
    reported = report.model_dump()
    assert tuple(under_way.exits) in exits, f"{under_way.exits}: {under_way.message}"
    assert report.acknowledged > 50, reported
    assert (report.lost, report.wrong_reads) == (0, 0), reported
    RESULTS.add(
        Seen(
            fault=fault,
            moment=moment,
            expected=expected,
            exits=tuple(under_way.exits),
            message=under_way.message,
            cluster=standing(lab),
            acknowledged=report.acknowledged,
            lost=report.lost,
        )
    )


def standing(lab: Lab) -> str:
    """Where the members stand by the state file, and that they are well, as was just seen."""
    progress = Progress.of(events(lab))
    states, count = progress.states, len(lab.members)
    is_everybody = len(states) == count or progress.is_rolled_back  # who never moved is back too
    if not states:
        where = "untouched"
    elif is_everybody and len(set(states.values())) == 1:
        where = next(iter(states.values()))
    else:
        where = ", ".join(f"{name} {state}" for name, state in sorted(states.items()))
    return f"{where}; {count} of {count} healthy"


def succeed(done: subprocess.CompletedProcess[str]) -> None:
    """Have a step of the story that is not the case's own business succeed."""
    assert done.returncode == 0, failure(done)
