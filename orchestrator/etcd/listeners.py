"""Questions to listeners: what they answer to us, and to each other."""

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import settings
from orchestrator.operations import Answer, Check, Knock
from orchestrator.text import shown

# /version is served on every peer port. An HTTP answer is needed, not a finished handshake alone: with TLS
# 1.3 the listener refuses a certificate only after the dialler believes that the handshake is done.
# HTTP/1.1, as members speak it: etcd 3.4 ends an HTTP/2 stream on that port without an answer.
HANDSHAKE = """
exec curl --http1.1 --silent --show-error --noproxy '*' --max-time 4 \\
  --output /dev/null --write-out '%{http_code}' --cacert "$2" --cert "$3" --key "$4" "$1/version"
"""


def handshake(dialler: Subject, url: str) -> Check:
    """Dial a peer port from another member's host, with the files that its etcd uses."""
    paths = settings.Paths.of(dialler)
    arguments = (url, paths.ca, paths.certificate, paths.key)
    return Check(dialler.name, HANDSHAKE, arguments, timeout_s=5.0)


def knock(subject: Subject, url: str, *, shown: bool = False, is_stranger: bool = False) -> Knock:
    """Ask a client listener for its health; ``shown`` says whether we show the plan's client certificate."""
    tls = subject.cluster.tls
    return Knock(
        host=subject.name,
        url=f"{url}/health",
        ca=tls.ca if url.startswith("https:") else None,
        certificate=tls.client_certificate if shown else None,
        key=tls.client_key if shown else None,
        is_stranger=is_stranger,
    )


def not_healthy(answer: Answer) -> str | None:
    """Why a knock was not answered with a healthy 200, or None if it was."""
    if answer.exit_status != 0:
        return answer.stderr
    status, _, body = answer.text.partition("\n")
    if status != "200":
        return f"status {status}"
    return (
        None
        if '"true"' in body or ":true" in body
        else f"not healthy: {shown(body.strip(), quote='', limit=100)}"
    )


def not_refused(answer: Answer) -> str | None:
    """Why a knock was not refused, or None if it was; a doubtful answer is no refusal."""
    if answer.exit_status > 1:
        return f"cannot tell: {answer.stderr}"
    return "answered 200" if answer.exit_status == 0 and answer.text.startswith("200\n") else None
