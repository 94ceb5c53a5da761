"""Questions to listeners: what they answer to us, and to each other."""

from dataclasses import dataclass

from orchestrator.etcd import settings
from orchestrator.host.questions import Answer, Fact, HttpProbe, Script
from orchestrator.plan.facts import Subject
from orchestrator.text import shown

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


def handshake(dialler: Subject, url: str) -> Fact[Handshake]:
    """Whether a peer port answers another member's host, with the files that its etcd uses."""
    paths = settings.Paths.of(dialler)
    arguments = (url, paths.ca, paths.certificate, paths.key)
    return Fact(Script(dialler.name, HANDSHAKE, arguments, timeout_s=5.0), _handshake)


def _handshake(answer: Answer) -> Handshake:
    is_done = answer.exit_status == 0 and answer.text.strip() == "200"
    return Handshake(is_done, answer.exit_status in _NO_CONNECTION, answer.reason)


def unserved(subject: Subject, url: str, *, shown: bool = False) -> Fact[str | None]:
    """Why a client listener does not answer with a healthy 200, or None; ``shown``: with our certificate."""
    return Fact(_probe(subject, url, shows=shown), _not_healthy)


def unrefused(subject: Subject, url: str, *, is_stranger: bool = False) -> Fact[str | None]:
    """Why a client listener did not refuse us, or None if it did; a doubtful answer is no refusal."""
    return Fact(_probe(subject, url, is_stranger=is_stranger), _not_refused)


def _probe(subject: Subject, url: str, *, shows: bool = False, is_stranger: bool = False) -> HttpProbe:
    tls = subject.cluster.tls
    return HttpProbe(
        host=subject.name,
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
