"""Planted secrets are searched for wherever a run leaves words: none of them is found."""

import json
import sys

import pytest
from live.conftest import FRESH, booted
from live.stories import failure, orchestrator, state_file
from support.command_lines import watching_command_lines

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.lab.provisioning.plan_copy import PLAN

PASSWORD = "planted-in-etcds-environment"  # noqa: S105 -- nobody's
DROP_INS = "/etc/systemd/system/etcd2.service.d"
# our own fault in the middle of a job, for a traceback: the program shows nothing of what it holds
BUG = """
from orchestrator.remote import connection
def talk(self, *argv):
    raise RuntimeError("a bug of ours")
from orchestrator.remote import ssh
ssh._perform = talk
from orchestrator.cli.main import main
main()
"""


def key_lines(lab: Lab) -> set[str]:
    """The bodies of all private keys of the plan, line by line."""
    paths = [host.key for host in lab.cluster.etcd_hosts] + [lab.cluster.tls.client_key]
    lines = {line for path in paths for line in path.read_text().splitlines() if not line.startswith("-")}
    return {line for line in lines if len(line) > 30}  # a short rest may be anything


def journal(host: Host) -> str:
    """What a host's journal holds of everybody but etcd, which tells its own environment by itself.

    So does its trial, into the same journal.
    """
    lines = host.run(["journalctl", "--output=json", "--no-pager", "--all"]).stdout.splitlines()
    entries = [json.loads(line) for line in lines]
    etcds = {"etcd.service", "etcd2.service", "orchestrator-trial.service"}
    others = [entry for entry in entries if entry.get("_SYSTEMD_UNIT") not in etcds]
    assert any("orchestrator-" in str(entry.get("UNIT")) for entry in others)
    return json.dumps(others)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("base_system")
def test_no_secret_is_left_anywhere() -> None:
    with booted(FRESH, extra=Extra({"ETCD_ROOT_PASSWORD": PASSWORD})) as lab:
        secrets = {PASSWORD, *key_lines(lab)}
        said: dict[str, str] = {}

        def say(name: str, *arguments: str, exits: int = 0) -> None:
            done = orchestrator(lab, *arguments)
            assert exits == done.returncode, failure(done)
            said[name] = done.stdout + done.stderr

        with watching_command_lines(secrets) as on_command_lines:
            say("check", "check", PLAN)
            say("review", "run", PLAN, "--dry-run")
            say("run", "run", PLAN, "--yes", "--until", "proven")
            broken = lab.run([sys.executable, "-c", BUG, "run", PLAN, "--resume"], check=False)
            said["traceback"] = broken.stdout + broken.stderr
            for host in lab.hosts:
                host.run(["mkdir", "-p", DROP_INS])
                host.run(["mount", "-t", "tmpfs", "-o", "ro,mode=755", "tmpfs", DROP_INS])
            say("failed step", "run", PLAN, "--resume", exits=7)
            for host in lab.hosts:
                host.run(["umount", DROP_INS])
            say("resume", "run", PLAN, "--resume")
            say("status", "status", PLAN)
            say("rollback", "rollback", PLAN, "--yes")
        assert [] == on_command_lines
        assert "RuntimeError: a bug of ours" in said["traceback"]
        assert "Read-only file system" in said["failed step"]

        said["state file"] = state_file(lab).read_text()
        said |= {str(path): path.read_text(errors="replace") for path in (lab.directory / "logs").iterdir()}
        for host in lab.hosts:
            said[f"{host.name}'s journal"] = journal(host)
            said[f"{host.name}'s jobs"] = host.run(["sh", "-c", "cat /run/orchestrator/*/*"]).stdout
        assert [] == [name for name, text in said.items() if any(secret in text for secret in secrets)]
