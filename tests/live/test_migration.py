"""The migration on real hosts: whole, killed and resumed, cut off, looked at, refused."""

import subprocess

import pytest
from live.conftest import FRESH, THREE_MEMBERS
from live.stories import (
    ROUNDS,
    events,
    failure,
    fingerprint,
    orchestrator,
    peer_urls,
    restarts,
    run_and_kill,
    state_file,
    unhealthy,
    writing,
)

from orchestrator.commands import recall
from orchestrator.commands.dry_run import rehearse
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import HandedOver, Recorded, StepStarted, StepSucceeded
from orchestrator.engine.progress import Progress
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.lifecycle.lab import Lab, down
from orchestrator.lab.proof import rehearsal
from orchestrator.lab.proof.rehearsal import program
from orchestrator.lab.proof.rendering import render
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.session import open_session


def everybody(state: str) -> dict[str, str]:
    return {f"server{number}": state for number in (1, 2, 3)}


@pytest.mark.usefixtures("base_system")
def test_a_rehearsal_proves_that_nothing_was_lost_and_no_client_cut_off() -> None:
    down(FRESH)
    command = program("run", PLAN, "--resume", "--yes", "--cut-off")
    outcome = rehearsal.rehearse(
        THREE_MEMBERS, command, resting=rehearsal.RESTING, prefix=FRESH, has_crowd=True
    )

    assert outcome.exit_code == 0, render(outcome)
    over = {each.kind: each.writes_over for each in outcome.crowd}
    assert {
        "http for good", "AutoSync", "short connections", "etcdctl watch", "etcdctl lease keep-alive",
        "etcdctl lock", "etcdctl elect", "etcdctl put, from cron",
    } == set(over), render(outcome)  # fmt: skip
    assert "0 missed, 0 wrong of 3 at 2 rests" in render(outcome)
    at_rest, at_end = outcome.rests
    assert (2, 1) == (len(at_rest.plain), len(at_end.plain))  # those of AutoSync have moved by the end
    assert all(over[kind]["https"] > 5 for kind in ("AutoSync", "short connections")), render(outcome)
    assert over["http for good"]["http"] > 5
    assert [3, 3] == [  # one each over http, over https beside it, and over https alone
        each.attempts for each in outcome.crowd if each.kind in ("etcdctl lock", "etcdctl elect")
    ]
    assert [2, 2, 2] == [member.restarts for member in outcome.members]
    assert outcome.probe.attempts / outcome.probe.took_s > 50


def test_killed_in_the_middle_of_each_round_it_resumes_and_repeats_nothing(lab: Lab) -> None:
    with writing(lab):
        for number, round_ in enumerate(ROUNDS):

            def is_in_the_middle(so_far: list[Recorded], round_: str = round_) -> bool:
                started = [event.step for event in so_far if isinstance(event, StepStarted)]
                return sum(step.startswith(f"{round_}/") for step in started) >= 2

            run_and_kill(lab, is_in_the_middle, "run", PLAN, "--yes", *(["--resume"] if number else []))
            assert Progress.of(events(lab)).unsettled

            refused = orchestrator(lab, "run", PLAN, "--yes")
            assert refused.returncode == 7, failure(refused)
            assert "run plan.yaml --resume" in refused.stderr
        done = orchestrator(lab, "run", PLAN, "--resume")

    assert done.returncode == 0, failure(done)
    assert everybody("sealed") == Progress.of(events(lab)).states
    assert all(url.startswith("https:") for url in peer_urls(lab))
    assert dict.fromkeys(everybody(""), 2) == restarts(lab)
    assert not unhealthy(lab)
    succeeded: set[str] = set()
    for event in events(lab):
        assert not (isinstance(event, StepStarted) and event.step in succeeded), f"{event} was done before"
        if isinstance(event, StepSucceeded) and event.step.startswith("undo-"):
            succeeded.discard(event.step.removeprefix("undo-"))  # the trials are taken anew together
        elif isinstance(event, StepSucceeded):
            succeeded.add(event.step)

    again = orchestrator(lab, "run", PLAN, "--yes")
    assert again.returncode == 0, failure(again)
    assert "nothing to do" in again.stdout
    assert dict.fromkeys(everybody(""), 2) == restarts(lab)


def test_a_dry_run_touches_nothing_and_shows_what_the_live_run_does(lab: Lab) -> None:
    before, starts = fingerprint(lab), restarts(lab)
    shown = orchestrator(lab, "run", PLAN, "--dry-run")
    assert shown.returncode == 0, failure(shown)
    assert "40-tls.conf" in shown.stdout
    assert "PRIVATE KEY" not in shown.stdout

    assert before == fingerprint(lab)
    assert starts == restarts(lab)
    assert not state_file(lab).exists()
    for host in lab.hosts:
        assert host.run(["test", "-e", "/run/orchestrator"], check=False).returncode == 1

    with lab.in_bastion(), open_session(lab.plan, None) as session:
        facts = recall.read_facts(session)
        runbook = recall.compile_there(session, facts)
        first = Progress.of([recall.header(session, "ab12cd34", facts, runbook)])
        jobs = rehearse(runbook, session.hosts, first, RunContext(session.cluster.patience))
    reviewed = [(job.step, job.successor or runbook.step(job.step).digest) for job in jobs]
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    performed = [
        (event.step, event.successor if isinstance(event, HandedOver) else event.operations)
        for event in events(lab)
        if isinstance(event, HandedOver | StepStarted)
    ]
    assert reviewed == performed


def test_an_unreachable_host_is_named_and_nothing_is_changed(lab: Lab) -> None:
    before = fingerprint(lab)
    link_faults.cut_link(lab.host("server2"))
    refused = orchestrator(lab, "run", PLAN, "--yes")

    assert refused.returncode == 4, failure(refused)
    assert "server2" in refused.stderr
    assert not state_file(lab).exists()
    assert before == fingerprint(lab)


def test_an_unknown_host_key_is_refused_with_its_fingerprint(lab: Lab) -> None:
    known = lab.directory / "keys" / "known_hosts"
    lines = known.read_text().splitlines(keepends=True)
    known.write_text("".join(line for line in lines if "198.18.0.103" not in line))
    dropped = known.with_name("dropped")
    dropped.write_text("".join(line for line in lines if "198.18.0.103" in line))
    reported = subprocess.run(
        ["ssh-keygen", "-lf", dropped], capture_output=True, text=True, check=True
    ).stdout
    refused = orchestrator(lab, "run", PLAN, "--yes")

    assert refused.returncode == 4, failure(refused)
    assert reported.split()[1] in refused.stderr
    assert "server3" in refused.stderr
    assert "ssh-keyscan" in refused.stderr
