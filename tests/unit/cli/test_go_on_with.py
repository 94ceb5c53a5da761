"""The command to go on with that is added to an error: one that does not refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from engine.walking import begin, context
from engine.world import World, make_cluster

from orchestrator import session as sessions
from orchestrator.cli.sessions import session_of
from orchestrator.commands import check, recall
from orchestrator.commands.status import read_progress
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import PersonNeededError, RefusedError, StoppedError
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with a state file of its own name, which the command line opens."""
    cluster = make_cluster(tmp_path)
    session = Session(tmp_path / "plan.yaml", tmp_path / "state", cluster, BRIDGE, (), World(cluster))

    @contextmanager
    def opened(*_: object) -> Iterator[Session]:
        yield session

    monkeypatch.setattr(sessions, "open_session", opened)
    return session


def test_a_broken_state_file_and_hands_on_a_host_are_answered_by_commands_that_run(session: Session) -> None:
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    with StateFile(session.state) as event_log:
        begin(event_log, there, facts)
        run(there, LiveExecutor(session.hosts), event_log, context(session.cluster), until="staged")
        world = session.hosts
        assert isinstance(world, World)
        del world.hosts["server2"].files["/etc/etcd2/ca.pem"]
        begin(event_log, there, facts)
        with pytest.raises(StoppedError) as stopped, session_of(session.plan, session.state):
            run(there, LiveExecutor(world), event_log, context(session.cluster))
    assert f"is shown by: {session.command('files')} server2\n  the cluster is healthy" in str(stopped.value)

    session.state.write_text("x\n")
    with pytest.raises(RefusedError) as refused, session_of(session.plan, session.state):
        read_progress(session)
    assert str(refused.value).endswith(f"move it away, then: {session.command('recover')}")


@pytest.mark.parametrize(
    ("walked", "advised"),
    [((), "check"), (("there",), "run"), (("there", "back"), "check"), (("there", "stopped"), "rollback")],
)
def test_what_is_advised_is_what_goes_on_from_here(
    session: Session, walked: tuple[str, ...], advised: str
) -> None:
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    back = recall.compile_back(session, facts)
    ways = {"there": (there, "staged"), "back": (back, None), "stopped": (back, None)}
    with StateFile(session.state) as event_log:
        for way, until in map(ways.__getitem__, walked):
            begin(event_log, way, facts)
            if walked[-1] != "stopped" or way is there:
                run(way, LiveExecutor(session.hosts), event_log, context(session.cluster), until=until)
    with pytest.raises(PersonNeededError) as raised, session_of(session.plan, session.state):
        raise PersonNeededError("server1 is away")
    options = ("--resume",) if advised == "run" else ()
    assert f"server1 is away\n  Go on with: {session.command(advised, *options)}" == str(raised.value)


def test_no_fix_for_the_time_before_a_run_is_printed_behind_one(session: Session) -> None:
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    with StateFile(session.state) as event_log:
        begin(event_log, there, facts)
        run(there, LiveExecutor(session.hosts), event_log, context(session.cluster))
    world = session.hosts
    assert isinstance(world, World)
    del world.hosts["server2"].files["/etc/etcd2/ca.pem"]
    with pytest.raises(RefusedError) as refused, session_of(session.plan, session.state):
        check.show(session)
    assert str(refused.value).endswith(f"what differs: {session.command('status')}")
