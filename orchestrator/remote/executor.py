"""What the engine asks of whatever touches the hosts."""

from collections.abc import Iterable
from typing import Protocol

from orchestrator.operations import Answers, Check, Deed, Receipt


class Executor(Protocol):
    """Looks at hosts and performs deeds on them."""

    def look(self, checks: Iterable[Check]) -> Answers:
        """Answer every check, equal ones once; raises HostUnreachableError or LoginRefusedError."""
        ...

    def perform(self, deed: Deed) -> Receipt:
        """Perform a deed, or, if a deed of this id was performed before, return its receipt.

        Raises HostUnreachableError if the connection was lost and the receipt could not be read: the deed is
        then in doubt.
        """
        ...
