"""Settings: what a member is given follows from what it had, and nothing of it is lost."""

from pathlib import Path
from typing import Any

import pytest
from engine.world import make_cluster
from ruamel.yaml import YAML
from support.targets import target

from orchestrator.etcd import local_port, stages
from orchestrator.etcd.install import drop_ins
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Watch

CASES = YAML(typ="safe", pure=True).load((Path(__file__).parents[2] / "cases" / "settings.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_listeners_follow_from_what_was_found(case: dict[str, Any], tmp_path: Path) -> None:
    watch = Watch(units=tuple(case.get("watch", ())))
    cluster = make_cluster(tmp_path, local=case.get("local", 4001)).model_copy(update={"watch": watch})
    member = target(tmp_path, dict(case["found"]), cluster)
    listeners = stages.tls_listeners(member)

    assert case["accepting"] == ",".join(local_port.clients_http(member))
    assert case.get("told") == local_port.opened(member).get("ETCD_ADVERTISE_CLIENT_URLS")
    assert case["clients"] == listeners["ETCD_LISTEN_CLIENT_URLS"]
    assert case["peers"] == listeners["ETCD_LISTEN_PEER_URLS"]
    assert case["advertised"] == listeners["ETCD_ADVERTISE_CLIENT_URLS"]


def test_a_rebuilt_member_would_find_the_cluster_in_https_under_etcds_own_names(tmp_path: Path) -> None:
    member = target(tmp_path, {"ETCD_INITIAL_CLUSTER": "etcd-1=http://198.18.0.101:2380"})
    initial = stages.tls_listeners(member)["ETCD_INITIAL_CLUSTER"]
    assert (
        "etcd-1=https://198.18.0.101:2380,etcd-2=https://198.18.0.102:2380,etcd-3=https://198.18.0.103:2380"
        == initial
    )


@pytest.mark.parametrize("found", [{}, {"ETCD_INITIAL_CLUSTER": ""}])
def test_a_member_that_has_no_initial_cluster_is_given_none(tmp_path: Path, found: dict[str, str]) -> None:
    # together with ETCD_DISCOVERY or ETCD_DISCOVERY_SRV it is fatal: "multiple discovery or bootstrap flags"
    listeners = stages.tls_listeners(target(tmp_path, found))
    assert "ETCD_INITIAL_CLUSTER" not in listeners
    assert "https://198.18.0.101:2380" == listeners["ETCD_INITIAL_ADVERTISE_PEER_URLS"]


def test_without_client_authentication_the_ca_setting_is_left_out_for_clients(tmp_path: Path) -> None:
    member = target(tmp_path, {})
    tls = member.cluster.tls.model_copy(update={"client_cert_auth": False})
    trusting = Target(member.cluster.model_copy(update={"tls": tls}), member.facts, member.host)
    reported = stages.certificates(trusting)

    assert "ETCD_TRUSTED_CA_FILE" not in reported
    assert "ETCD_CLIENT_CERT_AUTH" not in reported
    assert "/etc/etcd2/ca.pem" == reported["ETCD_PEER_TRUSTED_CA_FILE"]


def test_a_drop_in_quotes_what_systemd_would_expand() -> None:
    text = drop_ins.setting({"ETCD_NAME": 'a "b" 50%\\'})
    assert '[Service]\nEnvironment="ETCD_NAME=a \\"b\\" 50%%\\\\"\n' == text
