"""The guide's own order on real hosts: its window, its local port, and listeners that must not be lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS
from live.stories import (
    events,
    failure,
    orchestrator,
    peer_urls,
    restarts,
    state_file,
    unhealthy,
    wait_until_healthy,
    writing,
)

from orchestrator.engine.progress import Progress
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.lifecycle.lab import Lab, down
from orchestrator.lab.provisioning.plan_copy import PLAN

MEMBERS = ("server1", "server2", "server3")


@pytest.fixture
def guide_plan(tmp_path: Path) -> Path:
    plan = tmp_path / "guide.yaml"
    plan.write_text(THREE_MEMBERS.read_text().replace("strategy: bridge", "strategy: guide"))
    return plan


@pytest.fixture
def guide_lab(base_system: Path, guide_plan: Path) -> Iterator[Lab]:  # noqa: ARG001 -- it has to be there
    down(FRESH)
    lab = Lab.up(guide_plan, prefix=FRESH)
    try:
        yield lab
    finally:
        lab.down()


def test_it_wants_the_risk_accepted_and_says_what_it_is(guide_lab: Lab) -> None:
    refused = orchestrator(guide_lab, "run", PLAN, "--yes")
    assert refused.returncode == 5, failure(refused)
    assert "One network blip in that window ends the cluster" in refused.stderr
    assert "RISK" in refused.stdout
    assert not state_file(guide_lab).exists()


def test_cut_inside_the_window_a_resume_rolls_forward_and_nothing_is_lost(guide_lab: Lab) -> None:
    with writing(guide_lab, may_fail=True):
        done = orchestrator(guide_lab, "run", PLAN, "--yes", "--accept-risk", "--until", "announced")
        assert done.returncode == 0, failure(done)
        port = guide_lab.cluster.ports.peer
        assert sum(link_faults.kill_connections(host, port) for host in guide_lab.hosts) > 0
        while len(unhealthy(guide_lab)) < len(MEMBERS):
            pass

        done = orchestrator(guide_lab, "run", PLAN, "--resume")
        assert done.returncode == 0, failure(done)
        wait_until_healthy(guide_lab)
    assert dict.fromkeys(MEMBERS, "sealed") == Progress.of(events(guide_lab)).states
    assert all(url.startswith("https:") for url in peer_urls(guide_lab))
    assert dict.fromkeys(MEMBERS, 3) == restarts(guide_lab)


@pytest.mark.parametrize("strategy", ["bridge", "guide"])
@pytest.mark.usefixtures("base_system")
def test_further_listeners_are_carried_over_and_an_open_local_port_costs_no_restart(
    strategy: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(THREE_MEMBERS.read_text().replace("strategy: bridge", f"strategy: {strategy}"))
    settings = {
        "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379,http://127.0.0.1:4001,http://0.0.0.0:12379",
        "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380,http://0.0.0.0:7001",
    }
    down(FRESH)
    lab = Lab.up(plan, prefix=FRESH, extra_settings=settings)
    try:
        done = orchestrator(lab, "run", PLAN, "--yes", "--accept-risk")
        assert done.returncode == 0, failure(done)
        assert dict.fromkeys(MEMBERS, 2) == restarts(lab)
        for host in lab.hosts:
            listening = host.run(["ss", "-ltnH"]).stdout
            assert all(f":{port} " in listening for port in (2379, 2380, 4001, 7001, 12379)), listening
            drop_ins = host.run(["ls", "/etc/systemd/system/etcd2.service.d"]).stdout.split()
            assert drop_ins == ["30-certs.conf", "40-tls.conf"]
            files = [f"/etc/etcd2/{name}.pem" for name in ("ca", host.name, f"{host.name}-key")]
            shown = [
                word for pair in zip(("--cacert", "--cert", "--key"), files, strict=True) for word in pair
            ]
            for port in (12379, 7001):
                url = f"https://127.0.0.1:{port}/version"
                assert "3.4" in host.run(["curl", "--http1.1", "-sS", *shown, url]).stdout
                assert host.run(
                    ["curl", "--http1.1", "-sS", "-f", f"http://127.0.0.1:{port}/version"], check=False
                ).returncode
    finally:
        lab.down()
