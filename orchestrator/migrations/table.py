"""What a migration is made of: states that own gates, and rounds that own a way there and a way back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, Self

from orchestrator.etcd.checks.gate import HostCheck
from orchestrator.etcd.checks.item import Item
from orchestrator.host import names
from orchestrator.host.checks import Poll
from orchestrator.host.operations import Operation
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Cluster, Host

DEADLINE_S = 60.0  # of a step's script; update-ca-certificates alone took over 30 s on a host short of CPU

Role = Literal["member", "proxy", "client host"]
ROLES: tuple[Role, ...] = ("member", "proxy", "client host")


def hosts_of(cluster: Cluster, role: Role) -> Sequence[Host]:
    """Return the hosts of a role, in the plan's order."""
    hosts: Mapping[Role, Sequence[Host]] = {
        "member": cluster.members,
        "proxy": cluster.proxies,
        "client host": cluster.clients.hosts,
    }
    return hosts[role]


Action = Callable[[Target], Iterable[Operation]]
HandOver = Callable[[Target, Target], Iterable[Operation]]
Election = Callable[[tuple[Target, ...]], Poll]


@dataclass(frozen=True, slots=True)
class Speaks:
    """The schemes of a host's listeners, for people: ``both`` is https beside http where the run overlaps."""

    clients: Literal["http", "both", "https", "-"]
    peers: Literal["http", "https", "-"]


HTTP, BOTH, HTTPS = Speaks("http", "http"), Speaks("both", "http"), Speaks("https", "https")
RELAYS = Speaks("http", "-")  # a proxy has no peers
SERVES_NOBODY = Speaks("-", "-")  # a host of clients alone


@dataclass(frozen=True, slots=True)
class State:
    """Where a host stands; ``gates`` are observably true of every host that stands there.

    ``overnight`` says whether it may be left like this for a night: "Yes" or "No", and why.
    """

    name: str
    meaning: str
    gates: tuple[HostCheck, ...]
    speaks: Speaks = HTTP
    overnight: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """In which order the members take a round, one after the other unless ``at_once``.

    Steps that are taken at once are judged by one look behind the last job. A round in which a unit is
    restarted is never taken so, and jobs that change what members share come one after the other all the same.
    ``last`` finds, when the round begins and before each step, the member that has to wait for all others;
    before its own step it hands that role over with the round's action. ``waits`` says whether there must be
    such a member before anything is done.
    """

    name: str
    last: Election | None = None
    waits: bool = True
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """What an operator has to know if a run stops in a round.

    ``is_urgent`` says that it has to be known of a healthy cluster too: it is no place to stay.
    """

    text: str
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One direction through a round: what is done to a host, and what differs from the other direction.

    ``hand_over`` is how the member that goes last gives that role away, for orders that have one. The others
    stand in for what would hold without them: ``order`` for the round's, ``always`` for the migration's own
    gates, and ``gates`` for those of the state that it leads to, where these ask for more than it brings
    about. ``proof`` are gates that have to hold once, behind the job, and need not go on holding.
    ``before`` are gates that have to hold when a step begins, since somebody outside loses by it otherwise:
    whoever insists goes on all the same.
    ``is_together`` says that what one host's step begins is needed by the others' proofs, and does not last:
    if not every host has taken it, whoever goes on undoes it where it was taken, and takes it anew.
    ``repeats``: what its gates see may be so although its job has not come to its end, so a step that began is
    never taken as done without it. ``deadline_s`` bounds its script on a host, in seconds.
    ``away`` are gates that hold of a host which a step has taken away, and which this way may bring back: if
    its step began and did not succeed, nobody else has to be well before it is taken again or undone.
    ``lost`` are gates that hold of a host which has nothing left to take away: if they go on holding for longer
    than an election takes, ``always`` need not hold before its step, which may heal it.
    ``advice`` is what an operator has to know if a run stops here.
    """

    actions: tuple[Action, ...]
    hand_over: HandOver | None = None
    order: Order | None = None
    always: tuple[HostCheck, ...] | None = None
    gates: tuple[HostCheck, ...] | None = None
    proof: tuple[HostCheck, ...] = ()
    before: tuple[HostCheck, ...] = ()
    is_together: bool = False
    repeats: bool = False
    deadline_s: float = DEADLINE_S
    away: tuple[HostCheck, ...] = ()
    lost: tuple[HostCheck, ...] = ()
    advice: Advice | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which plans have a round: ``said`` is what such a plan says, as it says it."""

    said: str
    by: Callable[[Cluster], bool]


@dataclass(frozen=True, slots=True)
class Round:
    """How every host of a role gets from one state to the next (``there``), and back.

    Whatever is true of one direction alone belongs to its way: what does not work may be the reason to go
    back, so the way back asks for less. Without ``wanted`` every plan has this round.
    """

    name: str
    source: State
    target: State
    usual_order: Order
    there: Way
    back: Way
    role: Role = "member"
    wanted: Wanted | None = None

    def __post_init__(self) -> None:
        for way in (self.there, self.back):
            order = way.order or self.usual_order
            if order.last and not way.hand_over:
                raise ValueError(f"round {self.name}: {order.name} needs handovers")

    @property
    def order(self) -> Order:
        """In which order the hosts take it."""
        return self.there.order or self.usual_order

    @property
    def reversed(self) -> Self:
        """The same round, undone: its two ways change places, and nothing else changes."""
        return replace(
            self,
            name=names.undone(self.name),
            source=self.target,
            target=self.source,
            there=self.back,
            back=self.there,
        )


@dataclass(frozen=True, slots=True)
class Migration:
    """A name, the gates that must hold before and after every step, and the rounds: a table.

    ``preflight`` is what is checked before the first change, beside the gates of the first states.
    ``losses`` says in plain words what clients lose by it, and when; a review begins with it.
    ``overlaps`` is whether it can serve clients in both schemes for a while.
    ``risk`` says in plain words what can go wrong by design; a run wants it accepted. Empty if nothing can.
    """

    name: str
    meaning: str
    always: tuple[HostCheck, ...]
    rounds: tuple[Round, ...]
    preflight: tuple[Item, ...] = ()
    risk: str = ""
    losses: str = ""
    overlaps: bool = False

    def __post_init__(self) -> None:
        named = [round_.name for round_ in self.rounds] + [state.name for state in self.states]
        if len(set(named)) < len(named):
            raise ValueError(f"migration {self.name}: a name is used twice")
        for role in ROLES:
            for before, after in pairwise(self.rounds_of(role)):
                if before.target is not after.source:
                    raise ValueError(f"{self.name}: {after.name} does not begin where {before.name} ends")

    def of(self, cluster: Cluster) -> Self:
        """The migration with those rounds alone that the cluster's plan has; they leave no gap."""
        rounds: list[Round] = []
        for round_ in self.rounds:
            if round_.wanted is None or round_.wanted.by(cluster):
                before = next((one.target for one in reversed(rounds) if one.role == round_.role), None)
                rounds.append(replace(round_, source=before or round_.source))
        return replace(self, rounds=tuple(rounds))

    @property
    def reversed(self) -> Self:
        """The way back: the same rounds undone, the last one first. Clients that speak http lose nothing."""
        return replace(self, rounds=tuple(round_.reversed for round_ in reversed(self.rounds)), losses="")

    @property
    def states(self) -> tuple[State, ...]:
        """Every state of every role."""
        return tuple(state for role in ROLES for state in self.track(role))

    def rounds_of(self, role: Role) -> tuple[Round, ...]:
        """Rounds that hosts of a role take."""
        return tuple(round_ for round_ in self.rounds if round_.role == role)

    def track(self, role: Role) -> tuple[State, ...]:
        """Every state of a role, in the order in which a host comes to stand there."""
        rounds = self.rounds_of(role)
        return (rounds[0].source, *(round_.target for round_ in rounds)) if rounds else ()
