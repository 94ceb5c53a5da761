"""Who is let in: ask a port as a friend, as a stranger, or without encryption, and see what happens."""

import socket
import ssl
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from orchestrator.lab.provisioning import credentials
from orchestrator.plan.model import Cluster
from orchestrator.probe import http_session

PATIENCE_S = 5.0


class Visitor(StrEnum):
    """Who probes."""

    PLAIN = "plain http"
    NAMELESS = "https, no certificate"
    STRANGER = "https, a stranger's certificate"
    FRIEND = "https, our certificate"


class Reception(StrEnum):
    """What became of a request. ``MISTRUSTED``: we refused them: we do not trust their certificate."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    MISTRUSTED = "mistrusted"


def visitors(cluster: Cluster) -> Mapping[Visitor, ssl.SSLContext | None]:
    """Return how each visitor comes; all trust the cluster's authority, so only they can be refused."""
    tls, other = cluster.tls, credentials.stranger(cluster)
    ca = str(tls.ca)
    return MappingProxyType(
        {
            Visitor.PLAIN: None,
            Visitor.NAMELESS: http_session.trusting(ca),
            Visitor.STRANGER: http_session.trusting(ca, str(other.certificate), str(other.key)),
            Visitor.FRIEND: http_session.trusting(ca, str(tls.client_certificate), str(tls.client_key)),
        }
    )


def request(address: str, port: int, context: ssl.SSLContext | None, path: str = "/version") -> Reception:
    """Ask for a path, over TLS if there is a context; any answer but 200 is a refusal."""
    try:
        connection = socket.create_connection((address, port), timeout=PATIENCE_S)
    except OSError:
        return Reception.UNREACHABLE
    with connection:
        try:
            if context is None:
                return _ask(connection, address, path)
            with context.wrap_socket(connection, server_hostname=address) as encrypted:
                return _ask(encrypted, address, path)
        except ssl.SSLCertVerificationError:
            return Reception.MISTRUSTED
        except TimeoutError:
            return Reception.UNREACHABLE
        except OSError:
            return Reception.REFUSED


def _ask(connection: socket.socket, address: str, path: str) -> Reception:
    host = f"[{address}]" if ":" in address else address
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    status = connection.makefile("rb").readline(1024).split()  # TLS 1.3 tells of a refusal only here
    return Reception.ANSWERED if status[1:2] == [b"200"] else Reception.REFUSED
