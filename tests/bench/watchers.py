"""Many watchers on the cluster all the while, as a program: ``python -m bench.watchers --help``.

They share streams of etcd's gateway, which begin at different members; a writer beside them beats on the keys
that they watch. Each goes on behind what it has seen, wherever its stream is cut, and follows the members to
https as the lab's other clients do.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.client import HTTPResponse

from support.waiting import until

from orchestrator.lab.clients import probe
from orchestrator.output import out
from orchestrator.plan.model import Frozen
from orchestrator.probe import v3
from orchestrator.probe.http_session import Body, Request, Session
from orchestrator.probe.prober import PROGRESS_PAUSE_S
from orchestrator.probe.reach import Ranked, Reach
from orchestrator.probe.watch import Watch
from orchestrator.probe.witness import PATIENCE_S

KEYS, STREAMS, BEAT_S = 50, 15, 0.1
PREFIX = "/watched/"


class WatchersReport(Frozen):
    """What became of the watchers: ``missed`` and ``repeated`` are events, summed over all of them.

    ``begun`` is how often streams began, the first time counted; ``silence_s`` the longest time in which one
    of them delivered nothing.
    """

    watchers: int
    streams: int
    begun: int
    beats: int
    failed_beats: int
    delivered: int
    missed: int
    repeated: int
    silence_s: float


NOBODY = WatchersReport(
    watchers=0,
    streams=0,
    begun=0,
    beats=0,
    failed_beats=0,
    delivered=0,
    missed=0,
    repeated=0,
    silence_s=0.0,
)


class Staying(Session):
    """A session for a request with many parts: etcd's gateway answers the first before it has read the last.

    Go's server then throws away what it has not read, unless the connection ends with the request.
    """

    def _sent(self, request: Request) -> HTTPResponse:
        headers = {"Content-Type": request.kind, "Connection": "close"}
        self._connection.request(request.method, request.path, request.content, headers)
        return self._connection.getresponse()


class Stream:
    """The watchers of one stream, one key each; a Watch takes it for the API that it asks."""

    def __init__(self, keys: Sequence[str], after: int) -> None:
        self.keys = keys
        self.seen: list[list[int]] = [[] for _ in keys]
        self.begun = 0
        self.silence_s = 0.0
        self.standing = 0  # how many etcd has said to hold since the stream last began
        self._after = after
        self._heard = time.monotonic()

    def revision(self, answer: Body) -> int:
        return v3.revision(answer)

    def watch(self, prefix: str, revision: int) -> Request:
        """Ask for all of them, each behind what it has seen."""
        del prefix, revision
        self.begun += 1
        self.standing = 0
        asked = (
            {
                "key": v3.encoded(key),
                "start_revision": str((max(seen) if seen else self._after) + 1),
                "watch_id": str(number),
            }
            for number, (key, seen) in enumerate(zip(self.keys, self.seen, strict=True), 1)
        )
        return Request("POST", "/v3/watch", "\n".join(json.dumps({"create_request": one}) for one in asked))

    def events(self, part: Body) -> tuple[()]:
        """Note which watcher saw which revisions; the Watch itself needs to know nothing."""
        now = time.monotonic()
        self.silence_s, self._heard = max(self.silence_s, now - self._heard), now
        self.standing += bool(part.get("created"))
        seen = self.seen[int(part["watch_id"]) - 1]
        seen += (int(each["kv"]["mod_revision"]) for each in part.get("events", ()))
        return ()


class Beats:
    """Writes one key after the other, and remembers the revisions that were acknowledged."""

    def __init__(self, reach: Reach) -> None:
        self.keys = [f"{PREFIX}{number:02}" for number in range(KEYS)]
        self.revisions: dict[str, list[int]] = {key: [] for key in self.keys}
        self.acknowledged, self.failed = 0, 0
        self._client = reach.client()
        before = self._client.ask(v3.get(PREFIX))
        self.after = v3.revision(before) if before else 0

    def run(self, stop: threading.Event) -> None:
        began = reported = time.monotonic()
        number = 0
        while not stop.wait(BEAT_S):
            key = self.keys[number % KEYS]
            answer = self._client.ask(v3.put(key, str(number)))
            number += 1
            if answer is None:
                self.failed += 1
            else:
                self.acknowledged += 1
                self.revisions[key].append(v3.revision(answer))
            now = time.monotonic()
            if now - reported >= PROGRESS_PAUSE_S:
                reported = now
                out(json.dumps({"after_s": round(now - began, 3), "acknowledged": self.acknowledged}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch until SIGTERM, SIGINT or the end of standard input; then report."""
    made = probe.parser("bench.watchers", main.__doc__ or "")
    made.add_argument("--watchers", type=int, default=5000, help="how many")
    options = made.parse_args(arguments)
    stop = probe.stopping()
    reach = probe.moving(probe.of(options), stop)
    beats = Beats(reach)
    shares = [range(first, options.watchers, STREAMS) for first in range(STREAMS)]
    streams = [Stream([beats.keys[number % KEYS] for number in share], beats.after) for share in shares]
    watches = [Watch(_choice(reach, number), each, PREFIX, 0) for number, each in enumerate(streams)]
    following = [threading.Thread(target=each.follow) for each in watches]
    for thread in following:
        thread.start()
    until(lambda: all(each.standing == len(each.keys) for each in streams))
    beats.run(stop)
    with suppress(AssertionError):
        until(lambda: not _missed(streams, beats), within_s=PATIENCE_S, pause_s=0.5)
    for each in watches:
        each.see(0, 0.0)
    for thread in following:
        thread.join()
    probe.leave(_report(streams, beats), options.report)
    return 0


def _choice(reach: Reach, number: int) -> Ranked:
    """Return the sessions of a stream; the next stream begins with the next member."""
    if reach.way is None:
        raise ValueError("these clients move")
    first = number % len(reach.addresses)
    addresses = (*reach.addresses[first:], *reach.addresses[:first])
    endpoints = (endpoint for address in addresses for endpoint in reach.listeners(address))
    made = (Staying(each, reach.trust, timeout_s=reach.try_timeout_s) for each in endpoints)
    return Ranked(tuple(made), reach.way)


def _each(streams: Sequence[Stream]) -> Iterator[tuple[str, list[int]]]:
    """Yield what every watcher watched and has seen."""
    for stream in streams:
        yield from zip(stream.keys, stream.seen, strict=True)


def _missed(streams: Sequence[Stream], beats: Beats) -> int:
    return sum(len(set(beats.revisions[key]) - set(seen)) for key, seen in _each(streams))


def _report(streams: Sequence[Stream], beats: Beats) -> WatchersReport:
    all_seen = [seen for _, seen in _each(streams)]
    return WatchersReport(
        watchers=len(all_seen),
        streams=len(streams),
        begun=sum(each.begun for each in streams),
        beats=beats.acknowledged,
        failed_beats=beats.failed,
        delivered=sum(map(len, all_seen)),
        missed=_missed(streams, beats),
        repeated=sum(len(seen) - len(set(seen)) for seen in all_seen),
        silence_s=round(max(each.silence_s for each in streams), 3),
    )


if __name__ == "__main__":
    sys.exit(main())
