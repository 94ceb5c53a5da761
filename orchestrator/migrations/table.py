"""What a migration is made of: states that own gates, and rounds that own actions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrator.cluster.facts import Subject
from orchestrator.etcd.asking import GateMaker
from orchestrator.operations import Operation, Poll

Action = Callable[[Subject], Iterable[Operation]]
HandOver = Callable[[Subject, Subject], Iterable[Operation]]
Election = Callable[[tuple[Subject, ...]], Poll]


@dataclass(frozen=True, slots=True)
class State:
    """Where a member stands; ``gates`` are observably true of every member that stands there."""

    name: str
    meaning: str
    gates: tuple[GateMaker, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """In which order the members take a round, one after the other.

    ``last`` finds, when the round begins and before each step, the member that has to wait for all others;
    before its own step it hands that role over with the round's action.
    """

    name: str
    last: Election | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """How every member gets from one state to the next, and back.

    ``hand_over`` and ``hand_back`` are the handovers on the way there and on the way back, for orders that
    have a last member.
    """

    name: str
    source: State
    target: State
    order: Order
    do: tuple[Action, ...]
    undo: tuple[Action, ...]
    hand_over: HandOver | None = None
    hand_back: HandOver | None = None

    def __post_init__(self) -> None:
        if self.order.last and not (self.hand_over and self.hand_back):
            raise ValueError(f"round {self.name}: {self.order.name} needs handovers")


@dataclass(frozen=True, slots=True)
class Migration:
    """A name, the gates that must hold before and after every step, and the rounds: a table."""

    name: str
    meaning: str
    always: tuple[GateMaker, ...]
    rounds: tuple[Round, ...]

    def __post_init__(self) -> None:
        names = [round_.name for round_ in self.rounds] + [state.name for state in self.states]
        if len(set(names)) < len(names):
            raise ValueError(f"migration {self.name}: a name is used twice")
        for before, after in zip(self.rounds, self.rounds[1:], strict=False):
            if before.target is not after.source:
                raise ValueError(
                    f"migration {self.name}: {after.name} does not begin where {before.name} ends"
                )

    @property
    def states(self) -> tuple[State, ...]:
        """Every state, in the order in which a member comes to stand there."""
        return (self.rounds[0].source, *(round_.target for round_ in self.rounds))
