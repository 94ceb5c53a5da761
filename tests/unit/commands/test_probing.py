"""The probe of a run: through whom it writes, and what it says where it cannot begin."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine.walking import context
from engine.world import World, make_cluster
from support.fake_sessions import session_on
from support.small_etcd import ADDRESSES, serving
from support.small_etcd import Cluster as SmallEtcd
from support.waiting import until

from orchestrator.commands import probing, rollback, run
from orchestrator.commands.phases.call import RunOptions
from orchestrator.engine.events import Direction
from orchestrator.errors import RefusedError
from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Auth, Cluster
from orchestrator.probe import live
from orchestrator.probe.http_session import Endpoint
from orchestrator.session import Session

FACTS = Facts(cluster_id="c1", members={})
RUN = "ab12cd34"
PREFIX = f"/orchestrator-probe-{RUN}/"


@pytest.fixture
def etcd() -> Iterator[SmallEtcd]:
    with serving(SmallEtcd()) as served:
        yield served


def cluster_at(folder: Path, port: int, addresses: tuple[str, ...] = ADDRESSES) -> Cluster:
    cluster = make_cluster(folder)
    authority = Authority.make("a CA")
    authority.write(cluster.tls.ca)
    authority.issue("anna").write(cluster.tls.client_certificate, cluster.tls.client_key)
    members = zip(cluster.members, addresses, strict=True)
    return cluster.model_copy(
        update={
            "members": tuple(one.model_copy(update={"address": address}) for one, address in members),
            "ports": cluster.ports.model_copy(update={"client": port}),
        }
    )


def session_of(folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Session:
    return session_on(folder, World(cluster), monkeypatch)


def test_it_writes_through_every_member_and_leaves_nothing(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = probing.begun(
        session_of(tmp_path, cluster_at(tmp_path, etcd.port), monkeypatch), RUN, FACTS, print
    )
    assert ("server1", "server2", "server3") == probe.through
    assert () == probe.missed
    assert {PREFIX} == {key[: len(PREFIX)] for key in etcd.store}
    assert ("", 0) == (probe.objection(), probe.account().failed)
    probe.end()
    assert {} == etcd.store


def test_what_it_waits_for_at_its_end_and_what_it_leaves_is_said(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "END_S", 2.0)
    said: list[str] = []
    cluster = cluster_at(tmp_path, etcd.port)
    probe = probing.begun(session_of(tmp_path, cluster, monkeypatch), RUN, FACTS, said.append)
    probe.probe.start()
    etcd.silent = set(ADDRESSES)
    probe.end()
    probe.end()
    waiting, left = said
    assert (
        f"the probe: waiting for 1 s at most until members answer: its keys below {PREFIX} are removed then"
        == waiting
    )
    assert left.startswith(f"the probe: its keys below {PREFIX} could not be removed within 2 s: server")
    urls = ",".join(f"http://{address}:{etcd.port}" for address in ADDRESSES)
    assert left.endswith(
        ". They go by themselves with its lease, about 30 s from now. "
        f"To see that: ETCDCTL_API=3 etcdctl --endpoints={urls} get --prefix --keys-only {PREFIX}; "
        f"to remove them: ETCDCTL_API=3 etcdctl --endpoints={urls} del --prefix {PREFIX}"
    ), left


def test_a_probe_that_fails_itself_stops_the_run_and_says_that_it_is_not_the_cluster(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = probing.begun(
        session_of(tmp_path, cluster_at(tmp_path, etcd.port), monkeypatch), RUN, FACTS, print
    )
    etcd.lease_ttl = "planted"
    probe.probe.start()
    until(probe.objection)
    probe.end()
    said = probe.objection()
    assert said.startswith("the probe itself failed, which says nothing of the cluster: ")
    assert "'planted'" in said


def test_the_command_that_removes_what_is_left_goes_where_the_probe_went(
    tmp_path: Path,
) -> None:
    cluster = cluster_at(tmp_path, 2379)
    endpoints = (Endpoint("https", "127.0.0.1", 2379), Endpoint("https", "::1", 2379))
    tls = cluster.tls
    assert (
        f"ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379,'https://[::1]:2379' --cacert={tls.ca} "
        f"--cert={tls.client_certificate} --key={tls.client_key} del --prefix {PREFIX}"
    ).replace("'", "") == probing.etcdctl(cluster, endpoints, "del", "--prefix", PREFIX).replace("'", "")


def test_the_way_there_and_the_way_back_are_taken_under_the_probe(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = cluster_at(tmp_path, etcd.port)
    session, told = session_of(tmp_path, cluster, monkeypatch), context(cluster)
    run.live(session, told, RunOptions(probe=True), confirm=None)
    there, _ = capsys.readouterr()
    rollback.live(session, told, confirm=None, probe=True)
    back, _ = capsys.readouterr()
    for said in (there, back):
        assert "probe: writes and reads 10 times a second through server1, server2, server3" in said
        assert "\nprobe: 0 of " in said
    assert {} == etcd.store


def test_an_objection_says_with_which_command_the_probe_goes_on(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(tmp_path, cluster_at(tmp_path, etcd.port), monkeypatch)
    monkeypatch.setattr(probing, "PATIENCE_S", 0.1)
    ways: tuple[tuple[Direction, str], ...] = (
        ("forward", session.command("run", "--resume", "--probe")),
        ("back", session.command("rollback", "--probe")),
    )
    for way, command in ways:
        probe = probing.begun(session, RUN, FACTS, print, way)
        probe.probe.start()
        etcd.silent = set(ADDRESSES)
        until(probe.objection)
        etcd.silent = set()
        probe.end()
        said = probe.objection()
        assert said.startswith("the probe objects: ")
        assert said.endswith(f". To go on with the probe: {command}")


def test_a_member_out_of_reach_is_left_out_by_name(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_at(tmp_path, etcd.port, ("127.0.0.1", "127.0.0.9", "127.0.0.3"))
    probe = probing.begun(session_of(tmp_path, cluster, monkeypatch), RUN, FACTS, print)
    probe.end()
    assert ("server1", "server3") == probe.through
    assert probe.missed[0].startswith(f"server2: https://127.0.0.9:{etcd.port}: connection refused; http://")


def refusal(folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, facts: Facts = FACTS) -> str:
    with pytest.raises(RefusedError, match=r"^nothing was changed now: the probe cannot begin: ") as refused:
        probing.begun(session_of(folder, cluster, monkeypatch), RUN, facts, print)
    return str(refused.value)


def test_who_reaches_no_member_is_refused_and_told_what_else_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_at(tmp_path, 9, ("127.0.0.7", "127.0.0.8", "127.0.0.9"))
    said = refusal(tmp_path, cluster, monkeypatch)
    assert "no member answers this machine on its client port: server1: https://127.0.0.7:9: " in said
    assert "Run without --probe, or from a machine that reaches the members' client ports" in said
    assert said.endswith(f"rehearse {tmp_path}/plan.yaml")


def test_a_cluster_that_takes_no_write_is_refused_and_nothing_is_left(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_at(tmp_path, etcd.port)
    monkeypatch.setattr(probing, "PATIENCE_S", 0.1)
    etcd.silent = set(ADDRESSES)
    said = refusal(tmp_path, cluster, monkeypatch)
    assert (
        f"it cannot write and read below {PREFIX}: server1 over http (http://127.0.0.1:{etcd.port}): HTTP 503"
        in said
    )
    assert {} == etcd.store


def test_what_it_does_not_speak_is_refused(
    tmp_path: Path, etcd: SmallEtcd, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_at(tmp_path, etcd.port)
    v2 = FACTS.model_copy(update={"api": "v2"})
    assert "this cluster is used through v2" in refusal(tmp_path, cluster, monkeypatch, v2)
    secret = tmp_path / "password"
    secret.write_text("planted")
    secret.chmod(0o600)
    named = cluster.model_copy(update={"auth": Auth(user="root", password_file=secret)})
    said = refusal(tmp_path, named, monkeypatch)
    assert "client.pem has a common name, and with authentication on etcd's gateway takes no " in said
    assert "planted" not in said
