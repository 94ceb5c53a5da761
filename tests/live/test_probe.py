"""``run --probe`` on real hosts: a stall stops the run, and names who was silent; a resume finishes it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.faults.strikes import announced, job_under_way, strike_when
from live.stories import events, failure, local, orchestrator, restarts, run_and_kill, unhealthy

from orchestrator.engine.events import RunBegan, RunEnded, StepSucceeded, Walked
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.probe.tidy import TTL_S

FROZEN_S = 8.0
BUDGET_S = 5.0  # a busy machine stalls for a while too


@pytest.fixture
def probed_lab(base_system: Path, tmp_path: Path) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{THREE_MEMBERS.read_text()}\nprobe: {{stall: {BUDGET_S:g}s, rate: 20}}\n")
    with booted(FRESH, plan) as lab:
        yield lab


def freeze_a_quorum(lab: Lab) -> None:
    """Let two of three members say nothing for a while; whoever asks the third gets no answer either."""
    hosts = lab.members[:2]
    for number in ("SIGSTOP", "SIGCONT"):
        for host in hosts:
            host.run(["systemctl", "kill", "--kill-who=main", f"--signal={number}", host.unit])
        time.sleep(FROZEN_S if number == "SIGSTOP" else 0)


def keys(lab: Lab) -> list[str]:
    """Every key of the cluster."""
    asked = ["etcdctl", f"--endpoints={local(lab)}", "get", "", "--prefix", "--keys-only"]
    return lab.members[0].run(asked).stdout.split()


@pytest.mark.timeout(600)
def test_a_stall_beyond_the_budget_stops_the_run_and_a_resume_finishes_it(probed_lab: Lab) -> None:
    lab = probed_lab
    before = keys(lab)
    with strike_when(lab, job_under_way(lab, "stage", 1), lambda _: freeze_a_quorum(lab)):
        stopped = orchestrator(lab, "run", PLAN, "--yes", "--probe")
    assert 7 == stopped.returncode, failure(stopped)
    said = stopped.stderr.partition("error: ")[2]
    assert "the probe objects: no write was acknowledged for " in said, said
    assert "probe.stall in the plan allows 5 s: " in said
    assert "server1 over http (http://198.18.0.101:2379): no answer in time" in said
    assert "the cluster is healthy\n  Go on with: " in said
    assert before == keys(lab), "it left something behind"
    assert {0} == set(restarts(lab).values())

    run_and_kill(lab, announced("prove", 1), "run", PLAN, "--resume", "--probe")
    left, killed = set(keys(lab)) - set(before), time.monotonic()
    assert all(key.startswith("/orchestrator-probe-") for key in left), left
    assert left, "a killed run cannot remove its keys"
    while keys(lab) != before:
        assert time.monotonic() - killed < TTL_S + 15, "the lease takes them"
        time.sleep(1)

    done = orchestrator(lab, "run", PLAN, "--resume", "--probe")
    assert 0 == done.returncode, failure(done)
    summary = next(line for line in done.stdout.splitlines() if line.startswith("probe: 0 of "))
    assert summary in done.stderr, "the run's own summary says it too"
    assert before == keys(lab), "it left something behind"
    assert {} == unhealthy(lab)

    ended = events(lab)[-1]
    assert isinstance(ended, RunEnded)
    assert "finished" == ended.outcome
    assert ended.account is not None
    assert (0, 0) == (ended.account.failed, ended.account.lost)
    assert summary.startswith(f"probe: 0 of {ended.account.operations:,} failed, longest stall ")
    last = max(number for number, event in enumerate(events(lab)) if isinstance(event, RunBegan))
    walked = [event for event in events(lab)[last:] if isinstance(event, Walked)]
    assert all(event.account for event in walked), "watch shows it as it comes"
    assert any(isinstance(event, StepSucceeded) for event in walked)
    assert summary in orchestrator(lab, "watch", PLAN).stderr
    page = (lab.directory / "plan.yaml.report.html").read_text()
    assert 3 == page.count('<tr><th scope="row">run --probe</th>'), "one for each process"
