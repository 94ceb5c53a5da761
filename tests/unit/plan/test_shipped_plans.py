"""The plans that are shipped load without a warning, and so does the copy that the lab makes of each."""

from pathlib import Path

import pytest

from orchestrator.lab.provisioning import plan_copy
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.loading import load

PLANS = sorted((Path(__file__).parents[3] / "plans").glob("*.yaml"))


@pytest.mark.parametrize("plan", PLANS, ids=[plan.stem for plan in PLANS])
def test_it_loads_without_a_warning_and_the_lab_takes_it(plan: Path, tmp_path: Path) -> None:
    loaded = load(plan, MIGRATIONS, files=False)
    assert () == loaded.warnings
    assert plan.stem == loaded.cluster.name
    copied = plan_copy.copy(plan, tmp_path)
    for own, copy in zip(loaded.cluster.etcd_hosts, copied.etcd_hosts, strict=True):
        assert (own.name, own.address, own.service) == (copy.name, copy.address, copy.service)
        assert copy.ssh.jump is None
