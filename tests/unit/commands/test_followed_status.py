"""What ``status --watch`` meets on its way is said, and it looks again."""

import pytest

from orchestrator.commands import status
from orchestrator.errors import (
    HostUnreachableError,
    LockedError,
    OrchestratorError,
    PersonNeededError,
    RefusedError,
    StoppedError,
)
from orchestrator.session import Session


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("server1 reports no settings"),
        HostUnreachableError("server1", "gone"),
        StoppedError("in the middle"),
        PersonNeededError("astray"),
        LockedError("held"),
    ],
)
def test_what_is_not_as_it_should_be_ends_no_watch(
    session: Session,
    error: OrchestratorError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    looks: list[Session] = []

    def show(watched: Session, **_: object) -> None:
        looks.append(watched)
        raise error

    monkeypatch.setattr(status, "show_status", show)
    monkeypatch.setattr(status, "PAUSE_S", 0.0)
    status.follow(session, lambda: len(looks) == 2, is_json=False)
    assert 2 == capsys.readouterr().err.count(f"exit code {error.exit_code} now: {error}\n")
