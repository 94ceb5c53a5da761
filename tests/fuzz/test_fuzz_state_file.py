"""State files that were changed, or are none at all: refused with their line, or the same story."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from engine.tales import TALES, Tale
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.mutations import Line, mutations, plain

from orchestrator.commands.recall import recall
from orchestrator.engine import lines
from orchestrator.engine.events import Recorded
from orchestrator.engine.lines import Content
from orchestrator.errors import RefusedError
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.facts import Target
from orchestrator.report import status
from orchestrator.session import Session

PATH = Path("plan.yaml.state.jsonl")


def written(events: Sequence[Recorded]) -> list[bytes]:
    """Return the lines of a state file."""
    found, chain = [], ""
    for event in events:
        line, chain = lines.line_of(event, chain)
        found.append(line)
    return found


class Reported:
    """A tale, the lines of its state file, and every small change that can be made to them."""

    def __init__(self, tale: Tale) -> None:
        self.tale = tale
        self.sound = written(tale.events)
        plain_lines = [json.loads(event.model_dump_json()) for event in tale.events]
        self.kept = {plain(line): sound for line, sound in zip(plain_lines, self.sound, strict=True)}
        self.changes = [changed for _, changed in mutations(plain_lines)]

    def change(self, data: st.DataObject) -> Sequence[Line]:
        """Make one of the changes."""
        return self.changes[data.draw(st.integers(0, len(self.changes) - 1))]

    def means(self, content: Content) -> bool:
        """Whether it tells the same, but for last lines that are gone: so the file was before them."""
        return content.events == self.tale.events[: len(content.events)]


@pytest.fixture(scope="module", params=TALES)
def reported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return Reported(TALES[request.param](tmp_path_factory.mktemp("tale")))


def forged(changed: Sequence[Line]) -> bytes:
    """Return a file whose chain fits, whatever its lines say."""
    raw, chain = b"", ""
    for line in changed:
        body = plain(line)
        chain = hashlib.sha256(chain.encode() + body).hexdigest()[:16]
        raw += b'%s,"chain":"%s"}\n' % (body[:-1], chain.encode())
    return raw


def read(raw: bytes) -> Content | None:
    """Read a file; None if it is refused, as it has to be: by its name and line."""
    try:
        return lines.parse(PATH, raw)
    except RefusedError as error:
        words = str(error)
        assert words.startswith(f"{PATH}:")
        assert words.removeprefix(f"{PATH}:").partition(":")[0].isdigit()
        assert "othing was changed: " in words
        assert words.isprintable()
        assert len(words) < 1000
        return None


def use(tale: Tale, content: Content) -> None:
    """Do with a story what commands do; raises RefusedError if it is none of the plan's."""
    session = Session(Path("plan.yaml"), PATH, tale.cluster, BRIDGE, (), tale.world)
    progress = content.progress
    if progress.opened is None:
        return
    runbook = recall(session, progress)
    progress.steps_back(runbook.tracks)
    hosts = tuple(Target(tale.cluster, progress.opened.facts, host) for host in tale.cluster.hosts)
    status.observe(runbook, tale.world, progress, hosts)


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_line_that_was_changed_dropped_repeated_or_moved_is_refused(
    reported: Reported, data: st.DataObject
) -> None:
    changed = map(plain, reported.change(data))
    content = read(b"".join(reported.kept.get(line, line + b"\n") for line in changed))
    assert content is None or reported.means(content)


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_bytes_that_were_changed_are_refused_or_a_torn_last_line(
    reported: Reported, data: st.DataObject
) -> None:
    raw = b"".join(reported.sound)
    first = data.draw(st.integers(0, len(raw)))
    last = data.draw(st.integers(first, min(len(raw), first + 300)))
    changed = raw[:first] + data.draw(st.binary(max_size=300)) + raw[last:]
    content = read(changed)
    assert content is None or (reported.means(content) and raw.startswith(changed[: content.sound_bytes]))


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_story_with_a_chain_that_fits_is_refused_or_makes_sense(
    reported: Reported, data: st.DataObject
) -> None:
    changed = reported.change(data)
    content = read(forged(changed))
    if content is None:
        return
    try:
        use(reported.tale, content)
    except RefusedError:
        return
    events = content.events
    again = lines.parse(PATH, b"".join(written(events)))  # what was read can be recorded, too
    assert (events, content.progress) == (again.events, again.progress)


@given(raw=st.binary(max_size=2000) | st.text(max_size=500).map(str.encode))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_no_state_file_is_refused(raw: bytes) -> None:
    content = read(raw)
    assert content is None or (() == content.events and b"\n" not in raw)


@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_json_is_refused(value: object) -> None:
    assert None is read(json.dumps(value).encode() + b"\n")
    assert None is read(forged([{"event": "opened", "format": 2, "facts": value}]))
