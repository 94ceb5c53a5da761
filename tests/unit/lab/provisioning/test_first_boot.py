"""What a host is given before it boots: its etcd's first settings, and the unit that starts it."""

from pathlib import Path

import pytest

from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import furnishing, initial_settings, plan_copy
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.plan.model import Cluster, Proxy

THREE_MEMBERS = Path(__file__).parents[4] / "plans" / "three-members.yaml"


@pytest.fixture
def cluster() -> Cluster:
    return plan_copy.read(THREE_MEMBERS)


def test_a_member_starts_on_plain_http_as_in_the_guide(cluster: Cluster) -> None:
    expected = {
        "ETCD_NAME": "server2",
        "ETCD_DATA_DIR": "/var/lib/etcd/three-members",
        "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
        "ETCD_ADVERTISE_CLIENT_URLS": "http://198.18.0.102:2379",
        "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380",
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": "http://198.18.0.102:2380",
        "ETCD_INITIAL_CLUSTER": "server1=http://198.18.0.101:2380,server2=http://198.18.0.102:2380,"
        "server3=http://198.18.0.103:2380",
        "ETCD_INITIAL_CLUSTER_TOKEN": "three-members",
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_MAX_WALS": "3",
    }
    assert expected == initial_settings.of(cluster, cluster.members[1], Extra(members={"ETCD_MAX_WALS": "3"}))


def test_a_proxy_starts_as_one_that_everybody_may_use(cluster: Cluster) -> None:
    proxy = Proxy(**{**dict(cluster.members[0]), "name": "client1", "address": "198.18.0.201"})
    expected = {
        "ETCD_PROXY": "on",
        "ETCD_NAME": "client1",
        "ETCD_DATA_DIR": "/var/lib/etcd/three-members-proxy",
        "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
        "ETCD_INITIAL_CLUSTER": "server1=http://198.18.0.101:2380,server2=http://198.18.0.102:2380,"
        "server3=http://198.18.0.103:2380",
        "ETCD_PROXY_REFRESH_INTERVAL": "2000",
    }
    extra = Extra(proxies={"ETCD_PROXY_REFRESH_INTERVAL": "2000"})
    assert expected == initial_settings.of(cluster.model_copy(update={"proxies": (proxy,)}), proxy, extra)


def test_members_serve_v2_where_the_plan_needs_it(cluster: Cluster) -> None:
    proxy = Proxy(**{**dict(cluster.members[0]), "name": "client1", "address": "198.18.0.201"})
    for update, expected in (({}, None), ({"api": "v2"}, "true"), ({"proxies": (proxy,)}, "true")):
        changed = cluster.model_copy(update=update)
        found = initial_settings.of(changed, changed.members[0], Extra())
        assert expected == found.get("ETCD_ENABLE_V2")


def test_an_ipv6_member_listens_on_ipv6(cluster: Cluster) -> None:
    six = cluster.members[0].model_copy(update={"address": "2001:db8::1"})
    found = initial_settings.of(cluster, six, Extra())
    assert "http://[::]:2379" == found["ETCD_LISTEN_CLIENT_URLS"]
    assert "http://[2001:db8::1]:2380" == found["ETCD_INITIAL_ADVERTISE_PEER_URLS"]


def test_the_drop_in_has_the_guides_form_and_keeps_systemd_from_expanding_values() -> None:
    expected = '[Service]\nEnvironment="ETCD_NAME=a"\nEnvironment="ETCD_DATA_DIR=/100%%\\"\\\\"\n'
    assert expected == initial_settings.drop_in({"ETCD_NAME": "a", "ETCD_DATA_DIR": '/100%"\\'})


@pytest.mark.parametrize(
    ("unit", "links"),
    [
        ("etcd.service", ["etcd2.service", "multi-user.target.wants/etcd.service"]),
        ("etcd2.service", ["etcd2.service", "multi-user.target.wants/etcd.service"]),
        ("kv.service", ["multi-user.target.wants/kv.service"]),
    ],
)
def test_etcd_starts_at_boot_under_the_plans_name(tmp_path: Path, unit: str, links: list[str]) -> None:
    units = tmp_path / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    debian = tmp_path / furnishing.DEBIAN_UNIT
    debian.parent.mkdir(parents=True)
    debian.write_text("[Install]\nWantedBy=multi-user.target\nAlias=etcd2.service\n")
    furnishing.enable(tmp_path, unit)
    found = [str(path.relative_to(units)) for path in units.rglob("*") if path.is_symlink()]
    assert links == sorted(found)
    if unit == "kv.service":
        assert "[Install]\nWantedBy=multi-user.target\n" == (units / unit).read_text()


def test_a_unit_of_another_program_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "lib/systemd/system").mkdir(parents=True)
    (tmp_path / "lib/systemd/system/ssh.service").touch()
    with pytest.raises(LabError, match="another program's"):
        furnishing.enable(tmp_path, "ssh.service")
