"""Which addresses hosts have in the lab, whatever the plan names them by."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import addressing, credentials, plan_copy
from orchestrator.plan.model import Cluster

THREE_MEMBERS = Path(__file__).parents[4] / "plans" / "three-members.yaml"


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A plan with an address, a name, and a name whose host is reached in some way of its own."""
    plan = tmp_path / "named.yaml"
    text = THREE_MEMBERS.read_text().replace("198.18.0.102", "two.example.org")
    plan.write_text(text.replace("198.18.0.103}", "three.example.org, ssh: {host: gate, port: 2222}}"))
    return plan


def given(plan: Path, found: Mapping[str, Sequence[str]]) -> list[list[str]]:
    cluster = plan_copy.read(plan)
    return [list(map(str, addresses)) for addresses in addressing.of(cluster, found).values()]


def test_a_host_with_a_dns_name_gets_an_address_unless_it_was_found_with_some(named: Path) -> None:
    assert [["198.18.0.101"], ["198.19.254.1"], ["198.19.254.2"]] == given(named, {})
    found = {"server1": ["192.0.2.9"], "server2": ["198.19.254.1", "2001:db8::2"]}
    expected = [["198.18.0.101", "192.0.2.9"], ["198.19.254.1", "2001:db8::2"], ["198.19.254.2"]]
    assert expected == given(named, found)


def test_two_hosts_cannot_have_one_address(named: Path) -> None:
    with pytest.raises(LabError, match=r"server3 and server2 both have the address 192\.0\.2\.9"):
        given(named, {"server2": ["192.0.2.9"], "server3": ["192.0.2.9"]})


def copied(named: Path) -> Cluster:
    (named.parent / "lab").mkdir()
    return plan_copy.copy(named, named.parent / "lab")


def test_the_copy_keeps_the_name_and_reaches_the_host_at_its_address(named: Path) -> None:
    one, two, three = copied(named).members
    assert ("198.18.0.101", "198.18.0.101") == (one.address, one.ssh.host)
    assert ("two.example.org", "198.19.254.1") == (two.address, two.ssh.host)
    assert ("three.example.org", "198.19.254.2", 2222) == (three.address, three.ssh.host, three.ssh.port)


def test_a_certificate_holds_the_name_and_the_address(named: Path) -> None:
    two = copied(named).members[1]
    assert ("two.example.org", "198.19.254.1") == credentials.alternatives(two)[:2]
