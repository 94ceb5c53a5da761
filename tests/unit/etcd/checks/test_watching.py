"""Watched clients: silence after the restart is asked for, errors are quoted, the dead are named."""

import base64
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.etcd import checks as is_
from orchestrator.host.questions import Answer
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Watch
from orchestrator.runbook.compile import compile_forward

ENDLESS = r"(a|a)+$"  # two ways for each letter: twice as long for each one more
LETTERS = "a" * 60 + "!"


def watching(folder: Path, *units: str, errors: str = Watch().errors) -> Target:
    plain = target(folder, {})
    watch = Watch(units=units, errors=errors)
    cluster = plain.cluster.model_copy(update={"watch": watch})
    return Target(cluster, plain.facts, plain.host)


def judged(member: Target, since_s: float, *units: tuple[str, str, str]) -> str | None:
    gate = is_.local_clients_healthy(member)
    (question,) = gate.questions
    lines = [f"since {since_s}"]
    lines += [
        f"unit {name} {state} {base64.b64encode(journal.encode()).decode()}" for name, state, journal in units
    ]
    return gate.refusal({question: Answer(0, "\n".join(lines) + "\n")})


def test_nothing_is_asked_if_nothing_is_watched(tmp_path: Path) -> None:
    gate = is_.local_clients_healthy(watching(tmp_path))
    assert () == gate.questions
    assert gate.refusal({}) is None


@pytest.mark.parametrize(
    ("since_s", "state", "journal", "reported"),
    [
        (11.0, "active", "", None),
        (11.0, "active", "job scheduled\nall is well\n", None),
        (4.0, "active", "", "4 of 10 s since the restart"),
        (11.0, "failed", "", "fleet is failed"),
        (11.0, "active", "ok\nERROR dial 127.0.0.1:4001: connection refused\n", "connection refused"),
        (11.0, "active", "context deadline: timed out\n", "fleet reports 1 errors in the last 10 s"),
    ],
)
def test_a_quiet_period_after_the_restart_has_to_pass(
    tmp_path: Path, since_s: float, state: str, journal: str, reported: str | None
) -> None:
    reason = judged(watching(tmp_path, "fleet"), since_s, ("fleet", state, journal))
    assert reason is None if reported is None else reported in (reason or "")


def test_a_pattern_that_does_not_come_to_an_end_is_a_refusal(tmp_path: Path) -> None:
    member = watching(tmp_path, "fleet", errors=ENDLESS)
    reason = judged(member, 11.0, ("fleet", "active", f"well\n{LETTERS}\n")) or ""
    assert "watch.errors of the plan takes longer than 2 s over the journal of fleet" in reason
    assert "write simpler words; a run that has begun goes on with them" in reason


def test_a_pattern_may_be_changed_in_the_middle_of_a_run(tmp_path: Path) -> None:
    found = [watching(tmp_path, "fleet", errors=errors) for errors in (ENDLESS, "fatal")]
    runbooks = [compile_forward(one.cluster, one.facts, MIGRATIONS["bridge"]) for one in found]
    assert runbooks[0].digest == runbooks[1].digest
