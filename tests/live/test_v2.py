"""The whole migration through etcd's v2 interface, on members of etcd 3.4.23 that serve it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import (
    events,
    failure,
    fingerprint,
    orchestrator,
    restarts,
    run_and_kill,
    state_file,
    writing,
)

from orchestrator.engine.events import HandedOver, Recorded, StepStarted
from orchestrator.engine.progress import Progress
from orchestrator.etcd.api.v2 import V2
from orchestrator.etcd.checks.site import assumed
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.settings import Paths
from orchestrator.host.questions import Answer
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.plan.facts import Target

V3_WORDS = ("move-leader", "--peer-urls", "endpoint", "ETCDCTL_API=3")
MEMBERS = ("server1", "server2", "server3")


@pytest.fixture
def v2_plan(tmp_path: Path) -> Path:
    plan = tmp_path / "v2.yaml"
    text = THREE_MEMBERS.read_text().replace("local: 4001", "local: none")  # v2's own words over https too
    plan.write_text(text + "api: v2\n")
    return plan


@pytest.fixture
def v2_lab(base_system: Path, v2_plan: Path) -> Iterator[Lab]:  # noqa: ARG001 -- it has to be there
    """A fresh cluster whose members serve v2, and a plan that says to use it."""
    with booted(FRESH, v2_plan, Extra(members={"ETCD_ENABLE_V2": "true"})) as lab:
        yield lab


def registered(lab: Lab) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Peer and client URLs by member, in the v2 words of etcdctl, as server1 sees them."""
    one = Target(lab.cluster, assumed(lab.cluster, "v2"), lab.cluster.members[0])
    words = Endpoint(f"https://{one.host.address}:2379", Paths.of(one)).v2
    command = ["env", "ETCDCTL_API=2", "etcdctl", "--no-sync", *words, "member", "list"]
    reported = lab.hosts[0].run(command)
    answer = Answer(reported.returncode, reported.stdout, reported.stderr)
    found = V2().members(one).reader(answer)
    return {member.name: (member.peer_urls, tuple(sorted(member.client_urls))) for member in found.values()}


def test_a_migration_killed_and_resumed_goes_wholly_through_v2(v2_lab: Lab) -> None:
    shown = orchestrator(v2_lab, "run", PLAN, "--dry-run")
    assert shown.returncode == 0, failure(shown)
    assert "PUT" in shown.stdout
    assert "/v2/members/" in shown.stdout
    assert not [word for word in V3_WORDS if word in shown.stdout]

    def is_switching(so_far: list[Recorded]) -> bool:
        started = [event.step for event in so_far if isinstance(event, StepStarted)]
        return sum(step.startswith("switch/") for step in started) == 2

    with writing(v2_lab):
        run_and_kill(v2_lab, is_switching, "run", PLAN, "--yes")
        done = orchestrator(v2_lab, "run", PLAN, "--resume")

    assert done.returncode == 0, failure(done)
    assert dict.fromkeys(MEMBERS, "sealed") == Progress.of(events(v2_lab)).states
    addresses = {member.name: member.address for member in v2_lab.cluster.members}
    sealed = {
        name: ((f"https://{address}:2380",), (f"https://{address}:2378", f"https://{address}:2379"))
        for name, address in addresses.items()
    }
    assert sealed == registered(v2_lab)
    assert dict.fromkeys(MEMBERS, 2) == restarts(v2_lab)
    stands = orchestrator(v2_lab, "status", PLAN)
    assert stands.returncode == 0, failure(stands)
    assert not [event for event in events(v2_lab) if isinstance(event, HandedOver)]
    journal = state_file(v2_lab).read_text()
    assert '"api":"v2"' in journal.replace('": "', '":"')
    assert not [word for word in V3_WORDS if word in journal]


@pytest.mark.usefixtures("base_system")
def test_where_v2_is_not_served_the_plan_is_refused_and_nothing_is_changed(v2_plan: Path) -> None:
    with booted(FRESH, v2_plan, Extra(members={"ETCD_ENABLE_V2": "false"})) as lab:
        before = fingerprint(lab)
        refused = orchestrator(lab, "run", PLAN, "--yes")
        assert refused.returncode == 5, failure(refused)
        assert "the v2 interface is not served by server1, server2, server3" in refused.stderr
        assert "ETCD_ENABLE_V2=true" in refused.stderr
        assert before == fingerprint(lab)
        assert not state_file(lab).exists()
