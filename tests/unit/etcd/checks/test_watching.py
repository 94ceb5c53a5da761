"""Watched clients: silence after the restart is asked for, errors are quoted, the dead are named."""

import base64
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.etcd import checks as is_
from orchestrator.host.questions import Answer
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Watch


def watching(folder: Path, *units: str) -> Target:
    plain = target(folder, {})
    cluster = plain.cluster.model_copy(update={"watch": Watch(units=units)})
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
