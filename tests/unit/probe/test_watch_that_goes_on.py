"""etcdctl's watch: one that a restarting member ends goes on where it stopped; any other end is a failure."""

from pathlib import Path

import pytest
from support.waiting import until

from orchestrator.lab.clients.etcdctl import RESTARTING, Etcdctl
from orchestrator.lab.clients.standing import GrpcWatch
from orchestrator.probe.way import Way


def ended(folder: Path, words: str) -> GrpcWatch:
    """Return a watch whose etcdctl has said these words and ended, once that was seen."""
    program = folder / "etcdctl"
    program.write_text(f"#!/bin/sh\necho '{words}'\nexit 1\n")
    program.chmod(0o755)
    way = Way(lambda _: True, ("198.18.0.101",), 2379)
    watch = GrpcWatch(Etcdctl(program, way, "ca", "certificate", "key"), "/mine", 1)

    def has_complained() -> bool:
        watch.tend()
        return bool(watch.count.complaints)

    until(has_complained)
    watch.end()
    return watch


@pytest.mark.parametrize(
    ("words", "failed"), [(f"watch was canceled (OK: {RESTARTING})", 0), ("context deadline exceeded", 1)]
)
def test_only_a_member_that_restarts_may_end_it(tmp_path: Path, words: str, failed: int) -> None:
    report = ended(tmp_path, words).count.report()
    assert words in report.complaints[0]
    assert failed == min(report.failed, 1)
