"""A disk under /run that fills up while a job is at work: its result has had its room from the start."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.conversations import conversation, counting
from unit.remote.shells import shims

from orchestrator.host.operations import JobResult
from orchestrator.remote.job import Performance

pytestmark = pytest.mark.lab  # only root can mount a small disk


@contextmanager
def small_disk(path: Path) -> Iterator[None]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_job_that_fills_the_disk_still_leaves_its_result(tmp_path: Path) -> None:
    with small_disk(tmp_path / "run"):
        home = str(tmp_path / "run" / "jobs")
        fill = f"cat /dev/zero >{tmp_path}/run/ballast 2>/dev/null; true"
        performance = Performance(counting("job", tmp_path / "count", fill), home)
        with conversation(performance, shims(tmp_path / "bin")) as talk:
            assert performance.hold(talk).exit_status == 0
        again = Performance(counting("job", tmp_path / "count"), home)
        with conversation(again, shims(tmp_path / "bin")) as talk:
            assert again.hold(talk).exit_status == 0
    assert (tmp_path / "count").read_text() == "once\n"


def test_a_job_for_whose_result_there_is_no_room_is_not_started(tmp_path: Path) -> None:
    with small_disk(tmp_path / "run"):
        (tmp_path / "run" / "jobs").mkdir()
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "run" / "ballast").write_bytes(b"x" * (1 << 20))
        performance = Performance(counting("job", tmp_path / "count"), str(tmp_path / "run" / "jobs"))
        with conversation(performance, shims(tmp_path / "bin")) as talk:
            result = performance.hold(talk)
    assert isinstance(result, JobResult)
    assert (125, True) == (result.exit_status, "No space left" in result.output)
    assert not (tmp_path / "count").exists()
