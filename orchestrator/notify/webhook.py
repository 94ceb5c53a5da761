"""A URL that gets each event by POST."""

from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from orchestrator import __version__
from orchestrator.notify.channel import Notice, NotSentError
from orchestrator.report import event_lines

LIMIT_S = 10.0  # for connecting, and for each piece of the answer


class _NoRedirect(HTTPRedirectHandler):
    """A POST that is sent elsewhere would arrive as a GET, without its event."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> None:
        """Go nowhere."""


class Webhook:
    """Posts each event; certificates are verified as for every https URL of this machine."""

    is_sent_at_end = False

    def __init__(self, url: str, limit_s: float = LIMIT_S) -> None:
        self._url, self._limit_s = url, limit_s
        is_local = urlsplit(url).scheme == "http"  # the plan takes http on loopback only: no proxy may see it
        self._opener = build_opener(_NoRedirect, *([ProxyHandler({})] if is_local else []))

    @property
    def name(self) -> str:
        """What messages call it: whatever stands before and behind the host may be a secret."""
        url = urlsplit(self._url)
        return f"webhook {url.scheme}://{url.netloc.rpartition('@')[2]}"

    def send(self, notice: Notice) -> None:
        """Post the event; raises NotSentError if nobody takes it."""
        body = event_lines.text(notice.line).encode() + b"\n"
        headers = {"Content-Type": "application/json", "User-Agent": f"etcd-orchestrator/{__version__}"}
        request = Request(self._url, body, headers, method="POST")  # noqa: S310 -- the plan takes http and https
        try:
            with self._opener.open(request, timeout=self._limit_s):
                pass
        except HTTPError as error:
            error.close()
            raise NotSentError(f"the answer was HTTP {error.code}") from error
        except URLError as error:
            raise NotSentError(str(getattr(error.reason, "strerror", None) or error.reason)) from error

    def close(self) -> None:
        """Behind the last event there is nothing to do."""

    def stop(self) -> None:
        """Leave the connection to its time limit: it holds nobody up."""
