"""Which way to the members is open: http until every one of them serves https, then https for good."""

import threading
from collections.abc import Callable, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Literal

from orchestrator.probe.http_session import Endpoint


class Stage(Enum):
    """Over what the members are to be asked; ``EXTRA`` is https on a port of its own, beside http."""

    HTTP = "http"
    EXTRA = "https on the extra port"
    HTTPS = "https"


RANKS = MappingProxyType(  # of http, of https on the extra port, and of https on the client port
    {Stage.HTTP: (0, 2, 1), Stage.EXTRA: (2, 0, 1), Stage.HTTPS: (2, 1, 0)}
)


class Way:
    """Looks from time to time what the members serve. ``answers`` asks one endpoint, and sees an answer.

    On the way back it leads to the extra port again as soon as a member's client port has left https, and to
    http if no member serves https any more, and one serves http. With ``is_going_back`` it leads to http as
    soon as every member serves that, as whoever moves their clients back in time does.
    """

    is_going_back = False

    def __init__(
        self,
        answers: Callable[[Endpoint], bool],
        addresses: Sequence[str],
        port: int,
        extra_port: int | None = None,
    ) -> None:
        self.stage = Stage.HTTP
        self._answers = answers
        self._addresses = tuple(addresses)
        self._port = port
        self._extra_port = extra_port

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where the members are to be asked now."""
        port = self._extra_port if self.stage is Stage.EXTRA and self._extra_port else self._port
        return self._at("http" if self.stage is Stage.HTTP else "https", port)

    def rank(self, endpoint: Endpoint) -> int:
        """Return how far from being the best one an endpoint is now."""
        http, extra, https = RANKS[self.stage]
        if endpoint.scheme == "http":
            return http
        return extra if endpoint.port == self._extra_port else https

    def look(self) -> None:
        """Look once. Plain http is spoken only where no member serves https any more, or on the way back."""
        if self.is_going_back and all(map(self._answers, self._at("http", self._port))):
            self.stage = Stage.HTTP
            return
        secure = self._at("https", self._port)
        extra = () if self._extra_port is None else self._at("https", self._extra_port)
        if all(map(self._answers, secure)):
            self.stage = Stage.HTTPS
        elif extra and all(map(self._answers, extra)):
            self.stage = Stage.EXTRA
        elif (
            self.stage is not Stage.HTTP
            and not any(map(self._answers, (*extra, *secure)))
            and any(map(self._answers, self._at("http", self._port)))
        ):
            self.stage = Stage.HTTP

    def follow(self, stop: threading.Event, pause_s: float) -> None:
        """Look again and again, until told to stop."""
        while not stop.wait(pause_s):
            self.look()

    def _at(self, scheme: Literal["http", "https"], port: int) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(scheme, address, port) for address in self._addresses)
