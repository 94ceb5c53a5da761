"""How the prober reaches the members: each over HTTP and over HTTPS, on one port."""

import ssl
import time
from dataclasses import dataclass

from orchestrator.lab.failover import FailoverClient
from orchestrator.lab.gateway import Endpoint, Session

PATIENCE_S = 5.0  # with one request, on all endpoints together


@dataclass(frozen=True, slots=True)
class Reach:
    """The members' addresses and client port, what to trust and show over TLS, patience with one try."""

    addresses: tuple[str, ...]
    port: int
    trust: ssl.SSLContext
    try_timeout_s: float

    def member(self, address: str) -> tuple[Session, Session]:
        """Return sessions with one member: over HTTP, and over HTTPS."""
        return (
            Session(Endpoint("http", address, self.port), None, timeout_s=self.try_timeout_s),
            Session(Endpoint("https", address, self.port), self.trust, timeout_s=self.try_timeout_s),
        )

    def client(self) -> FailoverClient:
        """Return a client of all members: over HTTP for as long as anyone answers there, then over HTTPS."""
        both = [self.member(address) for address in self.addresses]
        sessions = [http for http, _ in both] + [https for _, https in both]
        return FailoverClient(sessions, patience_s=PATIENCE_S, clock=time.monotonic, sleep=time.sleep)
