"""When a client moves from http to https, when it moves back, and what it does with its connections."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from support.small_etcd import ADDRESSES, Cluster, serving

from orchestrator.probe import reach as reaches
from orchestrator.probe.failover import MovingClient
from orchestrator.probe.http_session import Body, Endpoint, Request, UnansweredError
from orchestrator.probe.reach import Ranked, Reach, endpoint_of
from orchestrator.probe.way import Stage, Way

MEMBERS = ("198.18.0.101", "198.18.0.102")
ASKED = Request("GET", "/")


@dataclass
class Served:
    """What two members answer, as ``http``, ``https`` and ``extra`` of each; and what was asked."""

    by: list[set[str]]
    asked: list[str] = field(default_factory=list)

    def answers(self, endpoint: Endpoint) -> bool:
        kind = "extra" if endpoint.port == 2378 else endpoint.scheme
        self.asked.append(kind)
        return kind in self.by[MEMBERS.index(endpoint.address)]


@pytest.mark.parametrize(
    ("stages", "served"),
    [
        ([Stage.HTTP], ["http / http"]),
        ([Stage.HTTP, Stage.HTTPS], ["http https / http", "http https / http https"]),
        ([Stage.EXTRA, Stage.EXTRA, Stage.HTTPS], ["http extra / http extra", "extra https / extra http",
                                                   "extra https / extra https"]),
        ([Stage.HTTPS, Stage.HTTPS, Stage.HTTPS], ["https / https", "https / ", " / "]),
        ([Stage.HTTPS, Stage.HTTPS, Stage.HTTP], ["https / https", "http / https", "http / http"]),
        ([Stage.EXTRA, Stage.HTTP], ["http extra / http extra", "http / "]),
        ([Stage.HTTP], ["https / "]),
        ([Stage.HTTPS, Stage.EXTRA, Stage.HTTP], ["https extra / https extra", "http extra / https extra",
                                                  "http / http"]),
        ([Stage.EXTRA, Stage.HTTPS, Stage.HTTPS], ["http extra / http extra", "https extra / https extra",
                                                   "https / "]),
    ],
)  # fmt: skip
def test_the_way_leads_to_https_once_every_member_serves_it_and_back_if_none_does(
    stages: list[Stage], served: list[str]
) -> None:
    cluster = Served([set(), set()])
    way = Way(cluster.answers, MEMBERS, 2379, 2378)
    seen = []
    for each in served:
        cluster.by = [set(one.split()) for one in each.split("/")]
        way.look()
        seen.append(way.stage)
    assert stages == seen


def test_nobody_is_spoken_to_in_http_while_one_serves_https() -> None:
    cluster = Served([{"http", "https"}, {"http", "https"}])
    way = Way(cluster.answers, MEMBERS, 2379, 2378)
    way.look()
    cluster.by[0] = set()
    way.look()
    assert "http" not in cluster.asked
    assert Stage.HTTPS is way.stage


def test_who_moves_back_speaks_http_once_every_member_serves_it_and_before_https_is_gone() -> None:
    cluster = Served([{"https", "extra"}, {"https", "extra"}])
    way = Way(cluster.answers, MEMBERS, 2379, 2378)
    way.look()
    way.is_going_back = True
    seen = []
    states = (
        ("https extra", "https extra"),
        ("http extra", "https extra"),
        ("http extra", "http extra"),
        ("http", "http extra"),
    )
    for first, second in states:
        cluster.by = [set(first.split()), set(second.split())]
        way.look()
        seen.append(way.stage)
    assert [Stage.HTTPS, Stage.EXTRA, Stage.HTTP, Stage.HTTP] == seen


def test_where_to_go_and_what_comes_first() -> None:
    way = Way(lambda _: False, MEMBERS, 2379, 2378)
    everywhere = [Endpoint("http", "a", 2379), Endpoint("https", "a", 2379), Endpoint("https", "a", 2378)]
    expected = {
        Stage.HTTP: ("http://198.18.0.101:2379", [0, 1, 2]),
        Stage.EXTRA: ("https://198.18.0.101:2378", [2, 1, 0]),
        Stage.HTTPS: ("https://198.18.0.101:2379", [1, 2, 0]),
    }
    for stage, (url, order) in expected.items():
        way.stage = stage
        assert url == str(way.endpoints[0])
        assert [everywhere[index] for index in order] == sorted(everywhere, key=way.rank)


@dataclass(eq=False)
class Stub:
    """A session that answers or not, and knows whether it is open."""

    endpoint: Endpoint
    is_served: bool = True
    is_open: bool = False

    def ask(self, _: Request) -> Body:
        if not self.is_served:
            raise UnansweredError("refused")
        self.is_open = True
        return {"by": str(self.endpoint)}

    def close(self) -> None:
        self.is_open = False


def asked(client: MovingClient) -> str:
    answer = client.ask(ASKED)
    return "" if answer is None else answer["by"]


def test_a_client_leaves_no_connection_behind_and_comes_back_from_its_last_resort() -> None:
    plain, secure = Stub(Endpoint("http", "a", 1)), Stub(Endpoint("https", "a", 1))
    chosen: Sequence[Stub] = (plain, secure)
    client = MovingClient(lambda: chosen, patience_s=1.0, clock=lambda: 0.0, sleep=lambda _: None)
    assert "http://a:1" == asked(client)
    chosen = (secure, plain)
    assert "https://a:1" == asked(client)
    assert (False, True) == (plain.is_open, secure.is_open)
    secure.is_served = False
    assert "http://a:1" == asked(client)
    secure.is_served = True
    assert "https://a:1" == asked(client)


def test_the_order_of_sessions_changes_with_the_way_alone() -> None:
    way = Way(lambda _: False, MEMBERS, 2379, None)
    trust = ssl.create_default_context()
    choice = Reach(MEMBERS, 2379, trust, 1.0, way=way).choice()
    assert isinstance(choice, Ranked)
    assert ["http", "http", "https", "https"] == [each.endpoint.scheme for each in choice()]
    assert choice() is choice()
    way.stage = Stage.HTTPS
    assert ["https", "https", "http", "http"] == [each.endpoint.scheme for each in choice()]


def test_who_knows_http_alone_never_asks_elsewhere() -> None:
    way = Way(lambda _: False, MEMBERS, 2379, 2378)
    way.stage = Stage.HTTPS
    choice = Reach(MEMBERS, 2379, ssl.create_default_context(), 1.0, kind="plain", way=way).choice()
    assert ["http://198.18.0.101:2379", "http://198.18.0.102:2379"] == [str(one.endpoint) for one in choice()]


def test_who_is_synced_follows_the_member_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaches, "SYNC_PAUSE_S", 0.0)
    with serving(Cluster()) as cluster:
        trust = ssl.create_default_context()
        choice = Reach(ADDRESSES[:1], cluster.port, trust, 1.0, kind="synced").choice()
        cluster.client_urls = [f"http://127.0.0.1:{cluster.port}", f"https://127.0.0.2:{cluster.port}"]
        first = choice()
        assert cluster.client_urls == [str(each.endpoint) for each in first]
        assert first == choice()
        cluster.client_urls = ["https://127.0.0.3:2379", f"http://127.0.0.1:{cluster.port}"]
        assert cluster.client_urls == [str(each.endpoint) for each in choice()]
        cluster.client_urls = []
        assert 2 == len(choice())


def test_an_ipv6_address_is_in_brackets_in_a_url() -> None:
    assert "https://[2001:db8::1]:2379" == str(endpoint_of("https://[2001:db8::1]:2379"))
