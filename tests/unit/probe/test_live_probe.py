"""A run's own probe: it uses each member in turn, keeps to its budget, and leaves nothing behind."""

import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from support.small_etcd import ADDRESSES, Cluster, serving
from support.waiting import until

from orchestrator.probe import live
from orchestrator.probe.awake import real
from orchestrator.probe.budget import Budget
from orchestrator.probe.http_session import Body, Endpoint, Request, Session
from orchestrator.probe.live import LiveProbe, silent
from orchestrator.probe.reach import Reach
from orchestrator.probe.tidy import KEEPS
from orchestrator.probe.verification import Loss
from orchestrator.probe.way import Stage

PREFIX = "/orchestrator-probe-ab12cd34/"
NAMES = {address: f"server{number}" for number, address in enumerate(ADDRESSES, 1)}
STRICT = Budget(stall_s=60.0, failures=0)
STALL_S = 3.0  # no machine that is busy stands still for so long


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with serving(Cluster()) as served:
        yield served


def reach(cluster: Cluster, patience_s: float = 5.0) -> Reach:
    return Reach(ADDRESSES, cluster.port, ssl.create_default_context(), 1.0, patience_s=patience_s)


def probe(
    cluster: Cluster,
    budget: Budget = STRICT,
    patience_s: float = 5.0,
    clock: Callable[[], float] = real,
) -> LiveProbe:
    return LiveProbe(reach(cluster, patience_s), NAMES, PREFIX, budget=budget, interval_s=0.001, clock=clock)


def started(
    cluster: Cluster,
    budget: Budget = STRICT,
    patience_s: float = 5.0,
    clock: Callable[[], float] = real,
) -> LiveProbe:
    made = probe(cluster, budget, patience_s, clock)
    assert "" == made.begin()
    made.start()
    return made


def test_every_member_is_used_in_turn_and_nothing_is_left(cluster: Cluster) -> None:
    running = started(cluster)
    until(lambda: running.figures().operations > 6 * KEEPS)
    kept = {key for key in cluster.store if key.startswith(PREFIX)}
    assert kept == set(cluster.store), "it writes below its prefix alone"
    assert len(kept) <= KEEPS + 3
    assert {"7"} == {cluster.leased[key] for key in kept if not key.endswith("/lease")}, (
        "all go with the lease"
    )
    assert "" == running.objection()
    running.end()
    seen = running.figures()
    assert (0, 0, "") == (seen.failed, seen.lost, running.objection())
    assert {} == cluster.store
    used = Counter(cluster.asked)
    assert max(used.values()) < 1.5 * min(used.values()), used


def test_operations_that_fail_beyond_the_budget_name_member_scheme_and_what_was_seen(
    cluster: Cluster,
) -> None:
    running = started(cluster, patience_s=0.2)
    cluster.silent = set(ADDRESSES)
    until(lambda: bool(running.objection()))
    said = running.objection()
    cluster.silent = set()
    running.end()
    assert "failed, and probe.failures in the plan allows 0: server" in said
    assert f"server2 over http (http://127.0.0.2:{cluster.port}): HTTP 503: " in said
    assert said == running.objection(), "it is not forgotten once all is well again"
    assert running.figures().failed_at


def test_a_stall_counts_while_it_lasts_and_a_budget_of_failures_may_be_wider(cluster: Cluster) -> None:
    running = started(cluster, Budget(stall_s=2.0, failures=10**6), patience_s=0.1)
    until(lambda: running.figures().operations > 20)
    assert "" == running.objection()
    cluster.silent = set(ADDRESSES)
    until(lambda: bool(running.objection()))
    cluster.silent = set()
    running.end()
    assert running.objection().startswith("no write was acknowledged for ")
    assert "probe.stall in the plan allows 2 s: server" in running.objection()
    assert running.figures().longest_stall_s > 2.0


def test_the_time_in_which_it_reads_back_and_removes_is_no_stall(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = started(cluster, Budget(stall_s=STALL_S, failures=0))
    until(lambda: running.figures().operations > 20)

    def slowly() -> tuple[Loss, ...]:
        time.sleep(STALL_S + 0.5)
        return ()

    monkeypatch.setattr(running._prober, "_lost", slowly)
    running.end()
    assert "" == running.objection()
    assert running.figures().longest_stall_s < STALL_S


def test_its_lease_is_kept_alive_until_its_keys_are_removed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = started(cluster)
    until(lambda: running.figures().operations > 20)
    renewals: list[int] = []

    def slowly() -> tuple[Loss, ...]:
        renewals.append(running._prober.lease.renewals)
        time.sleep(2.5)
        renewals.append(running._prober.lease.renewals)
        return ()

    monkeypatch.setattr(running._prober, "_lost", slowly)
    running.end()
    before, after = renewals
    assert after > before
    assert ("", {}) == (running.objection(), cluster.store)


def test_a_probe_that_fails_itself_is_no_stall_of_the_cluster(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = started(cluster, Budget(stall_s=STALL_S, failures=0))
    until(lambda: running.figures().operations > 20)
    assert "" == running.failure

    def broken(*_: str) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(running._prober, "_read_back", broken)
    until(lambda: bool(running.failure))
    time.sleep(STALL_S + 0.5)
    assert "" == running.objection(), "nothing that came behind it is the cluster's"
    running.end()
    assert running.failure.startswith("planted (test_live_probe.py:")
    assert ("", {}) == (running.objection(), cluster.store)


def test_a_lease_that_nobody_can_keep_is_the_failure_of_the_probe_too(cluster: Cluster) -> None:
    running = started(cluster, Budget(stall_s=STALL_S, failures=0))
    cluster.lease_ttl = "planted"
    until(lambda: bool(running.failure))
    running.end()
    assert "'planted'" in running.failure
    assert "" == running.objection()


class Asleep:
    """A clock of which this machine sleeps through some time."""

    slept_s = 0.0

    def __call__(self) -> float:
        return real() + self.slept_s


def test_a_machine_that_was_asleep_longer_than_the_lease_lives_has_seen_no_stall_and_no_loss(
    cluster: Cluster,
) -> None:
    clock = Asleep()
    running = started(cluster, Budget(stall_s=STALL_S, failures=0), clock=clock)
    until(lambda: running.figures().operations > 3 * KEEPS)
    clock.slept_s = 120.0
    cluster.lapse()
    before = running.figures().operations
    until(lambda: running.figures().operations > before + 3 * KEEPS or bool(running.objection()))
    assert "" == running.objection()
    assert running.end()
    seen = running.figures()
    assert ("", 0, 0) == (running.objection(), seen.failed, seen.lost)
    assert seen.longest_stall_s < STALL_S
    assert 120 == round(running.paused_s)
    assert {} == cluster.store


def test_a_cluster_that_loses_the_lease_while_we_are_awake_is_to_blame(cluster: Cluster) -> None:
    running = started(cluster)
    until(lambda: running.figures().operations > 20)
    cluster.lapse()
    until(lambda: bool(running.objection()))
    running.end()


def test_a_cluster_that_is_silent_behind_a_sleep_has_stalled(cluster: Cluster) -> None:
    clock = Asleep()
    running = started(cluster, Budget(stall_s=STALL_S, failures=0), patience_s=0.2, clock=clock)
    until(lambda: running.figures().operations > 20)
    cluster.silent = set(ADDRESSES)
    clock.slept_s = 120.0
    began = time.monotonic()
    until(lambda: "no write was acknowledged" in running.objection())
    assert time.monotonic() - began > STALL_S - 0.5
    cluster.silent = set()
    running.end()


SUSPENDED = """
import ssl, sys, threading
from orchestrator.probe.budget import Budget
from orchestrator.probe.live import LiveProbe
from orchestrator.probe.reach import Reach
addresses, port = tuple(sys.argv[1].split(",")), int(sys.argv[2])
probe = LiveProbe(
    Reach(addresses, port, ssl.create_default_context(), 1.0),
    {}, "/orchestrator-probe-ab12cd34/", budget=Budget(2.0, 0), interval_s=0.01,
)
assert not probe.begin()
probe.start()
print("begun", flush=True)
sys.stdin.readline()
said = probe.objection()
probe.end()
print(f"{said or probe.objection() or 'none'} {probe.paused_s:.0f}", flush=True)
"""


def test_a_process_that_was_stopped_does_not_take_that_for_a_stall(cluster: Cluster) -> None:
    words = [sys.executable, "-c", SUSPENDED, ",".join(ADDRESSES), str(cluster.port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert "begun\n" == running.stdout.readline()
        time.sleep(0.5)
        running.send_signal(signal.SIGSTOP)
        time.sleep(3.0)
        running.send_signal(signal.SIGCONT)
        said, _ = running.communicate("\n", timeout=60)
    seen, _, paused_s = said.rpartition(" ")
    assert "none" == seen
    assert float(paused_s) >= 3.0


def test_its_end_has_one_deadline_however_silent_the_members_are(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "END_S", 3.0)
    running = started(cluster)
    until(lambda: running.figures().operations > 20)
    cluster.silent = set(ADDRESSES)
    waited: list[float] = []
    assert not running.end(waited.append)
    assert [True] == [0.0 < left_s < 3.0 for left_s in waited], "who waits hears of it, once"
    assert 0 == running.figures().failed, "it was cut short by us"
    assert not running.end(waited.append)
    assert 1 == len(waited), "it is ended once"


def test_an_end_that_takes_no_time_says_nothing(cluster: Cluster) -> None:
    running = started(cluster)
    until(lambda: running.figures().operations > 20)
    waited: list[float] = []
    assert running.end(waited.append)
    assert [] == waited


def test_a_silent_member_alone_is_no_failure(cluster: Cluster) -> None:
    running = started(cluster)
    cluster.silent = {"127.0.0.2"}
    before = running.figures().operations
    until(lambda: running.figures().operations > before + 50)
    running.end()
    assert ("", 0) == (running.objection(), running.figures().failed)


def test_a_lost_write_and_an_expired_lease_are_never_within_the_budget(cluster: Cluster) -> None:
    lax = Budget(stall_s=60.0, failures=10**6)
    running = started(cluster, lax)
    until(lambda: running.figures().operations > 20)
    cluster.lease_ttl = None
    until(lambda: "its lease expired" in running.objection())
    running.end()
    cluster.lease_ttl = "5"
    running = started(cluster, lax)
    cluster.forgotten = {"127.0.0.3": "1"}
    until(lambda: "a read did not give" in running.objection())
    running.end()


def test_who_cannot_write_says_why_before_anything_begins(cluster: Cluster) -> None:
    cluster.silent = set(ADDRESSES)
    made = probe(cluster, patience_s=0.1)
    said = made.begin()
    for name in ("server1", "server2", "server3"):
        assert f"{name} over http (http://127.0.0.{name[-1]}:{cluster.port}): HTTP 503" in said
    made.end()


def test_a_member_that_nobody_reaches_is_named_with_the_reason(cluster: Cluster) -> None:
    assert {} == silent(reach(cluster))
    lost = Reach(("127.0.0.1", "127.0.0.9"), cluster.port, ssl.create_default_context(), 1.0)
    assert ["127.0.0.9"] == list(silent(lost))
    assert f"http://127.0.0.9:{cluster.port}: connection refused" in silent(lost)["127.0.0.9"]


def test_who_serves_https_is_never_spoken_to_in_plain_http(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Endpoint] = []

    def ask(self: Session, request: Request) -> Body:
        asked.append(self.endpoint)
        return {"etcdserver": "3.5.30"} if request.path == "/version" else {"kvs": []}

    monkeypatch.setattr(Session, "ask", ask)
    assert {} == silent(reach(cluster))
    made = probe(cluster)
    made._way.look()
    made._prober._lost()
    assert len(asked) >= 3 * 4, "each is looked at, and read from twice"
    assert {"https"} == {one.scheme for one in asked}


def test_the_way_to_read_back_is_http_as_long_as_that_is_all_there_is(cluster: Cluster) -> None:
    made = probe(cluster)
    made._way.look()
    assert "http" == made._prober._reach.ways_now(ADDRESSES[0])[0].endpoint.scheme
    made._way.stage = Stage.EXTRA
    reached = replace(made._prober._reach, extra_port=2378).ways_now(ADDRESSES[0])
    assert ["https", "https"] == [one.endpoint.scheme for one in reached]
