"""What a run looks like from outside: a fold over its events, which knows nothing else; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from statistics import median
from typing import Self

from orchestrator.engine.events import (
    Account,
    Event,
    HandedOver,
    Opened,
    Recorded,
    RoundBegan,
    RunBegan,
    RunEnded,
    StepFailed,
    StepStarted,
    StepSucceeded,
    Waiting,
    Walked,
)
from orchestrator.engine.progress import Progress
from orchestrator.errors import RefusedError
from orchestrator.etcd import kept
from orchestrator.host import names
from orchestrator.migrations.table import ROLES, Migration, Speaks, hosts_of
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Cluster, Host

_BOTH = "http+https"


@dataclass(frozen=True)
class Course:
    """The way of a run: the cluster of its plan, its migration as that plan has it, and its first line."""

    cluster: Cluster
    migration: Migration
    opened: Opened

    @cached_property
    def tracks(self) -> Mapping[str, tuple[str, ...]]:
        """The states of each host, in the order in which it passes through them."""
        states = {role: tuple(state.name for state in self.migration.track(role)) for role in ROLES}
        return {
            host.name: states[role] for role in ROLES for host in hosts_of(self.cluster, role) if states[role]
        }

    @property
    def members(self) -> tuple[str, ...]:
        """The members' names, in the plan's order."""
        return tuple(member.name for member in self.cluster.members)

    def version(self, host: Host) -> str:
        """Return the version of a host's etcd as it was found before the first change; a dash without one."""
        facts = self.opened.facts
        found = facts.members.get(host.name) or facts.proxies.get(host.name)
        return found.version if found else "-"

    def speaks(self, host: Host, state: str) -> tuple[str, str]:
        """Return the schemes of a host's listeners in a state: for clients, and for peers."""
        found: Speaks = next(one.speaks for one in self.migration.states if one.name == state)
        target = Target(self.cluster, self.opened.facts, host)
        if host.name not in self.members:
            return found.clients, found.peers
        overlap = _BOTH if self.opened.facts.overlaps else "http"
        clients = overlap if found.clients == "both" else found.clients
        return (
            "https" if kept.keeps_clients(target) else clients,
            "https" if kept.keeps_peers(target) else found.peers,
        )


@dataclass(frozen=True, slots=True)
class View:
    """A run as its events tell it so far.

    ``leader`` is who led when somebody last looked. ``began`` and ``total`` (steps) are of the process that
    is at work, as are ``taken`` and ``restarts``. ``flight`` is the step under way, ``handing`` what comes
    before it, ``waiting`` what does not hold yet, since ``waiting_since``. ``took_s`` are the steps so far by
    their round. ``account`` is what the process's witness has seen, as far as that was noted;
    ``behind`` how many raft entries members were behind when last looked at, and that was noted at
    ``behind_at``.
    """

    course: Course
    progress: Progress
    leader: str | None = None
    began: RunBegan | None = None
    total: int = 0
    taken: int = 0
    restarts: int = 0
    flight: StepStarted | None = None
    handing: HandedOver | None = None
    waiting: tuple[str, ...] = ()
    waiting_since: datetime | None = None
    took_s: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    longest: StepSucceeded | None = None
    ended: RunEnded | None = None
    account: Account | None = None
    behind: Mapping[str, int] = field(default_factory=dict)
    behind_at: datetime | None = None

    @classmethod
    def of(cls, events: Iterable[Recorded], cluster: Cluster, migration: Migration) -> Self | None:
        """Fold a state file's events; None if there are none. Raises RefusedError for another plan's."""
        first, *rest = events or (None,)
        if not isinstance(first, Opened):
            return None
        theirs = (first.cluster, first.migration, {*first.facts.members}, {*first.facts.proxies})
        hosts = [{host.name for host in hosts} for hosts in (cluster.members, cluster.proxies)]
        if theirs != (cluster.name, migration.name, *hosts):
            raise RefusedError("the state file tells of a run of another plan")
        view = cls(Course(cluster, migration, first), Progress.of([first]))
        for event in rest:
            view = view.after(event)
        return view

    def after(self, event: Event) -> Self:
        """Take one more event in."""
        if isinstance(event, Waiting):
            return replace(self, waiting=event.reasons, waiting_since=self.waiting_since or event.at)
        try:
            moved = replace(self, progress=self.progress.after(event), waiting=(), waiting_since=None)
            folded = moved.folded(event)
        except ValueError as error:
            raise RefusedError(f"the state file tells of a run of another plan: {error}") from error
        if isinstance(event, Walked) and event.account:
            folded = replace(folded, account=event.account)
        if isinstance(event, Walked) and event.behind:
            folded = replace(folded, behind=event.behind, behind_at=event.at)
        return folded

    def folded(self, event: Recorded) -> Self:
        """Take in what an event tells beside how far the run has come."""
        changed: dict[str, object] = {}
        match event:
            case RunBegan():
                return self._taken_up(event)
            case StepSucceeded():
                return self._succeeded(event)
            case RoundBegan():
                changed["leader"] = event.last or self.leader
            case HandedOver():
                changed["handing"] = event
            case StepStarted():
                leader = self.handing.successor if self.handing else self.leader
                is_lost = event.restarts and leader == event.host
                changed |= {"flight": event, "handing": None, "leader": None if is_lost else leader}
            case StepFailed():
                changed["flight"] = None
            case RunEnded():
                changed |= {"flight": None, "handing": None, "ended": event}
            case _:
                pass
        return replace(self, **changed)  # type: ignore[arg-type] # the names are those of the fields above

    def _taken_up(self, event: RunBegan) -> Self:
        """Return it as a process takes it up: what that one does is counted anew."""
        tracks = self.course.tracks
        is_back = event.direction == "back"
        total = self.progress.steps_back(tracks) if is_back else sum(len(one) - 1 for one in tracks.values())
        return type(self)(
            self.course, self.progress, leader=self.leader, began=event, total=total, took_s=self.took_s
        )

    def _succeeded(self, event: StepSucceeded) -> Self:
        flight, round_ = self.flight, self.round_of(event.step)
        took_s = () if event.is_adopted else (event.took_s,)
        is_longest = self.longest is None or event.took_s > self.longest.took_s
        return replace(
            self,
            flight=None,
            taken=self.taken + 1,
            restarts=self.restarts + bool(flight and flight.restarts),
            took_s={**self.took_s, round_: (*self.took_s.get(round_, ()), *took_s)},
            longest=event if is_longest else self.longest,
        )

    @staticmethod
    def round_of(step: str) -> str:
        """Return a step's round."""
        return names.round_and_host(step)[0]

    @property
    def _stood(self) -> int:
        """How many steps the hosts have behind them, by where they stand."""
        states, tracks = self.progress.states, self.course.tracks
        return sum(track.index(states.get(host, track[0])) for host, track in tracks.items())

    @property
    def done(self) -> int:
        """How many of its steps are done; on the way there the steps of all processes count."""
        return self.taken if self.progress.direction == "back" else self._stood

    @property
    def number(self) -> int:
        """Which step is under way, or comes next; of several that are under way the latest."""
        under_way = max(1, len(self.progress.steps))
        return min(self.total, self.done + under_way)

    @property
    def expected_s(self) -> float | None:
        """How long the step under way should take: as long as those of its round did in this run, if any."""
        so_far = self.took_s.get(self.round_of(self.flight.step), ()) if self.flight else ()
        return median(so_far) if so_far else None

    @property
    def away(self) -> tuple[str, ...]:
        """Members that a step has taken away, and that are not known to be back."""
        begun = self.progress.begun
        return tuple(
            host
            for host, doubt in self.progress.unsettled.items()
            if host in self.course.members and begun[doubt.step].event.restarts
        )

    @property
    def can_lose(self) -> int:
        """How many more members may go away before there is no quorum; negative where there is none."""
        count = len(self.course.members)
        return count - len(self.away) - (count // 2 + 1)

    @property
    def steps_back(self) -> int:
        """How many steps would undo everything."""
        return self.progress.steps_back(self.course.tracks)
