"""A rehearsal that proved everything, and its parts."""

from pathlib import Path

from orchestrator.lab.proof.access import Reception, Visitor
from orchestrator.lab.proof.evidence import MemberProof
from orchestrator.lab.proof.outcome import Outcome
from orchestrator.lab.provisioning import plan_copy
from orchestrator.probe.tally import ProbeReport

CLUSTER = plan_copy.read(Path(__file__).parents[4] / "plans" / "three-members.yaml")
DOORS = dict.fromkeys(Visitor, Reception.REFUSED) | {Visitor.FRIEND: Reception.ANSWERED}
PROBE = ProbeReport(
    started_at="2030-01-01T00:00:00.000+00:00",
    took_s=20.0,
    attempts=2000,
    acknowledged=2000,
    failed=0,
    lost=0,
    lost_examples=(),
    longest_stall_s=0.0421,
    longest_stall_after_s=7.25,
    median_latency_s=0.00151,
    p99_latency_s=0.0049,
    failovers=9,
    writes_over={"http": 1700, "https": 300},
    reads=2000,
    failed_reads=0,
    wrong_reads=0,
    lease="alive",
    lease_renewals=20,
    failed_lease_renewals=0,
    watched=2000,
    contradictions=0,
    contradiction_examples=(),
    complaints=(),
)


def proof(name: str, address: str) -> MemberProof:
    return MemberProof(
        name=name,
        peer_urls=(f"https://{address}:2380",),
        client_urls=(f"https://{address}:2379",),
        client_port=DOORS,
        peer_port=DOORS,
        local=Reception.ANSWERED,
        local_from_outside=Reception.UNREACHABLE,
        restarts=2,
    )


MEMBERS = tuple(proof(member.name, member.address) for member in CLUSTER.members)
BOTH = "http://198.18.0.101:2380,https://198.18.0.101:2380"
GOOD = Outcome(CLUSTER, MEMBERS, PROBE, program_exit=0, program_took_s=17.3, took_s=20.8)
