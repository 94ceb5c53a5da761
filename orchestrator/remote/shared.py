"""What several threads use: one of them opens it while the others wait, and what is broken is replaced."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from orchestrator.errors import HostUnreachableError, LoginRefusedError

Opened = TypeVar("Opened")


class Shared(Generic[Opened]):
    """One connection, or the like; ``is_open`` says whether it can be used still."""

    def __init__(self, is_open: Callable[[Opened], bool], clock: Callable[[], float]) -> None:
        self._is_open = is_open
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: tuple[float, HostUnreachableError | LoginRefusedError] | None = None
        self.last: Opened | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is there, and can be used as far as is known."""
        return self.last is not None and self._is_open(self.last)

    def get(self, host: str, connect: Callable[[], Opened]) -> Opened:
        """Return it, connected for ``host`` if need be.

        Whoever waited while another failed fails with it: a silent host takes its time once, not from each.
        """
        came = self._clock()
        with self._lock:
            if self.last is not None and self._is_open(self.last):
                return self.last
            if self._failed and self._failed[0] >= came:
                error = self._failed[1]
                raise type(error)(host, error.reason) from error
            try:
                self.last = connect()
            except (HostUnreachableError, LoginRefusedError) as error:
                self._failed = self._clock(), error
                raise
            return self.last
