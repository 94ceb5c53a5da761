"""How a prober reaches the members: each over HTTP and over HTTPS, or through endpoints that it is given."""

import ssl
import time
from dataclasses import dataclass

from orchestrator.lab.failover import FailoverClient, LoyalClient
from orchestrator.lab.gateway import Endpoint, Session


@dataclass(frozen=True, slots=True)
class Reach:
    """The members' addresses and client port, what to trust and show over TLS.

    ``endpoints``, if there are any, are what a loyal client uses instead of the members. ``patience_s`` is
    for one request on all endpoints together, ``try_timeout_s`` for one try.
    """

    addresses: tuple[str, ...]
    port: int
    trust: ssl.SSLContext
    try_timeout_s: float
    endpoints: tuple[Endpoint, ...] = ()
    patience_s: float = 5.0

    def member(self, address: str) -> tuple[Session, Session]:
        """Return sessions with one member: over HTTP, and over HTTPS."""
        return (
            Session(Endpoint("http", address, self.port), None, timeout_s=self.try_timeout_s),
            Session(Endpoint("https", address, self.port), self.trust, timeout_s=self.try_timeout_s),
        )

    def client(self) -> FailoverClient:
        """Return a loyal client of the endpoints; without them, a client of all members.

        That one goes over HTTP for as long as anyone answers there, then over HTTPS.
        """
        if self.endpoints:
            own = [Session(each, self.trust, timeout_s=self.try_timeout_s) for each in self.endpoints]
            return LoyalClient(own, patience_s=self.patience_s, clock=time.monotonic, sleep=time.sleep)
        both = [self.member(address) for address in self.addresses]
        sessions = [http for http, _ in both] + [https for _, https in both]
        return FailoverClient(sessions, patience_s=self.patience_s, clock=time.monotonic, sleep=time.sleep)
