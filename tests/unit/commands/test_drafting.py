"""A drafted plan is written whole or not at all, and what is beside it is no reason to lose it."""

import stat
from pathlib import Path

import pytest
from full_disk import room_for

from orchestrator.commands import init
from orchestrator.errors import RefusedError
from orchestrator.plan.discovered import Discovered, DiscoveredHost
from orchestrator.plan.seeds import Seed

FOUND = Discovered("main", "3.5.30", (DiscoveredHost("a", "198.18.0.1", "etcd", Seed("a")),), 2379, 2380)
TEXT = "# a name: Zürich\n"


def test_a_full_disk_leaves_no_half_plan_and_the_next_one_is_written(tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    with room_for(5), pytest.raises(RefusedError, match="cannot be written: File too large"):
        init._written(out, TEXT, FOUND)
    assert [] == list(tmp_path.iterdir())
    init._written(out, TEXT, FOUND)
    assert TEXT.encode() == out.read_bytes()
    with pytest.raises(RefusedError, match="is there already"):
        init._written(out, TEXT, FOUND)


def test_a_schema_that_cannot_be_written_does_not_hide_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "plan.yaml"
    with room_for(1000):
        told = init._written(out, TEXT, FOUND)
    assert "Then: " in told
    assert " was not written: File too large" in capsys.readouterr().err
    assert [out] == list(tmp_path.iterdir())


def test_a_drafted_plan_is_as_the_umask_has_it(tmp_path: Path) -> None:
    init._written(tmp_path / "plan.yaml", TEXT, FOUND)
    (tmp_path / "other").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert 1 == len(modes)
