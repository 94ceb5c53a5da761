"""The prober: what it counts, how it fails over, and that it sees a loss. Against an etcd in small."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from support.small_etcd import ADDRESSES, Cluster, serving

from orchestrator.lab.clients.probe import DIALECTS, watching
from orchestrator.probe import v3
from orchestrator.probe.failover import FailoverClient, LoyalClient
from orchestrator.probe.http_session import Body, Endpoint, Request, Session, UnansweredError
from orchestrator.probe.login import Login
from orchestrator.probe.prober import Prober
from orchestrator.probe.reach import Reach
from orchestrator.probe.tally import ProbeReport, longest_gap, missing, quantile
from orchestrator.probe.verification import lost

V3 = DIALECTS["v3"]
ASKED = Request("GET", "/")
ENOUGH = 80  # requests
both_apis = pytest.mark.parametrize("api", ["v2", "v3"])


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with serving(Cluster()) as served:
        yield served


def reach(cluster: Cluster, *endpoints: Endpoint, login: Login | None = None) -> Reach:
    return Reach(ADDRESSES, cluster.port, ssl.create_default_context(), 1.0, endpoints, login=login)


def probed(
    cluster: Cluster, api: str = "v3", *endpoints: Endpoint, for_s: float = 0.3, login: Login | None = None
) -> ProbeReport:
    """Probe for that long, and on a busy machine until there is something to judge."""
    stop = threading.Event()

    def stop_later() -> None:
        began = time.monotonic()
        while (took_s := time.monotonic() - began) < for_s or (len(cluster.asked) < ENOUGH and took_s < 20.0):
            time.sleep(0.01)
        stop.set()

    timer = threading.Thread(target=stop_later)
    timer.start()
    try:
        ttl_s = 0 if endpoints else 5
        way_there = reach(cluster, *endpoints, login=login)
        prober = Prober(
            way_there,
            DIALECTS[api],
            interval_s=0.005,
            lease_ttl_s=ttl_s,
            witness=watching(way_there) if api == "v3" else None,
        )
        return prober.run(stop)
    finally:
        timer.join()


@both_apis
def test_a_healthy_cluster_loses_nothing(cluster: Cluster, api: str) -> None:
    report = probed(cluster, api)
    assert report.acknowledged == report.attempts == report.reads > 20
    assert (0, 0, 0, 0, 0) == (
        report.failed, report.lost, report.failed_reads, report.wrong_reads, report.failovers
    )  # fmt: skip
    assert {"http": report.attempts, "https": 0} == report.writes_over
    assert "alive" == report.lease
    assert 0 < report.longest_stall_s < report.took_s


def test_the_gateway_of_etcd_3_3_is_found(cluster: Cluster) -> None:
    cluster.gateway = "/v3beta/"
    report = probed(cluster)
    assert report.acknowledged == report.attempts > 20
    assert (0, 0, "alive") == (report.failed, report.failovers, report.lease)


def test_every_write_is_watched_also_where_a_member_leaves(cluster: Cluster) -> None:
    cluster.silent.add("127.0.0.1")
    cluster.silent_s = 0.2
    report = probed(cluster, for_s=0.4)
    assert report.acknowledged == report.watched > 20
    assert (0, ()) == (report.contradictions, report.contradiction_examples)


def test_a_write_that_the_watch_missed_is_named(cluster: Cluster) -> None:
    cluster.swallows = 4
    report = probed(cluster)
    (example,) = report.contradiction_examples
    assert example.startswith("the watch missed revision 4, the write of /prober/")
    assert 1 == report.contradictions


@pytest.mark.parametrize("gateway", ["/v3/", "/v3beta/"])
def test_with_authentication_a_user_logs_in_and_does_so_again_when_a_token_is_forgotten(
    cluster: Cluster, gateway: str
) -> None:
    cluster.password, cluster.gateway = "planted", gateway
    forgetting = threading.Timer(0.1, cluster.tokens.clear)
    forgetting.start()
    report = probed(cluster, login=Login("root", "planted"))
    forgetting.join()
    assert (0, 0, 0, "alive") == (report.failed, report.lost, report.failed_reads, report.lease)
    assert report.acknowledged == report.watched
    assert cluster.logins > 3  # a writer, a lease and a watch
    assert "planted" not in repr(Login("root", "planted"))


def test_a_login_that_is_not_taken_or_not_wanted(cluster: Cluster) -> None:
    session = Session(
        Endpoint("http", "127.0.0.1", cluster.port), None, timeout_s=5.0, login=Login("root", "wrong")
    )
    assert {"header": {"revision": "1"}} == session.ask(v3.put("/a", "b"))
    cluster.password = "planted"  # noqa: S105 - nobody's
    with pytest.raises(UnansweredError, match="user name is empty"):
        session.ask(v3.put("/a", "b"))
    session.close()


@both_apis
def test_a_write_that_one_member_does_not_have_is_lost(cluster: Cluster, api: str) -> None:
    cluster.forgotten["127.0.0.3"] = "000000004"
    report = probed(cluster, api)
    assert 1 == report.lost
    (example,) = report.lost_examples
    assert example.endswith("/000000004 is not on 127.0.0.3")
    assert 0 == report.failed


def test_a_member_without_a_leader_costs_a_failover_but_no_write(cluster: Cluster) -> None:
    cluster.silent.add("127.0.0.1")
    cluster.silent_s = 0.2
    report = probed(cluster, for_s=0.4)
    assert (0, 0, 1) == (report.failed, report.lost, report.failovers)


def test_with_one_way_only_there_is_no_other_and_no_lease(cluster: Cluster) -> None:
    absent, way = Endpoint("http", "127.0.0.2", 1), Endpoint("http", "127.0.0.2", cluster.port)
    cluster.silent.add("127.0.0.2")
    cluster.silent_s = 0.15
    report = probed(cluster, "v2", absent, way)
    assert (0, 0, "none") == (report.failed, report.lost, report.lease)
    assert report.longest_stall_s > 0.1
    written = cluster.asked[: report.attempts + report.reads]
    assert {"127.0.0.2"} == set(written)


@both_apis
def test_a_lease_that_etcd_forgot_has_expired(cluster: Cluster, api: str) -> None:
    lease = DIALECTS[api].kept(reach(cluster).client(), "/lease", ttl_s=5, pause_s=0.01)
    with lease:
        forgetting = threading.Thread(target=forget_lease, args=(cluster, lambda: lease.renewals > 0))
        forgetting.start()
        lease.grant()
        lease.keep(threading.Event())
        forgetting.join()
    assert "expired" == lease.state


def forget_lease(cluster: Cluster, is_time: Callable[[], bool]) -> None:
    while not is_time():
        time.sleep(0.001)
    cluster.lease_ttl = None


def test_a_stream_that_fails_says_nothing_of_the_lease(cluster: Cluster) -> None:
    with v3.kept(reach(cluster).client(), "/lease", ttl_s=5) as lease:
        lease.grant()
        cluster.stream_error = "transport is closing"
        lease.renew()
        assert ("alive", 1) == (lease.state, lease.failed_renewals)
        cluster.stream_error = ""
        lease.renew()
        assert ("alive", 1) == (lease.state, lease.renewals)


def test_a_key_that_was_written_twice_over_is_still_alive(cluster: Cluster) -> None:
    client = reach(cluster).client()
    with v3.kept(client, "/lease", ttl_s=5) as lease:
        lease.grant()
        client.ask(v3.put("/lease", "held", lease="7"))  # as if the first answer had got lost
        lease.look()
        before: str = lease.state
        assert "alive" == before
        client.ask(v3.put("/lease", "held"))
        lease.look()
        assert "expired" == lease.state


@both_apis
def test_a_lease_whose_key_is_gone_has_expired(cluster: Cluster, api: str) -> None:
    with DIALECTS[api].kept(reach(cluster).client(), "/lease", ttl_s=5) as lease:
        lease.grant()
        lease.look()
        before: str = lease.state
        assert "alive" == before
        del cluster.store["/lease"]
        lease.look()
        assert "expired" == lease.state


def test_everything_is_lost_on_a_member_out_of_reach(cluster: Cluster) -> None:
    cluster.store["/p/1"] = "x"
    cluster.silent.add("127.0.0.2")
    members = {address: reach(cluster).member(address) for address in ADDRESSES}
    losses = lost(members, {"/p/1": "x"}, "/p/", V3, patience_s=0.0)
    assert ["/p/1 is not on 127.0.0.2"] == list(map(str, losses))


def test_reading_back_goes_page_by_page(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v3, "PAGE", 2)
    cluster.store |= {f"/p/{n}": str(n) for n in range(7)} | {"/q": "other"}
    members = {address: reach(cluster).member(address) for address in ADDRESSES}
    assert () == lost(members, {f"/p/{n}": str(n) for n in range(7)}, "/p/", V3, patience_s=0.0)


class Scripted:
    """A session that answers, or not, by a list."""

    def __init__(self, name: str, script: str) -> None:
        self.endpoint = Endpoint("http", name, 1)
        self._script = iter(script)

    def ask(self, request: Request) -> Body:
        del request
        if next(self._script, "-") == "-":
            raise UnansweredError("no")
        return {"from": self.endpoint.address}

    def close(self) -> None:
        pass


@dataclass(slots=True)
class Clock:
    now: float = 0.0

    def read(self) -> float:
        self.now += 0.001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("scripts", "asks", "answers", "failovers"),
    [
        (["+++", "+++"], 3, ["a", "a", "a"], 0),  # it stays
        (["+-+", "+++"], 3, ["a", "b", "b"], 1),  # it goes on, and does not come back
        (["--+", "---"], 1, ["a"], 4),  # round and round until one answers
        (["-", "-", "+"], 1, ["c"], 2),
    ],
)
def test_a_client_stays_until_its_endpoint_fails(
    scripts: list[str], asks: int, answers: list[str], failovers: int
) -> None:
    clock = Clock()
    sessions = [Scripted(name, script) for name, script in zip("abc", scripts, strict=False)]
    client = FailoverClient(sessions, patience_s=5.0, clock=clock.read, sleep=clock.sleep)
    got = [client.ask(ASKED) for _ in range(asks)]
    assert answers == [answer["from"] for answer in got if answer is not None]
    assert failovers == client.failovers


@pytest.mark.parametrize(
    ("scripts", "answers"),
    [
        (["+++", "+++"], ["a", "a", "a"]),
        (["--++", "+++"], ["b", "b", "a", "a"]),  # it wants the first, and asks it again each time
        (["+--+", "+++"], ["a", "a"]),  # having had the first, it waits for it
    ],
)
def test_a_loyal_client_has_eyes_for_its_first_endpoint_only(scripts: list[str], answers: list[str]) -> None:
    clock = Clock()
    sessions = [Scripted(name, script) for name, script in zip("ab", scripts, strict=True)]
    client = LoyalClient(sessions, patience_s=5.0, clock=clock.read, sleep=clock.sleep)
    got = [client.ask(ASKED) for _ in answers]
    assert answers == [answer["from"] for answer in got if answer is not None]


def test_a_client_gives_up_when_its_patience_ends() -> None:
    clock = Clock()
    client = FailoverClient([Scripted("a", "")], patience_s=5.0, clock=clock.read, sleep=clock.sleep)
    assert client.ask(ASKED) is None
    assert 5.0 < clock.now < 5.1
    assert "http://a:1: no" == client.last_refusal


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_without_a_listener_is_unanswered(scheme: Literal["http", "https"]) -> None:
    session = Session(Endpoint(scheme, "127.0.0.1", 1), ssl.create_default_context(), timeout_s=1.0)
    with pytest.raises(UnansweredError, match="connection refused"):
        session.ask(ASKED)


def test_the_longest_gap_and_when_it_began() -> None:
    assert (2.0, 1.5) == longest_gap([10.0, 10.5, 11.5, 13.5, 14.0])
    assert (0.0, 0.0) == longest_gap([10.0])


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_quantiles(fraction: float, expected: float) -> None:
    assert expected == quantile([float(n) for n in range(100, 0, -1)], fraction)
    assert 0.0 == quantile([], fraction)


def test_a_changed_value_is_missing_too() -> None:
    assert ("b", "c") == missing({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "other", "d": "4"})
