"""The bastion's disk fills up at every event of a run: it stops with words, and resumes to the same world."""

from pathlib import Path

import pytest
from engine.walking import begin, compiled, context
from engine.world import World, make_cluster
from full_disk import room_for

from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.remote.executor import LiveExecutor

SOME_BYTES = 20  # of the event for which there is no room; a few bytes vary with the times in a story


class Story:
    """A cluster that is migrated with a state file on a real disk."""

    def __init__(self, folder: Path, path: Path) -> None:
        cluster = make_cluster(folder)
        self.world, self.path, self._context = World(cluster), path, context(cluster)
        self._runbook = compiled(cluster, self.world)
        self._facts = gather(cluster, self.world.look)

    def walk(self) -> None:
        """Begin or go on, as a new process does."""
        with StateFile(self.path) as event_log:
            begin(event_log, self._runbook, self._facts)
            run(self._runbook, LiveExecutor(self.world), event_log, self._context)

    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def whole(tmp_path: Path) -> Story:
    """A story without a fault."""
    story = Story(tmp_path, tmp_path / "whole.jsonl")
    story.walk()
    return story


def test_a_full_disk_at_any_event_stops_the_run_and_it_resumes(whole: Story, tmp_path: Path) -> None:
    room_bytes = [0]
    for line in whole.lines()[:-1]:
        room_bytes.append(room_bytes[-1] + len(line))
    for number, size_bytes in enumerate(room_bytes):
        story = Story(tmp_path, tmp_path / f"{number}.jsonl")
        with (
            room_for(size_bytes + SOME_BYTES),
            pytest.raises((RefusedError, StoppedError), match=r"cannot be noted: File too large") as stopped,
        ):
            story.walk()
        has_begun = story.path.exists() and b'"step_started"' in story.path.read_bytes()
        assert has_begun == isinstance(stopped.value, StoppedError)
        assert ("the cluster is healthy" if has_begun else "nothing was changed") in str(stopped.value)
        assert not story.path.exists() or story.path.read_bytes()[-1:] in {b"", b"\n"}  # nothing is torn

        story.walk()
        assert whole.world.snapshot() == story.world.snapshot()


def test_why_a_run_stopped_is_reported_though_it_cannot_be_noted(tmp_path: Path) -> None:
    noted = Story(tmp_path, tmp_path / "noted.jsonl")
    noted.world.hosts["server1"].is_refused_by_peers = True
    with pytest.raises(StoppedError, match="cannot reach"):
        noted.walk()
    *before, failed, ended = noted.lines()
    assert (True, True) == (b"step_failed" in failed, b"run_ended" in ended)

    for number, lines in enumerate((before, [*before, failed])):
        story = Story(tmp_path, tmp_path / f"{number}.jsonl")
        story.world.hosts["server1"].is_refused_by_peers = True
        room_bytes = sum(map(len, lines)) + SOME_BYTES
        with (
            room_for(room_bytes),
            pytest.raises(StoppedError, match=r"(?s)cannot reach.*\n  .*cannot be noted"),
        ):
            story.walk()
