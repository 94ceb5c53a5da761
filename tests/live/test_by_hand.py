"""The runbook that is pasted by hand: it leads to where the program leads, without a failed write."""

import re

import pytest
from live.stories import failure, orchestrator, restarts, state_file, writing

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

BLOCK = re.compile(
    r"^(?P<fence>`{3,})sh (?P<where>\S+)\n(?P<commands>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE
)


def paste(lab: Lab, where: str, commands: str) -> None:
    """Give a block to a shell as its input, as a paste into a terminal does."""
    if where == "bastion":
        done = lab.run(["sh", "-c", commands], check=False)
    else:
        done = lab.host(where).run(["sh"], stdin=commands, check=False, timeout_s=120.0)
    assert done.returncode == 0, f"{where}:\n{commands}\n{failure(done)}"
    assert done.stdout.endswith("ok\n"), f"{where}:\n{commands}\n{failure(done)}"


@pytest.mark.timeout(900)
def test_what_is_pasted_by_hand_leads_to_the_same_end_as_a_run(lab: Lab) -> None:
    printed = orchestrator(lab, "plan", PLAN, "--format", "markdown", "--as-runbook")
    assert printed.returncode == 0, failure(printed)
    assert "PRIVATE KEY-----\\n" not in printed.stdout
    keys = [host.key.read_text().splitlines()[1] for host in lab.cluster.etcd_hosts]
    assert not [key for key in keys if key in printed.stdout]

    blocks = list(BLOCK.finditer(printed.stdout))
    assert {"bastion", *(host.name for host in lab.hosts)} == {block["where"] for block in blocks}
    with writing(lab):
        for block in blocks:
            paste(lab, block["where"], block["commands"])

    assert not state_file(lab).exists()
    assert {host.name: 2 for host in lab.hosts} == restarts(lab)
    status = orchestrator(lab, "status", PLAN)
    assert status.returncode == 0, failure(status)
    seen = [line.split()[:3] for line in status.stdout.splitlines() if line.startswith("server")]
    assert [[f"server{n}", f"198.18.0.10{n}", "sealed"] for n in (1, 2, 3)] == seen
    again = orchestrator(lab, "plan", PLAN, "--detailed-exitcode")
    assert again.returncode == 0, failure(again)
    assert "already migrated: every member stands in 'sealed'" in again.stdout
