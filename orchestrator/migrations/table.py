"""What a migration is made of: states that own gates, and rounds that own actions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from orchestrator.checks import Poll
from orchestrator.cluster.facts import Subject
from orchestrator.etcd.asking import GateMaker
from orchestrator.operations import Operation

Role = Literal["member", "proxy"]
ROLES: tuple[Role, ...] = ("member", "proxy")

Action = Callable[[Subject], Iterable[Operation]]
HandOver = Callable[[Subject, Subject], Iterable[Operation]]
Election = Callable[[tuple[Subject, ...]], Poll]


@dataclass(frozen=True, slots=True)
class State:
    """Where a host stands; ``gates`` are observably true of every host that stands there."""

    name: str
    meaning: str
    gates: tuple[GateMaker, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """In which order the members take a round, one after the other.

    ``last`` finds, when the round begins and before each step, the member that has to wait for all others;
    before its own step it hands that role over with the round's action. ``waits`` says whether there must be
    such a member before anything is done.
    """

    name: str
    last: Election | None = None
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Advice:
    """What an operator has to know if a run stops in a round.

    ``is_urgent`` says that it has to be known of a healthy cluster too: it is no place to stay.
    """

    text: str
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """How every host of a role gets from one state to the next, and back.

    ``hand_over`` and ``hand_back`` are the handovers on the way there and on the way back, for orders that
    have a last member. ``always`` and ``undo_always`` stand in for the migration's own gates, there and back.
    ``undo_order`` stands in for ``order`` on the way back, and ``undo_gates`` for the source's gates, where
    these ask for more than the undo brings about: what does not work may be the reason to go back.
    So does ``gates`` for the target's on the way there. ``advice`` and ``undo_advice`` are what an operator
    has to know if a run stops in this round, there and back.
    ``proof`` are gates that have to hold once, behind the round's deed, and need not go on holding.
    """

    name: str
    source: State
    target: State
    order: Order
    do: tuple[Action, ...]
    undo: tuple[Action, ...]
    hand_over: HandOver | None = None
    hand_back: HandOver | None = None
    role: Role = "member"
    always: tuple[GateMaker, ...] | None = None
    undo_always: tuple[GateMaker, ...] | None = None
    undo_order: Order | None = None
    gates: tuple[GateMaker, ...] | None = None
    undo_gates: tuple[GateMaker, ...] | None = None
    proof: tuple[GateMaker, ...] = ()
    advice: Advice | None = None
    undo_advice: Advice | None = None

    def __post_init__(self) -> None:
        if self.order.last and not (self.hand_over and self.hand_back):
            raise ValueError(f"round {self.name}: {self.order.name} needs handovers")


@dataclass(frozen=True, slots=True)
class Migration:
    """A name, the gates that must hold before and after every step, and the rounds: a table.

    ``losses`` says in plain words what clients lose by it, and when; a review begins with it.
    ``risk`` says in plain words what can go wrong by design; a run wants it accepted. Empty if nothing can.
    """

    name: str
    meaning: str
    always: tuple[GateMaker, ...]
    rounds: tuple[Round, ...]
    risk: str = ""
    losses: str = ""

    def __post_init__(self) -> None:
        names = [round_.name for round_ in self.rounds] + [state.name for state in self.states]
        if len(set(names)) < len(names):
            raise ValueError(f"migration {self.name}: a name is used twice")
        for role in ROLES:
            for before, after in pairwise(self.rounds_of(role)):
                if before.target is not after.source:
                    raise ValueError(f"{self.name}: {after.name} does not begin where {before.name} ends")

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
