"""What the checks advise, followed to the letter on real hosts: an operator who does it gets further."""

import re
import subprocess

from live.stories import failure, fingerprint, orchestrator, restarts, state_file

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

ON_HOST = re.compile(r"^ *fix: (?:.*; by hand, )?on (\w+): (.+)$", re.MULTILINE)


def register(lab: Lab, name: str, *schemes: str) -> None:
    """Register a member's peer URL as somebody else's playbook does."""
    address = lab.host(name).entry.address
    asked = lab.hosts[0].run(["etcdctl", "--endpoints=http://127.0.0.1:2379", "member", "list"])
    (id_,) = [line.partition(",")[0] for line in asked.stdout.splitlines() if f"//{address}:2380" in line]
    urls = ",".join(f"{scheme}://{address}:2380" for scheme in schemes)
    words = ["etcdctl", "--endpoints=http://127.0.0.1:2379", "member", "update", id_, f"--peer-urls={urls}"]
    lab.hosts[0].run(words)


def follow(lab: Lab, checked: subprocess.CompletedProcess[str]) -> list[str]:
    """Run every command that the report prints for a host, there; return the hosts."""
    printed = ON_HOST.findall(checked.stdout)
    for host, command in printed:
        lab.host(host).run(["sh", "-c", command])
    return [host for host, _ in printed]


def test_members_registered_with_another_scheme_than_they_listen_with_are_put_right_as_printed(
    lab: Lab,
) -> None:
    register(lab, "server1", "https")
    register(lab, "server2", "http", "https")
    register(lab, "server3", "https")
    before, starts = fingerprint(lab), restarts(lab)
    checked = orchestrator(lab, "check", PLAN)
    assert checked.returncode == 0, failure(checked)
    assert "server1 is registered with https://198.18.0.101:2380, and listens on http:" in checked.stdout
    ran = orchestrator(lab, "run", PLAN, "--yes")
    assert ran.returncode == 5, failure(ran)
    assert (before, starts) == (fingerprint(lab), restarts(lab))
    assert not state_file(lab).exists()

    assert ["server1", "server2", "server3"] == sorted(follow(lab, checked))
    again = orchestrator(lab, "check", PLAN)
    assert again.returncode == 0, failure(again)
