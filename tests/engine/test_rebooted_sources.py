"""Settings in files, flags and a configuration file: there and back, with a reboot at each moment."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache

import pytest
from engine.sourced import SourcedWorld, in_a_configuration, in_a_file, in_flags
from engine.walking import context, run
from engine.world import make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import OrchestratorError
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

LAYOUTS = (in_a_file, in_flags, in_a_configuration)
MOMENT = "host after server1"


@cache
def ways(cluster: Cluster, facts: str) -> tuple[Runbook, Runbook]:
    """Both ways of these facts; worlds that begin alike need them once."""
    found, bridge = Facts.model_validate_json(facts), MIGRATIONS["bridge"]
    return compile_forward(cluster, found, bridge), compile_backward(cluster, found, bridge)


@dataclass
class Walk:
    """One world, whose server1 is rebooted at a moment; -1: never. ``moments`` counts them."""

    cluster: Cluster
    layout: Callable[..., object]
    strike: int = -1
    moments: int = 0

    def __post_init__(self) -> None:
        self.world = SourcedWorld(self.cluster, self.layout)  # type: ignore[arg-type]
        self.there, self.back = ways(self.cluster, gather(self.cluster, self.world.look).model_dump_json())
        self.event_log = MemoryEventLog()
        self.world.moment = self._moment
        self.before = deepcopy(self.now)

    @property
    def now(self) -> object:
        """The world but for empty directories: a reboot behind the last file leaves one, as ever."""
        hosts = self.world.hosts.values()
        return [
            (host.files, host.trusted, host.loaded, host.environment) for host in hosts
        ], self.world.registry

    def _moment(self, name: str) -> None:
        if name.startswith(MOMENT):
            self.moments += 1
            if self.moments == self.strike:
                self.world.reboot("server1")

    def go(self, runbook: Runbook) -> None:
        try:
            run(runbook, LiveExecutor(self.world), self.event_log, context(self.cluster))
        except OrchestratorError:
            assert 0 < self.strike <= self.moments
            run(runbook, LiveExecutor(self.world), self.event_log, context(self.cluster))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return make_cluster(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_it_gets_there_and_back_and_their_files_are_as_they_were(
    cluster: Cluster, layout: Callable[..., object]
) -> None:
    walk = Walk(cluster, layout)
    theirs = [dict(host.files) for host in walk.world.hosts.values()]
    walk.go(walk.there)
    assert {"sealed"} == set(walk.event_log.progress.states.values())
    assert [2, 2, 2] == [host.restarts for host in walk.world.hosts.values()]
    for host, files in zip(walk.world.hosts.values(), theirs, strict=True):
        assert files == {path: host.files[path] for path in files}
    walk.go(walk.back)
    assert walk.before == walk.now


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_a_reboot_at_any_moment_is_gone_on_from(cluster: Cluster, layout: Callable[..., object]) -> None:
    counted = Walk(cluster, layout)
    counted.go(counted.there)
    there = counted.moments
    counted.go(counted.back)
    assert 20 < there < counted.moments
    for strike in range(1, counted.moments + 1):
        walk = Walk(cluster, layout, strike)
        walk.go(walk.there)
        walk.go(walk.back)
        assert walk.before == walk.now, strike
