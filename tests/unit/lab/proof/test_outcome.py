"""What a rehearsal says: the judgement, and the text."""

from dataclasses import replace

import pytest
from unit.lab.proof.outcomes import BOTH, CLUSTER, DOORS, GOOD, MEMBERS, PROBE

from orchestrator.lab.clients.local_clients import LocalClient
from orchestrator.lab.proof.access import Reception, Visitor
from orchestrator.lab.proof.evidence import MemberProof, ProxyProof
from orchestrator.lab.proof.outcome import Closing, WayBack, shortcomings
from orchestrator.lab.proof.rendering import render, table
from orchestrator.probe.tally import ClientReport

EXPECTED = """\
member   peer URLs                  client URLs                restarts
server1  https://198.18.0.101:2380  https://198.18.0.101:2379  2
server2  https://198.18.0.102:2380  https://198.18.0.102:2379  2
server3  https://198.18.0.103:2380  https://198.18.0.103:2379  2

who probes where                              server1      server2      server3
client port: plain http                       refused      refused      refused
client port: https, no certificate            refused      refused      refused
client port: https, a stranger's certificate  refused      refused      refused
client port: https, our certificate           answered     answered     answered
peer port: plain http                         refused      refused      refused
peer port: https, no certificate              refused      refused      refused
peer port: https, a stranger's certificate    refused      refused      refused
peer port: https, our certificate             answered     answered     answered
port 4001: plain http, on the host            answered     answered     answered
port 4001: plain http, from outside           unreachable  unreachable  unreachable

writes         2000 offered, 2000 acknowledged (1700 over http, 300 over https)
failed         0 writes, 0 of 2000 reads
lost           0; all acknowledged writes were looked for on each of 3 members
history        0 contradictions in 2000 writes and 2000 reads; a watch delivered 2000 revisions
longest stall  0.042 s, 7.2 s after the first write
latency        median 1.5 ms, 99 % 4.9 ms
fail-overs     9
lease          alive, 20 renewals, 0 failed
program        exit 0 after 17.3 s
in all         20.8 s

Proved.
"""


def test_a_good_rehearsal_is_proved() -> None:
    assert EXPECTED == render(GOOD)
    assert () == shortcomings(GOOD)
    assert 0 == GOOD.exit_code


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"acknowledged": 0}, "Not a single write was acknowledged."),
        ({"failed": 2}, "2 writes failed."),
        ({"lost": 1}, "1 acknowledged writes are lost."),
        ({"contradiction_examples": ("it missed one",)}, "Against what etcd promises: it missed one."),
        ({"failed_reads": 1}, "1 reads failed."),
        ({"wrong_reads": 3}, "3 reads did not give what had just been written."),
        ({"lease": "expired"}, "The client's lease is expired."),
        ({"lease": "unknown"}, "The client's lease is unknown."),
    ],
)
def test_what_the_client_suffered_is_not_passed_over(change: dict[str, object], expected: str) -> None:
    outcome = replace(GOOD, probe=PROBE.model_copy(update=change))
    assert (expected,) == shortcomings(outcome)
    assert 1 == outcome.exit_code
    assert render(outcome).endswith(f"\nNot proved:\n  {expected}\n")


def test_a_local_port_is_open_where_the_plan_wants_one_and_closed_where_it_wants_none() -> None:
    closed = replace(GOOD, members=tuple(replace(one, local=Reception.UNREACHABLE) for one in MEMBERS))
    for local, fine, bad in (("none", closed, GOOD), (4001, GOOD, closed)):
        cluster = CLUSTER.model_copy(update={"ports": CLUSTER.ports.model_copy(update={"local": local})})
        assert () == shortcomings(replace(fine, cluster=cluster))
        assert 3 == len(shortcomings(replace(bad, cluster=cluster)))
    unsaid = CLUSTER.model_copy(update={"ports": CLUSTER.ports.model_copy(update={"local": "auto"})})
    assert () == (
        *shortcomings(replace(GOOD, cluster=unsaid)),
        *shortcomings(replace(closed, cluster=unsaid)),
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            replace(MEMBERS[0], peer_urls=tuple(BOTH.split(","))),
            f"server1 is registered for peers as {BOTH}, not with https alone.",
        ),
        (
            replace(MEMBERS[0], client_urls=()),
            "server1 is registered for clients as nothing, not with https alone.",
        ),
        (
            replace(MEMBERS[0], client_port=DOORS | {Visitor.NAMELESS: Reception.ANSWERED}),
            "server1, client port: https, no certificate was answered, not refused.",
        ),
        (
            replace(MEMBERS[0], peer_port=DOORS | {Visitor.STRANGER: Reception.UNREACHABLE}),
            "server1, peer port: https, a stranger's certificate was unreachable, not refused.",
        ),
        (
            replace(MEMBERS[0], peer_port=DOORS | {Visitor.FRIEND: Reception.MISTRUSTED}),
            "server1, peer port: https, our certificate was mistrusted, not answered.",
        ),
        (
            replace(MEMBERS[0], local=Reception.UNREACHABLE),
            "server1: the local port is unreachable on the host itself.",
        ),
        (
            replace(MEMBERS[0], local_from_outside=Reception.ANSWERED),
            "server1: the local port was answered from outside.",
        ),
    ],
)
def test_one_members_fault_is_enough(changed: MemberProof, expected: str) -> None:
    assert (expected,) == shortcomings(replace(GOOD, members=(changed, *MEMBERS[1:])))


def test_without_client_authentication_certificates_do_not_matter() -> None:
    tls = CLUSTER.tls.model_copy(update={"client_cert_auth": False})
    open_doors = DOORS | {Visitor.NAMELESS: Reception.ANSWERED, Visitor.STRANGER: Reception.ANSWERED}
    members = tuple(replace(member, client_port=open_doors) for member in MEMBERS)
    outcome = replace(GOOD, cluster=CLUSTER.model_copy(update={"tls": tls}), members=members)
    assert () == shortcomings(outcome)


def test_the_programs_own_exit_code_is_passed_on() -> None:
    outcome = replace(GOOD, program_exit=7)
    assert 7 == outcome.exit_code
    assert ("The program ended with exit code 7.",) == shortcomings(outcome)


PEERS = tuple(f"https://{member.address}:2380" for member in CLUSTER.members)
INSIDE, OUTSIDE = (dict.fromkeys((2379, 4001), seen) for seen in (Reception.ANSWERED, Reception.UNREACHABLE))
PROXY = ProxyProof("client1", INSIDE, OUTSIDE, PEERS, restarts=1)
FLEET = LocalClient(
    "server1", "fleet", "active", is_well=True, errors_before=1, errors_after=2, last_error_s=12.34
)
QUIET = LocalClient(
    "server2", "fleet", "active", is_well=True, errors_before=0, errors_after=0, last_error_s=None
)
WAY = PROBE.model_copy(
    update={"attempts": 400, "acknowledged": 400, "longest_stall_s": 1.0721, "lease": "none"}
)
WHOLE = replace(
    GOOD,
    proxies=(PROXY,),
    single_ways={"client1": WAY, "server1": WAY},
    local_clients=(FLEET, QUIET),
    closing=Closing(0, "member   stands in\nserver1  sealed\n"),
)

MORE = """\
proxy                                client1
port 2379: plain http, on the host   answered
port 2379: plain http, from outside  unreachable
port 4001: plain http, on the host   answered
port 4001: plain http, from outside  unreachable
peer URLs it works with              https://198.18.0.101:2380,https://198.18.0.102:2380,https://198.18.0.103:2380
restarts                             1

writes through  offered  acknowledged  failed  lost  longest stall
every member    2000     2000          0       0     0.042 s
client1         400      400           0       0     1.072 s
server1         400      400           0       0     1.072 s

local client  on       state   errors before etcd's last start  since  last error
fleet         server1  active  1                                2      12.3 s ago
fleet         server2  active  0                                0      none

"""


def test_proxies_single_ways_and_local_clients_have_tables_of_their_own() -> None:
    before, after = EXPECTED.split("writes  ", 1)
    assert f"member   stands in\nserver1  sealed\n\n{before}{MORE}writes  {after}" == render(WHOLE)
    assert () == shortcomings(WHOLE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"acknowledged": 0}, "client1: not a single write through it was acknowledged."),
        ({"lost": 2}, "client1: 2 acknowledged writes through it are lost."),
        ({"wrong_reads": 1}, "client1: 1 reads through it did not give what had just been written."),
        ({"failed": 3, "failed_reads": 1}, None),
    ],
)
def test_a_single_way_may_fail_but_lose_nothing(change: dict[str, object], expected: str | None) -> None:
    outcome = replace(WHOLE, single_ways={"client1": WAY.model_copy(update=change)})
    assert (() if expected is None else (expected,)) == shortcomings(outcome)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            replace(PROXY, on_host=INSIDE | {4001: Reception.REFUSED}),
            "client1: port 4001 is refused on the host itself.",
        ),
        (
            replace(PROXY, from_outside=OUTSIDE | {2379: Reception.ANSWERED}),
            "client1: port 2379 was answered from outside.",
        ),
        (
            replace(PROXY, peer_urls=("http://198.18.0.101:2380",)),
            f"client1 works with the peers http://198.18.0.101:2380, not {','.join(PEERS)}.",
        ),
    ],
)
def test_a_proxy_is_there_for_its_host_alone_and_knows_the_peers(changed: ProxyProof, expected: str) -> None:
    assert (expected,) == shortcomings(replace(WHOLE, proxies=(changed,)))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (replace(FLEET, state="failed"), "server1: fleet is failed."),
        (replace(FLEET, is_well=False), "server1: fleet still complains."),
    ],
)
def test_a_local_client_has_to_be_well_in_the_end(changed: LocalClient, expected: str) -> None:
    assert (expected,) == shortcomings(replace(WHOLE, local_clients=(changed, QUIET)))


def test_a_closing_command_that_fails_proves_nothing() -> None:
    outcome = replace(GOOD, closing=Closing(4, "error: server2: no route\n"))
    assert ("The closing command ended with exit code 4.",) == shortcomings(outcome)
    assert render(outcome).startswith("error: server2: no route\n\nmember ")


def test_columns_are_aligned() -> None:
    assert "a    bb\nccc  d" == table([("a", "bb"), ("ccc", "d")])
    assert "" == table([])


def test_a_rollback_that_does_not_bring_everything_back_proves_nothing() -> None:
    back = WayBack(0, 21.04, ())
    assert () == shortcomings(replace(GOOD, way_back=back))
    assert "rollback       exit 0 after 21.0 s" in render(replace(GOOD, way_back=back))
    lacking = replace(GOOD, way_back=WayBack(7, 3.0, ("server1: /etc/etcd.env is not as it was found.",)))
    expected = ("The rollback ended with exit code 7.", "server1: /etc/etcd.env is not as it was found.")
    assert expected == shortcomings(lacking)


def test_clients_of_every_kind_have_a_line_each_beside_the_main_one() -> None:
    plain = ClientReport(
        kind="http for good",
        attempts=300,
        failed=1,
        failed_at=(2000.0,),
        longest_stall_s=9.5,
        missed=0,
        broken=(),
        complaints=(),
        writes_over={"http": 150, "https": 0},
    )
    lock = plain.model_copy(update={"kind": "etcdctl lock", "failed": 0, "missed": None, "writes_over": {}})
    outcome = replace(GOOD, crowd=(plain, lock), http_closed_at=1000.0)
    assert () == shortcomings(outcome)
    assert CROWD in render(outcome)
    lost = replace(outcome, crowd=(lock.model_copy(update={"broken": ("lock-1 lost it",)}),))
    assert ("etcdctl lock: lock-1 lost it.",) == shortcomings(lost)
    open_still = replace(outcome, http_closed_at=None)
    assert ("http for good: 1 of 300 operations failed.",) == shortcomings(open_still)


CROWD = """
client          operations  failed  longest stall  missed revisions
moves to https  4000        0       0.042 s        0                 1700 over http, 300 over https
http for good   300         0       9.500 s        0                 closed on purpose
etcdctl lock    300         0       9.500 s

"""
