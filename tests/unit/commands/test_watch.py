"""Watching a run from before its first event: whoever came too early sees all of it."""

from collections.abc import Iterator

import pytest
from engine.walking import begin, context

from orchestrator.commands import recall
from orchestrator.commands.watch import Followed
from orchestrator.engine.events import Event, Opened, RunBegan
from orchestrator.engine.run import run
from orchestrator.engine.state_file import MemoryEventLog, StateFile
from orchestrator.errors import UsageError
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session


@pytest.fixture
def story(session: Session) -> MemoryEventLog:
    """What a run writes down, from its header on."""
    facts = recall.read_facts(session)
    there = recall.compile_there(session, facts)
    event_log = MemoryEventLog()
    begin(event_log, there, facts)
    run(there, LiveExecutor(session.hosts), event_log, context(session.cluster), until="staged")
    return event_log


@pytest.mark.parametrize("left", ["nothing", "the header of a run that was refused"])
def test_a_run_that_is_still_asking_is_followed_from_its_first_event(
    session: Session, story: MemoryEventLog, left: str
) -> None:
    opened, *rest = story.events
    assert isinstance(opened, Opened)
    seen: list[Event] = []
    runs: list[str] = []

    def take(event: Event) -> None:
        view = followed.past()
        assert view is not None
        runs.append(view.course.opened.run)
        seen.append(event)

    def meanwhile() -> Iterator[None]:
        yield  # somebody reads the review
        event_log.forget()
        event_log.append(opened)
        yield
        for event in rest:
            event_log.append(event)
        yield
        event_log.close()
        yield

    event_log = StateFile(session.state)
    if left != "nothing":
        event_log.append(opened.model_copy(update={"run": "00000000"}))
    followed, course = Followed(session.state, session.cluster, session.migration), meanwhile()
    followed.follow(take, lambda _: next(course))
    assert isinstance(seen[0], RunBegan)
    assert story.events[-len(seen) :] == seen
    assert {opened.run} == set(runs)


def test_where_no_run_begins_nothing_is_shown_and_that_is_said(session: Session) -> None:
    event_log = StateFile(session.state)
    followed = Followed(session.state, session.cluster, session.migration)
    with pytest.raises(UsageError, match="no run has begun"):
        followed.follow(lambda event: pytest.fail(event.event), lambda _: event_log.close())
