"""Who listens on a host, by its kernel, and what listeners answer: to us, and to each other."""

import re
from dataclasses import dataclass

from orchestrator.etcd import stages
from orchestrator.host.questions import Answer, Fact, HttpProbe, Script
from orchestrator.plan.facts import Target
from orchestrator.text import shown

SOCKETS = "exec ss --no-header --listening --tcp --numeric --processes"

_EVERYWHERE = {"*", "0.0.0.0", "::"}  # noqa: S104 -- read in what the host tells; nothing is bound here
_PROCESS = re.compile(r'\("(?P<name>[^"]*)",pid=(?P<pid>\d+)')


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket; ``address`` has no brackets and no interface, ``pids`` are its processes'."""

    address: str
    port: int
    pids: frozenset[int]
    program: str

    @property
    def stop(self) -> str:
        """How that program is stopped: by its unit if it has one."""
        pids = " ".join(map(str, sorted(self.pids)))
        if not pids:
            return f"find its program (ss -ltnp sport = :{self.port}) and stop it"
        return (
            f"stop it: systemctl status {pids} shows its unit (systemctl stop UNIT); "
            f"if it has none: kill {pids}"
        )

    @property
    def takes_loopback(self) -> bool:
        """Whether nobody else can listen on 127.0.0.1 beside it."""
        return self.address in _EVERYWHERE or self.address == "127.0.0.1"


def listening(host: str) -> Fact[tuple[Listener, ...]]:
    """Who listens on a host."""
    return Fact(Script(host, SOCKETS), _listeners)


def _listeners(answer: Answer) -> tuple[Listener, ...]:
    """Read ss's lines: STATE RECV-Q SEND-Q LOCAL:PORT PEER:PORT USERS; ValueError for any other."""
    found = []
    for line in answer.text.splitlines():
        columns = line.split(None, 5)
        if len(columns) < 5:
            raise ValueError(f"ss printed a line that is no socket: {shown(line)}")
        address, _, port = columns[3].rpartition(":")
        processes = list(_PROCESS.finditer(columns[5] if len(columns) > 5 else ""))
        found.append(
            Listener(
                address=address.partition("%")[0].strip("[]").removeprefix("::ffff:"),
                port=int(port),
                pids=frozenset(int(match["pid"]) for match in processes),
                program=", ".join(
                    f"{shown(match['name'], quote='')} (pid {match['pid']})" for match in processes
                )
                or "unknown",
            )
        )
    return tuple(found)


# /version is served on every peer port. An HTTP answer is needed, not a finished handshake alone: with TLS
# 1.3 the listener refuses a certificate only after the dialler believes that the handshake is done.
# HTTP/1.1, as members speak it: etcd 3.4 ends an HTTP/2 stream on that port without an answer.
HANDSHAKE = """
exec curl --http1.1 --silent --show-error --noproxy '*' --max-time 4 \\
  --output /dev/null --write-out '%{http_code}' --cacert "$2" --cert "$3" --key "$4" "$1/version"
"""


_NO_CONNECTION = {7, 28}  # curl's exit statuses: refused or unreachable, and no answer in time


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a member's host was received by a peer port; ``reason`` is why it was not."""

    is_done: bool
    is_unconnected: bool
    reason: str


def handshake(dialler: Target, url: str) -> Fact[Handshake]:
    """Whether a peer port answers another member's host, with the files that its etcd uses."""
    arguments = (url, *stages.peer_material(dialler))
    return Fact(Script(dialler.name, HANDSHAKE, arguments, timeout_s=5.0), _handshake)


def _handshake(answer: Answer) -> Handshake:
    is_done = answer.exit_status == 0 and answer.text.strip() == "200"
    return Handshake(is_done, answer.exit_status in _NO_CONNECTION, answer.reason)


def unserved(target: Target, url: str, *, shown: bool = False) -> Fact[str | None]:
    """Why a client listener does not answer with a healthy 200, or None; ``shown``: with our certificate."""
    return Fact(_probe(target, url, shows=shown), _not_healthy)


def unrefused(target: Target, url: str, *, is_stranger: bool = False) -> Fact[str | None]:
    """Why a client listener did not refuse us, or None if it did; a doubtful answer is no refusal."""
    return Fact(_probe(target, url, is_stranger=is_stranger), _not_refused)


def _probe(target: Target, url: str, *, shows: bool = False, is_stranger: bool = False) -> HttpProbe:
    tls = target.cluster.tls
    return HttpProbe(
        host=target.name,
        url=f"{url}/health",
        ca=tls.ca if url.startswith("https:") else None,
        certificate=tls.client_certificate if shows else None,
        key=tls.client_key if shows else None,
        is_stranger=is_stranger,
    )


def _not_healthy(answer: Answer) -> str | None:
    if answer.exit_status != 0:
        return answer.stderr
    status, _, body = answer.text.partition("\n")
    if status != "200":
        return f"status {status}"
    is_well = '"true"' in body or ":true" in body
    return None if is_well else f"not healthy: {shown(body.strip(), quote='', limit=100)}"


def _not_refused(answer: Answer) -> str | None:
    if answer.exit_status > 1:
        return f"cannot tell: {answer.stderr}"
    return "answered 200" if answer.exit_status == 0 and answer.text.startswith("200\n") else None
