"""A session on fake hosts, which cannot be asked for what the checklist wants, and keep nothing."""

from pathlib import Path

import pytest
from engine.world import World

from orchestrator.commands import check, keeping, locks, recall, recover
from orchestrator.engine.context import RunContext
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.session import Session


def session_on(folder: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(check, "passed", lambda session, _: (recall.read_facts(session), ()))
    monkeypatch.setattr(check, "undisputed", lambda *_: None)
    monkeypatch.setattr(check, "returnable", lambda *_: None)
    monkeypatch.setattr(recover, "refuse_forgotten", lambda _: None)
    monkeypatch.setattr(locks, "seen", lambda _, names: dict.fromkeys(names))
    monkeypatch.setattr(keeping, "keep", lambda *_: "kept")
    monkeypatch.setattr(keeping, "compare", lambda *_: "the same")
    return Session(folder / "plan.yaml", folder / "state", world.cluster, BRIDGE, (), world)


def context(session: Session) -> RunContext:
    return RunContext(session.cluster.patience, sleep=lambda _: None)
