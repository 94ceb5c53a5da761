"""A story that cannot be that of the plan's runbook is named by its line, and no command uses it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from engine.tales import Tale, short, whole
from engine.walking import RUN, header

from orchestrator.commands.recall import recall
from orchestrator.commands.status import show_status
from orchestrator.engine.events import (
    FORMAT,
    Opened,
    Recorded,
    RoundBegan,
    RunBegan,
    RunEnded,
    Saved,
    StepStarted,
    StepSucceeded,
)
from orchestrator.engine.fit import misfit
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import StateFile, create, progress_of
from orchestrator.errors import RefusedError
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.session import Session

Change = Callable[[Recorded], Recorded]


@pytest.fixture
def tale(tmp_path: Path) -> Tale:
    return short(tmp_path)


def session_of(tale: Tale, folder: Path) -> Session:
    return Session(folder / "plan.yaml", folder / "state", tale.cluster, BRIDGE, (), tale.world)


def changed(events: Sequence[Recorded], kind: type[Recorded], **values: object) -> Progress:
    """Fold events of which all of a kind have other values."""
    return Progress.of(
        event.model_copy(update=values) if isinstance(event, kind) else event for event in events
    )


def test_whole_stories_fit_at_every_moment(tmp_path: Path) -> None:
    tale = whole(tmp_path)
    progress = Progress()
    for event in tale.events:
        progress = progress.after(event)
        assert None is misfit(progress, tale.there, tale.back)
    assert None is misfit(Progress.of(tale.remembered()), tale.there, tale.back)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (Opened, {"migration": "guide"}, "1: it is about guide of three-members"),
        (Opened, {"cluster": "other"}, "1: it is about bridge of other"),
        (Saved, {"host": "server9"}, "2: the plan has no host server9"),
        (StepStarted, {"operations": "0" * 64}, "5: stage/server1 would do something else now"),
        (StepStarted, {"source": "sealed"}, "5: stage/server1 leads from 'plaintext' to 'staged'"),
    ],
)
def test_what_the_runbook_does_not_say_is_named_by_its_line(
    tale: Tale, kind: type[Recorded], values: dict[str, object], words: str
) -> None:
    events = tale.events[:6]
    assert words == str(misfit(changed(events, kind, **values), tale.there, tale.back))


def test_sealed_with_nothing_started_is_no_end(tale: Tale, tmp_path: Path) -> None:
    session = session_of(tale, tmp_path)
    create(session.state, (*tale.events[:3], RunEnded(outcome="finished")))
    words = r"state:4: the run cannot have finished with server1 in plaintext, server2 in plaintext"
    with pytest.raises(RefusedError, match=words):
        recall(session, progress_of(session.state))
    with pytest.raises(RefusedError, match=words):
        show_status(session)


def test_a_round_before_the_others_have_taken_the_one_before_is_no_story(tale: Tale) -> None:
    step, other = tale.there.step("stage/server1"), tale.there.step("prove/server1")
    events = list(tale.events[:3])
    for one in (step, other):
        events += [
            RoundBegan(round=one.round, target=one.target, hosts=("server1",), order="one by one"),
            StepStarted(
                step=one.id,
                host=one.host,
                source=one.source,
                target=one.target,
                attempt=1,
                operations=one.digest,
            ),
            StepSucceeded(step=one.id, host=one.host, target=one.target, took_s=0.0),
        ]
    found = misfit(Progress.of(events), tale.there, tale.back)
    assert "9: prove cannot have begun before every host has taken stage" == str(found)


def test_a_way_back_with_another_runbook_is_no_story(tale: Tale) -> None:
    assert isinstance(tale.events[-3], RunBegan)
    progress = changed(tale.events, RunBegan, runbook=tale.there.digest)
    assert "20: the last run went back with another runbook" == str(misfit(progress, tale.there, tale.back))


def test_a_run_with_other_hosts_than_the_plan_is_refused(tale: Tale, tmp_path: Path) -> None:
    session = session_of(tale, tmp_path)
    members = {name.replace("server2", "server7"): found for name, found in tale.facts.members.items()}
    facts = tale.facts.model_copy(update={"members": members})
    create(session.state, (header(facts, tale.there),))
    words = r"plan.yaml names the hosts server1, server2, and the run began with server1, server7"
    for command in (show_status, lambda session: recall(session, progress_of(session.state))):
        with pytest.raises(RefusedError, match=words):
            command(session)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"user":"etcd"', '"user":"etcd\\u001b[31m; rm"'),
        ('"id":"a1"', '"id":"../../x"'),
        ('"http://198.18.0.101:2380"', '"http://x\\nExecStart=/bin/sh"'),
        (f'"run":"{RUN}"', '"run":"../../x"'),
        ('"event":"opened"', '"event":"\\u001b]0;title\\u0007"'),
        ('"cluster_id"', '"\\u001b[31m"'),
    ],
)
def test_a_header_that_holds_anything_else_is_refused_and_shown_escaped(
    tale: Tale, tmp_path: Path, old: str, new: str
) -> None:
    path = tmp_path / "state"
    create(path, tale.events[:1])
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    for opener in (StateFile, progress_of):
        with pytest.raises(RefusedError, match=r"state:1: not an event of a state file \(") as refused:
            opener(path)
        assert str(refused.value).isprintable()


def test_a_file_of_another_format_says_who_wrote_it_and_what_to_do(tale: Tale, tmp_path: Path) -> None:
    path = tmp_path / "state"
    first = tale.events[0].model_copy(update={"tool": "0"})
    raw = first.model_dump_json().replace(f'"format":{FORMAT}', '"format":1') + "\n"
    path.write_text(raw)
    for opener in (StateFile, progress_of):
        with pytest.raises(
            RefusedError,
            match=r"state:1: has format 1 and was written by orchestrator 0; this version reads the formats "
            r"2 and 3\. "
            "Nothing was changed: go on with the version that wrote it",
        ):
            opener(path)
    assert raw == path.read_text()
