"""A host is rebooted, or gone, in the middle of each round: it is waited for, and its step is done again."""

import os
import signal
from datetime import timedelta

import pytest
from live.conftest import HASTY
from live.faults.journeys import LIMIT_S, journey
from live.faults.record import PERSON_NEEDED, STOPPED, case
from live.faults.strikes import announced, strike_when
from live.stories import ROUNDS, STATES, events, failure

from orchestrator.engine.events import StepStarted
from orchestrator.lab.hosts import host as hosts
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import processes
from orchestrator.lab.provisioning.plan_copy import PLAN

pytestmark = pytest.mark.timeout(LIMIT_S)


# Patience counts from a step's beginning; it is announced once all are well, and leadership is away.
BEFORE_IT = timedelta(seconds=5)


def waited(lab: Lab) -> timedelta:
    """How long it was from the last announcement of a step to the end of its run."""
    announcement = [event for event in events(lab) if isinstance(event, StepStarted)][-1]
    return events(lab)[-1].at - announcement.at


def test_a_host_reboots_in_the_middle_of_each_round(lab: Lab) -> None:
    journey(
        lab,
        "the host that is at work is rebooted",
        hosts.reboot,
        expected="it is waited for; a step whose result went with the reboot may stop the run",
    )


def test_a_host_is_gone_in_the_middle_of_each_round(hasty_lab: Lab) -> None:
    lab, lost = hasty_lab, list[Host]()

    def lose(host: Host) -> None:
        init = processes.init_of(host.namespace)
        assert init is not None
        os.kill(init, signal.SIGSTOP)  # nothing is begun there any more: the job stays under way
        hosts.kill(host)
        lost.append(host)

    for round_, state in zip(ROUNDS, STATES, strict=True):
        with case(
            lab,
            "the host that is at work is gone for longer than the plan's patience",
            round_,
            exits=tuple(
                (first, *rest, 0)
                for first in (STOPPED, PERSON_NEEDED)
                for rest in ((), (STOPPED,), (PERSON_NEEDED,))
            ),
            expected="the run waits for as long as the plan says, then stops; with the host back it resumes",
        ) as now:
            arguments = (PLAN, "--until", state)
            with strike_when(lab, announced(round_), lose):
                done = now.run("run", *arguments, "--yes" if round_ == ROUNDS[0] else "--resume")
            assert "is in doubt" in now.message, failure(done)
            assert waited(lab) >= HASTY - BEFORE_IT
            hosts.boot(lost[-1])
            hosts.wait_for_ssh(lost[-1])
            now.finish(*arguments, "--resume")
