"""Without a port that stays http: once its members serve https only, everything is asked over that."""

from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import events, failure, orchestrator, shell, writing

from orchestrator.engine.events import HandedOver
from orchestrator.engine.progress import Progress
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

LISTENING = "ss --no-header --listening --tcp --numeric --processes | grep etcd | awk '{print $4}' | sort"


def without_local_port(folder: Path) -> Path:
    text = THREE_MEMBERS.read_text()
    plan = folder / "plan.yaml"
    plan.write_text(text.replace(", local: 4001}", "}") + "clients: {overlap: false}\n")
    assert plan.read_text() != text
    return plan


def listeners(lab: Lab) -> dict[str, str]:
    return {host.name: shell(host, LISTENING) for host in lab.hosts}


def succeeds(lab: Lab, *arguments: str, exits: int = 0) -> str:
    done = orchestrator(lab, *arguments)
    assert done.returncode == exits, failure(done)
    return done.stdout + done.stderr


@pytest.mark.usefixtures("base_system")
def test_a_whole_way_there_and_back_with_nothing_but_https(tmp_path: Path) -> None:
    with booted(FRESH, without_local_port(tmp_path)) as lab:
        before, two = listeners(lab), lab.hosts[1]
        with writing(lab):
            succeeds(lab, "run", PLAN, "--yes")
        assert before == listeners(lab)  # the same ports, and no other
        assert set(Progress.of(events(lab)).states.values()) == {"sealed"}
        succeeds(lab, "status", PLAN)
        succeeds(lab, "backup", PLAN)

        one = {suffix: f"etc/etcd2/server1{suffix}" for suffix in (".pem", "-key.pem")}
        kept = {suffix: (two.root / f"etc/etcd2/server2{suffix}").read_text() for suffix in one}
        for suffix, path in one.items():  # of the right CA, and another member's: etcd reads it at once
            (two.root / f"etc/etcd2/server2{suffix}").write_text((lab.hosts[0].root / path).read_text())
        reported = succeeds(lab, "status", PLAN, exits=9)
        assert "server2: healthy: no healthy answer: https://198.18.0.102:2379 is unhealthy" in reported
        assert "server2: serving https: no healthy answer over https" in reported
        for suffix, text in kept.items():
            (two.root / f"etc/etcd2/server2{suffix}").write_text(text)
        succeeds(lab, "status", PLAN)

        handed = sum(isinstance(event, HandedOver) for event in events(lab))
        with writing(lab):
            succeeds(lab, "rollback", PLAN, "--yes")
        assert before == listeners(lab)
        assert set(Progress.of(events(lab)).states.values()) == {"plaintext"}
        assert sum(isinstance(event, HandedOver) for event in events(lab)) > handed
