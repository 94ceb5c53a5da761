"""The networks and control groups that hosts are put into, and the programs that the lab needs."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from orchestrator.lab.machine import cgroups, network
from orchestrator.lab.machine.programs import LabError, require


def test_the_bastion_takes_no_members_address() -> None:
    assert ("198.19.255.254", "2001:db8:ffff:ffff::fffe") == bastion()
    taken = ("198.19.255.254", "198.19.255.253", "2001:db8:ffff:ffff::fffe")
    assert ("198.19.255.252", "2001:db8:ffff:ffff::fffd") == bastion(*taken)


def bastion(*taken: str) -> tuple[str, str]:
    ipv4, ipv6 = network.bastion_addresses(frozenset(map(ip_address, taken)))
    return str(ipv4), str(ipv6)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (("198.18.0.101",), ["198.19.255.253", "198.19.255.252"]),
        (("198.18.0.101", "198.19.255.253"), ["198.19.255.252", "198.19.255.251"]),
        (("2001:db8::1",), ["2001:db8:ffff:ffff::fffd", "2001:db8:ffff:ffff::fffc"]),
    ],
)
def test_clients_of_their_own_address_take_nobodys(taken: tuple[str, ...], expected: list[str]) -> None:
    assert expected == [str(each) for each in network.more_addresses(frozenset(map(ip_address, taken)), 2)]


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
