"""A crash at every moment of a run, then resume or undo: the same world, on fakes, exhaustively.

What a crash of the orchestrator leaves behind is copied at each moment of one walk, rather than walked to
anew; that both are the same is a test of its own. A reboot of a host goes on from where it strikes.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field

import pytest
from engine.walking import begin, header
from engine.world import World, make_cluster

from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Recorded, StepStarted, StepSucceeded
from orchestrator.engine.retelling import retell
from orchestrator.engine.run import run
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import OrchestratorError
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.model import Clients, Cluster
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook

COMPILED: dict[tuple[str, str, str], Runbook] = {}
WAYS: tuple[Callable[..., Runbook], ...] = (compile_forward, compile_backward)


class CrashError(BaseException):
    """The orchestrator is gone at this moment; nothing may catch it."""


@dataclass(frozen=True)
class Left:
    """What a crash of the orchestrator leaves at any of these moments: the hosts and the state file."""

    moments: tuple[str, ...]
    world: World
    events: tuple[Recorded, ...]


@dataclass
class Scenario:
    """A world, and what runs in it; ``crash_at`` counts moments, ``how`` says who crashes."""

    cluster: Cluster
    how: str = "none"
    crash_at: int = -1
    moments: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    is_armed: bool = True
    is_dying: bool = False

    def __post_init__(self) -> None:
        self.world = World(self.cluster, self._moment)
        self.event_log = CrashingEventLog((), self._moment)
        found = gather(self.cluster, self.world.look)
        self.facts = found.model_copy(update={"overlaps": self.cluster.clients.overlap is True})
        self.first = self.world_now()

    @classmethod
    def behind(cls, cluster: Cluster, left: Left) -> "Scenario":
        """The orchestrator has crashed, and a new process begins."""
        scenario = cls(cluster)
        scenario.world = left.world.copied(scenario._moment)
        scenario.event_log = CrashingEventLog(left.events, scenario._moment)
        return scenario

    def world_now(self) -> object:
        return deepcopy(self.world.snapshot())

    def _moment(self, name: str) -> None:
        if not self.is_armed:
            return
        if self.how == "copied":
            self._copy(name)
        if self.is_dying:  # the script on the host goes on without us, then we are gone
            if not name.startswith("host"):
                raise CrashError
            return
        if len(self.moments) == self.crash_at:
            if self.how == "reboot" and name.startswith("host"):
                self.is_armed = False
                self.world.reboot(name.split()[2])
            if self.how == "orchestrator":
                if not name.startswith("host"):
                    raise CrashError
                self.is_dying = True
        self.moments.append(name)
        if name.startswith("host after"):
            check_invariants(self.world)

    def _copy(self, name: str) -> None:
        """Keep what a crash here leaves; a script on a host goes on, so there it is what its end leaves."""
        self.waiting.append(name)
        if not name.startswith("host"):
            world = self.world.copied(lambda _: None)
            self.left.append(Left(tuple(self.waiting), world, tuple(self.event_log.events)))
            self.waiting.clear()

    def walk(self, make: Callable[..., Runbook]) -> None:
        runbook = self.compile(make)
        begin(self.event_log, runbook, self.facts)
        context = RunContext(self.cluster.patience, sleep=lambda _: None)
        run(runbook, LiveExecutor(self.world), self.event_log, context)

    def compile(self, make: Callable[..., Runbook]) -> Runbook:
        """Compile a way once for all scenarios: their worlds begin alike."""
        key = (self.cluster.name, make.__name__, self.facts.model_dump_json())
        if key not in COMPILED:
            COMPILED[key] = make(self.cluster, self.facts, MIGRATIONS["bridge"])
        return COMPILED[key]

    def walk_into_crash(self, make: Callable[..., Runbook]) -> None:
        with pytest.raises((CrashError, OrchestratorError)):
            self.walk(make)
        self.revive()

    def lose_state_file(self) -> None:
        """Go on with what the hosts themselves remember."""
        ways = [self.compile(make) for make in WAYS]
        hosts = {**self.world.hosts, **self.world.proxies}
        begun = {name: list(dict.fromkeys(host.begun)) for name, host in hosts.items()}
        events = retell(header(self.facts, ways[0]), ways, begun)
        self.event_log = CrashingEventLog(events, self._moment)

    def revive(self) -> None:
        """Come back: what is on disk is all that is left."""
        self.is_armed = True
        self.is_dying = False
        self.crash_at = -1
        self.event_log = CrashingEventLog(tuple(self.event_log.events), self._moment)


class CrashingEventLog(MemoryEventLog):
    """A event log with a moment before and after each event is on disk."""

    def __init__(self, events: tuple[Recorded, ...], moment: Callable[[str], None]) -> None:
        super().__init__(events)
        self._moment = moment

    def append(self, event: Recorded) -> None:
        self._moment(f"before event {event.event}")
        super().append(event)
        self._moment(f"after event {event.event}")


def check_invariants(world: World) -> None:
    """At most one member is away, and every member that runs would survive the loss of all connections."""
    away = [host.name for host in world.hosts.values() if not host.is_running]
    assert len(away) <= 1
    for host in world.hosts.values():
        if host.is_running:
            assert world.reaches_quorum(host), f"{host.name} would be cut off"


def clean_run(cluster: Cluster) -> Scenario:
    scenario = Scenario(cluster)
    scenario.walk(compile_forward)
    return scenario


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    cluster = make_cluster(
        tmp_path_factory.mktemp("pki"), proxies=1, local="none"
    )  # https is all it has left
    return cluster.model_copy(update={"clients": Clients(overlap=True)})


@pytest.fixture(scope="module")
def there(cluster: Cluster) -> Scenario:
    """A run without faults, with what a crash at each of its moments leaves."""
    scenario = Scenario(cluster, "copied")
    scenario.walk(compile_forward)
    assert scenario.moments == [name for left in scenario.left for name in left.moments]
    return scenario


@pytest.fixture(scope="module")
def undone(cluster: Cluster) -> Scenario:
    """The undo of a whole run, with what a crash at each of its moments leaves."""
    scenario = clean_run(cluster)
    scenario.how = "copied"
    before = len(scenario.moments)
    scenario.walk(compile_backward)
    assert scenario.moments[before:] == [name for left in scenario.left for name in left.moments]
    return scenario


def test_a_run_without_faults_restarts_every_member_twice_and_seals_it(cluster: Cluster) -> None:
    scenario = clean_run(cluster)

    assert [2, 2, 2] == [host.restarts for host in scenario.world.hosts.values()]
    ends = {**dict.fromkeys(scenario.world.hosts, "sealed"), "proxy1": "relaying-safely"}
    assert ends == scenario.event_log.progress.states
    assert all(
        peers
        == {
            "peers": [f"https://{host.address}:2380"],
            "clients": [f"https://{host.address}:2379", f"https://{host.address}:2378"],
        }
        for host in scenario.world.hosts.values()
        for peers in (scenario.world.registry[host.id],)
    )


@pytest.mark.exhaustive
def test_a_crash_leaves_what_was_copied_at_its_moment(cluster: Cluster, there: Scenario) -> None:
    number = 0
    for left in there.left:
        for name in left.moments:
            scenario = Scenario(cluster, "orchestrator", number)
            scenario.walk_into_crash(compile_forward)

            assert there.moments[number] == name
            assert memory(left.world) == memory(scenario.world), f"moment {number}: {name}"
            assert untimed(left.events) == untimed(scenario.event_log.events), f"moment {number}: {name}"
            number += 1


def memory(world: World) -> object:
    """Everything that a world consists of, but for who watches it."""
    return {name: value for name, value in vars(world).items() if name not in {"moment", "cluster"}}


def untimed(events: Iterable[Recorded]) -> list[Recorded]:
    return [event.model_copy(update={"at": 0.0, "took_s": 0.0, "spans": ()}) for event in events]


@pytest.mark.exhaustive
@pytest.mark.parametrize("when", ["at once", "hours later"])
def test_a_crash_anywhere_then_resume_reaches_the_same_world(
    cluster: Cluster, there: Scenario, when: str
) -> None:
    assert len(there.moments) > 200
    for left in there.left:
        scenario = Scenario.behind(cluster, left)
        if when == "hours later":  # each trial has ended by itself
            for host in scenario.world.hosts.values():
                host.end_trial()
        scenario.walk(compile_forward)

        assert there.world_now() == scenario.world_now(), left.moments
        assert [2, 2, 2] == [host.restarts for host in scenario.world.hosts.values()], left.moments


@pytest.mark.exhaustive
@pytest.mark.parametrize("goes_on", WAYS)
def test_a_reboot_anywhere_then_resume_or_undo_reaches_the_last_or_the_first_world(
    cluster: Cluster, there: Scenario, goes_on: Callable[..., Runbook]
) -> None:
    last = there.first if goes_on is compile_backward else there.world_now()
    cases = 0
    for moment, name in enumerate(there.moments):
        if not name.startswith("host"):
            continue
        scenario = Scenario(cluster, "reboot", moment)
        scenario.walk_into_crash(compile_forward)
        scenario.walk(goes_on)

        assert last == scenario.world_now(), f"moment {moment}: {name}"
        cases += 1
    assert cases > 60


@pytest.mark.exhaustive
def test_a_crash_anywhere_then_undo_reaches_the_first_world(cluster: Cluster, there: Scenario) -> None:
    for left in there.left:
        scenario = Scenario.behind(cluster, left)
        scenario.walk(compile_backward)

        assert scenario.first == scenario.world_now(), left.moments


@pytest.mark.exhaustive
def test_a_crash_anywhere_in_the_undo_then_undo_again_reaches_the_first_world(
    cluster: Cluster, undone: Scenario
) -> None:
    for left in undone.left:
        scenario = Scenario.behind(cluster, left)
        scenario.walk(compile_backward)

        assert scenario.first == scenario.world_now(), left.moments


@pytest.mark.exhaustive
def test_a_crash_in_the_undo_then_resume_reaches_the_last_world(
    cluster: Cluster, there: Scenario, undone: Scenario
) -> None:
    for left in undone.left:
        scenario = Scenario.behind(cluster, left)
        scenario.walk(compile_forward)

        assert there.world_now() == scenario.world_now(), left.moments


@pytest.mark.exhaustive
@pytest.mark.parametrize("goes_on", WAYS)
def test_a_crash_anywhere_and_the_state_file_lost_then_on_or_back(
    cluster: Cluster, there: Scenario, goes_on: Callable[..., Runbook]
) -> None:
    last = there.first if goes_on is compile_backward else there.world_now()
    for left in there.left:
        scenario = Scenario.behind(cluster, left)
        scenario.lose_state_file()
        scenario.walk(goes_on)

        assert last == scenario.world_now(), left.moments


@pytest.mark.exhaustive
@pytest.mark.parametrize("goes_on", WAYS)
def test_a_crash_in_the_undo_and_the_state_file_lost_then_on_or_back(
    cluster: Cluster, there: Scenario, undone: Scenario, goes_on: Callable[..., Runbook]
) -> None:
    last = there.first if goes_on is compile_backward else there.world_now()
    for left in undone.left:
        scenario = Scenario.behind(cluster, left)
        scenario.lose_state_file()
        scenario.walk(goes_on)
        scenario.lose_state_file()
        scenario.walk(goes_on)

        assert last == scenario.world_now(), left.moments


@pytest.mark.exhaustive
def test_no_step_that_succeeded_is_started_again(cluster: Cluster, there: Scenario) -> None:
    for left in there.left:
        scenario = Scenario.behind(cluster, left)
        scenario.walk(compile_forward)

        done: set[str] = set()
        for event in scenario.event_log.events:
            if isinstance(event, StepStarted):
                assert event.step not in done
                done.discard(event.step.removeprefix("undo-"))  # a round that is taken together, taken anew
            if isinstance(event, StepSucceeded):
                done.add(event.step)
                done.discard(f"undo-{event.step}")


def test_a_second_run_has_nothing_to_do(cluster: Cluster) -> None:
    scenario = clean_run(cluster)
    before = len(scenario.world.performed)
    scenario.walk(compile_forward)

    assert before == len(scenario.world.performed)
