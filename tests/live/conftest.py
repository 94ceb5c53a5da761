"""Real hosts for tests: every test in this folder is marked ``lab``. A lab that cannot start is a failure."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from live.hosts_table import RESULTS

from orchestrator.lab.hosts.base_system import ensure
from orchestrator.lab.hosts.etcd_programs import OWN
from orchestrator.lab.lifecycle import manifest
from orchestrator.lab.lifecycle.lab import Lab, down
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.plan.model import Cluster

HERE = Path(__file__).parent
THREE_MEMBERS = HERE.parents[1] / "plans" / "three-members.yaml"
# Two checkouts do not end each other's labs, nor do two workers of one test run.
OURS = f"{HERE} {os.environ.get('PYTEST_XDIST_WORKER', '')}"
CHECKOUT = hashlib.sha256(OURS.encode()).hexdigest()[:3]
FRESH = f"t{CHECKOUT}"  # the lab of one test
SHARED = f"m{CHECKOUT}"  # the lab of one file, for tests that only look
NOTHING_MORE = Extra()
HASTY = timedelta(seconds=20)  # more than a restart takes on a busy machine


@dataclass(frozen=True, slots=True)
class ClusterHosts:
    """A cluster that is up, for tests that only look at it."""

    lab: Lab

    @property
    def cluster(self) -> Cluster:
        return self.lab.cluster

    @property
    def plan(self) -> Path:
        return self.lab.plan


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--record"):
        rare = [item for item in items if item.get_closest_marker("table")]
        items[:] = [item for item in items if item not in rare]
        config.hook.pytest_deselected(items=rare)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            if "cluster_hosts" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(item.path.stem))  # one worker boots them for all


@pytest.fixture(autouse=True)
def as_in_the_table(request: pytest.FixtureRequest) -> Iterator[None]:
    """What this test tries is served, or refused, as docs/hosts.md says."""
    with RESULTS.kept(record=request.config.getoption("--record")):
        yield


@contextmanager
def booted(
    prefix: str,
    plan: Path = THREE_MEMBERS,
    extra: Extra = NOTHING_MORE,
    etcd: str = OWN,
    above: Sequence[Path] = (),
) -> Iterator[Lab]:
    """Boot a lab, and end it afterwards; what a killed test run left under that name goes first."""
    down(prefix)
    lab = Lab.up(
        plan,
        prefix=prefix,
        extra_settings=extra.members,
        proxy_settings=extra.proxies,
        etcd=etcd,
        above=above,
    )
    try:
        yield lab
    finally:
        lab.down()


@pytest.fixture(scope="session")
def base_system() -> Iterator[Path]:
    """The hosts' base system; held for this test run alone, or two would end each other's labs."""
    system = ensure()
    manifest.STATE.mkdir(parents=True, exist_ok=True)
    with (manifest.STATE / f"tests-{CHECKOUT}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield system


@pytest.fixture
def etcd(request: pytest.FixtureRequest) -> str:
    """The version that the hosts run, for tests of more than one."""
    return getattr(request, "param", OWN)


@pytest.fixture
def lab(base_system: Path, etcd: str) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    """A fresh three-member cluster on plain HTTP, for this test alone."""
    with booted(FRESH, etcd=etcd) as fresh:
        yield fresh


@pytest.fixture
def hasty_plan(tmp_path: Path) -> Path:
    """A plan with little patience, for what never comes to hold."""
    plan = tmp_path / "plan.yaml"
    text = THREE_MEMBERS.read_text().replace("gate: 90s", f"gate: {HASTY.seconds}s")
    assert f"gate: {HASTY.seconds}s" in text
    plan.write_text(text)
    return plan


@pytest.fixture
def hasty_lab(base_system: Path, hasty_plan: Path) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    """A fresh three-member cluster whose plan has little patience."""
    with booted(FRESH, hasty_plan) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def cluster_hosts(base_system: Path) -> Iterator[ClusterHosts]:  # noqa: ARG001 - it has to be there
    """A three-member cluster on plain HTTP, shared by a file's tests, which must not change it."""
    with booted(SHARED) as shared:
        yield ClusterHosts(shared)


@pytest.fixture
def in_bastion(cluster_hosts: ClusterHosts) -> Iterator[ClusterHosts]:
    """The shared cluster, with this test on the bastion's network; a fresh one has ``lab.in_bastion()``.

    Only this thread moves, and threads and processes that it starts.
    """
    with cluster_hosts.lab.in_bastion():
        yield cluster_hosts
