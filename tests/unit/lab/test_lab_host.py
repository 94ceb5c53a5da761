"""What a host is given before it boots, and the networks and control groups it is put into."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from orchestrator.cluster.model import Cluster, Proxy
from orchestrator.lab import cgroups, furnishing, network, plancopy, settings
from orchestrator.lab.command import LabError, require
from orchestrator.lab.settings import Extra

THREE_MEMBERS = Path(__file__).parents[3] / "plans" / "three-members.yaml"


@pytest.fixture
def cluster() -> Cluster:
    return plancopy.read(THREE_MEMBERS)


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
    assert expected == settings.of(cluster, cluster.members[1], Extra(members={"ETCD_MAX_WALS": "3"}))


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
    assert expected == settings.of(cluster.model_copy(update={"proxies": (proxy,)}), proxy, extra)


def test_members_serve_v2_where_the_plan_needs_it(cluster: Cluster) -> None:
    proxy = Proxy(**{**dict(cluster.members[0]), "name": "client1", "address": "198.18.0.201"})
    for update, expected in (({}, None), ({"api": "v2"}, "true"), ({"proxies": (proxy,)}, "true")):
        changed = cluster.model_copy(update=update)
        found = settings.of(changed, changed.members[0], Extra())
        assert expected == found.get("ETCD_ENABLE_V2")


def test_an_ipv6_member_listens_on_ipv6(cluster: Cluster) -> None:
    six = cluster.members[0].model_copy(update={"address": "2001:db8::1"})
    found = settings.of(cluster, six, Extra())
    assert "http://[::]:2379" == found["ETCD_LISTEN_CLIENT_URLS"]
    assert "http://[2001:db8::1]:2380" == found["ETCD_INITIAL_ADVERTISE_PEER_URLS"]


def test_the_drop_in_has_the_guides_form_and_keeps_systemd_from_expanding_values() -> None:
    expected = '[Service]\nEnvironment="ETCD_NAME=a"\nEnvironment="ETCD_DATA_DIR=/100%%\\"\\\\"\n'
    assert expected == settings.drop_in({"ETCD_NAME": "a", "ETCD_DATA_DIR": '/100%"\\'})


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


def test_a_dns_name_cannot_be_given_to_an_interface() -> None:
    assert ip_address("192.0.2.1") == network.parse("server1", "192.0.2.1")
    with pytest.raises(LabError, match=r"server1: the lab needs an IP address, and 'etcd\.example\.org'"):
        network.parse("server1", "etcd.example.org")


def test_the_bastion_takes_no_members_address() -> None:
    assert ("198.19.255.254", "2001:db8:ffff:ffff::fffe") == bastion()
    taken = ("198.19.255.254", "198.19.255.253", "2001:db8:ffff:ffff::fffe")
    assert ("198.19.255.252", "2001:db8:ffff:ffff::fffd") == bastion(*taken)


def bastion(*taken: str) -> tuple[str, str]:
    ipv4, ipv6 = network.bastion_addresses(frozenset(map(ip_address, taken)))
    return str(ipv4), str(ipv6)


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        ("30 25 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate", "/sys/fs/cgroup"),
        ("42 36 0:39 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd", "/sys/fs/cgroup/systemd"),
        ("43 36 0:40 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", None),
        ("24 1 254:0 / / rw - ext4 /dev/vda rw", None),
    ],
)
def test_groups_go_where_systemd_tracks_services(mount: str, expected: str | None) -> None:
    assert (None if expected is None else Path(expected)) == cgroups.hierarchy(mount)


def test_a_missing_program_is_named_with_its_debian_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        LabError, match=r"no systemd-nspawn, ip\. .*apt-get install iproute2 systemd-container"
    ):
        require("systemd-nspawn", "ip")
