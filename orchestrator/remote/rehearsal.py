"""The dry run's executor: it sees what is real, and assumes that every deed goes well."""

from collections.abc import Sequence

from orchestrator.host.checks import Check, Poll
from orchestrator.host.operations import Deed, Receipt
from orchestrator.remote.executor import Executor, Refusal


class RehearsalExecutor:
    """Touches nothing; ``deeds`` holds what a live run would have done, in its order.

    Until the first deed everything that it sees is real, so a dry run finds what a live run's first gates
    would find. From then on gates are taken to hold, and leadership to stay where the last handover put it,
    or, where nobody leads until such deeds are done, with the host of the last one.
    """

    def __init__(self, live: Executor) -> None:
        self._live = live
        self._successor: str | None = None
        self.deeds: list[Deed] = []

    def refusals(self, gates: Sequence[Check]) -> tuple[Refusal, ...]:
        """Look for real before the first deed; afterwards all gates hold."""
        return () if self.deeds else self._live.refusals(gates)

    def poll(self, poll: Poll) -> str | None:
        """Return what the last handover brought about, or else what is real, or else who it may well be."""
        found = self._successor or self._live.poll(poll)
        return found or (self.deeds[-1].host if self.deeds else None)

    def perform(self, deed: Deed) -> Receipt:
        """Note the deed down."""
        self.deeds.append(deed)
        self._successor = deed.successor or self._successor
        return Receipt(0, "")
