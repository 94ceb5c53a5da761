"""A watch to which nothing happens for a while stays with https, once it has come there."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from orchestrator.probe import v3
from orchestrator.probe.http_session import Body, Endpoint, Request, UnansweredError
from orchestrator.probe.watch import Watch


@dataclass
class Idle:
    """A session on which nothing comes; the last try is enough."""

    endpoint: Endpoint
    tried: list[str]
    watch: Watch | None = None

    def stream(self, _: Request) -> Iterator[Body]:
        self.tried.append(self.endpoint.scheme)
        if len(self.tried) == 6 and self.watch:
            self.watch.see(0, 0.0)
        raise UnansweredError("timed out")
        yield {}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("schemes", "expected"),
    [
        (("https", "https", "http"), ["https"] * 6),
        (("http", "http", "https"), ["http", "http", "https"] * 2),
    ],
)
def test_an_idle_watch_goes_back_to_http_from_nowhere(schemes: tuple[str, ...], expected: list[str]) -> None:
    tried: list[str] = []
    sessions = [Idle(Endpoint("https" if one == "https" else "http", "a", 1), tried) for one in schemes]
    watch = Watch(lambda: sessions, v3, "/prober/", 0)
    for each in sessions:
        each.watch = watch
    watch.follow()
    assert expected == tried
