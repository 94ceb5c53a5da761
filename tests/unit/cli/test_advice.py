"""The command to go on with that is added to an error: one that does not refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from engine.test_rehearsal import pace
from engine.walking import begin
from engine.world import World, make_cluster

from orchestrator import session as sessions
from orchestrator.cli_session import session_of
from orchestrator.commands import recall
from orchestrator.engine.journal import StateFile
from orchestrator.engine.run import run
from orchestrator.errors import PersonNeededError
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session


@pytest.mark.parametrize(
    ("walked", "advised"), [((), "check"), (("there",), "run"), (("there", "back"), "check")]
)
def test_what_is_advised_is_what_goes_on_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walked: tuple[str, ...], advised: str
) -> None:
    cluster = make_cluster(tmp_path)
    session = Session(tmp_path / "plan.yaml", tmp_path / "state", cluster, BRIDGE, (), World(cluster))

    @contextmanager
    def opened(*_: object) -> Iterator[Session]:
        yield session

    monkeypatch.setattr(sessions, "open_session", opened)
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    ways = {"there": (there, "staged"), "back": (recall.compile_back(session, facts), None)}
    with StateFile(session.state) as journal:
        for way, until in map(ways.__getitem__, walked):
            begin(journal, way, facts)
            run(way, LiveExecutor(session.hosts), journal, pace(cluster), until=until)
    with pytest.raises(PersonNeededError) as raised, session_of(session.plan, session.state):
        raise PersonNeededError("server1 is away")
    options = ("--resume",) if advised == "run" else ()
    assert f"server1 is away. Go on with: {session.command(advised, *options)}" == str(raised.value)
