"""What several threads use: one of them opens it while the others wait, and what is broken is replaced."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Generic, TypeVar

from orchestrator.errors import HostUnreachableError, LoginRefusedError

Opened = TypeVar("Opened")


class Shared(Generic[Opened]):
    """One connection, or the like: ``is_open`` says whether it can be used still, ``close`` lets go of it."""

    def __init__(self, is_open: Callable[[Opened], bool], close: Callable[[Opened], None]) -> None:
        self._is_open = is_open
        self._close = close
        self._lock = threading.Lock()
        self._opening: Future[Opened] | None = None
        self._is_closed = False
        self.last: Opened | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is there, and can be used as far as is known."""
        return self.last is not None and self._is_open(self.last)

    def get(self, host: str, connect: Callable[[], Opened]) -> Opened:
        """Return it, connected for ``host`` if need be; HostUnreachableError once it was closed.

        Whoever waits while another fails to connect fails with it: a silent host takes its time once.
        """
        ours: Future[Opened] = Future()
        with self._lock:
            if self._is_closed:
                raise _closed(host)
            if self.last is not None and self._is_open(self.last):
                return self.last
            opening = self._opening = self._opening or ours
        if opening is ours:
            self._open(host, connect, ours)
        try:
            return opening.result()
        except (HostUnreachableError, LoginRefusedError) as error:
            if opening is ours:
                raise
            raise type(error)(host, error.reason) from error

    def close(self) -> None:
        """Close it for good."""
        with self._lock:
            self._is_closed = True
        if self.last is not None:
            self._close(self.last)

    def _open(self, host: str, connect: Callable[[], Opened], opening: "Future[Opened]") -> None:
        """Connect; those who wait hear what came of it, and those who come later try anew."""
        try:
            tell = partial(opening.set_result, self._connected(host, connect))
        except BaseException as error:  # noqa: BLE001 -- who waits has to hear of it, whatever it is
            tell = partial(opening.set_exception, error)
        with self._lock:  # who reads it takes it for the one that is under way
            self._opening = None
        tell()

    def _connected(self, host: str, connect: Callable[[], Opened]) -> Opened:
        if self.last is not None:  # it is broken, and may hold something still
            self._close(self.last)
        opened = self.last = connect()
        if self._is_closed:  # meanwhile
            self._close(opened)
            raise _closed(host)
        return opened


def _closed(host: str) -> HostUnreachableError:
    return HostUnreachableError(host, "the connection was closed by us")
