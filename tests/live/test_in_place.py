"""`persist: in_place` on real hosts: their own files say https in the end, and a rollback gives them back."""

import re
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.layouts import Settings, config_flag, flags, kubespray, laid_out
from live.running_members import configuration
from live.stories import events, failure, orchestrator, restarts, shell, wait_until_healthy, writing

from orchestrator.engine.progress import Progress
from orchestrator.etcd.install import drop_ins
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

PACKAGES, OWN = "/lib/systemd/system/etcd.service", "/etc/systemd/system/etcd.service"
FILE, YAML = "/etc/etcd.env", "/etc/etcd/etcd.conf.yml"


def packaged(host: Host, settings: Settings) -> None:
    """flags over several lines of the package's own unit"""
    unit = host.root / PACKAGES[1:]
    command = " \\\n  ".join(("ExecStart=/usr/bin/etcd", *flags(settings))).replace("--name=", "--name ")
    kept = [line for line in unit.read_text().splitlines() if not re.match("Environment|ExecStart=", line)]
    at = kept.index("[Service]") + 1
    unit.write_text("\n".join((*kept[:at], "# by hand", command, *kept[at:], "")))


@pytest.fixture
def in_place_lab(base_system: Path, tmp_path: Path) -> object:  # noqa: ARG001 - it has to be there
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{THREE_MEMBERS.read_text()}persist: in_place\n")
    with booted(FRESH, plan) as lab:
        yield lab


def as_it_lies(lab: Lab) -> dict[str, str]:
    """Content, mode and owner of every file of the hosts' configuration."""
    return {name: how.rpartition(" ")[0] for name, how in configuration(lab).items() if ":data" not in name}


def test_their_own_files_say_https_and_are_given_back(in_place_lab: Lab) -> None:
    lab = in_place_lab
    laid_out(lab, (kubespray, packaged, config_flag))
    one, two, three = lab.hosts
    shell(one, f"chown etcd {FILE}")

    # refused by name, with what helps
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 5, failure(done)
    said = " ".join(done.stdout.split())
    assert f"server1: persist in_place: {FILE} is not root's own (0640 etcd:root): chown root" in said
    assert f"server2: persist in_place: {PACKAGES} is a package's" in said
    shell(one, f"chown root {FILE}")
    shell(two, said.partition("put a copy of your own before it (")[2].partition("), or")[0])

    before, started = as_it_lies(lab), restarts(lab)
    done = orchestrator(lab, "run", PLAN, "--dry-run")
    assert done.returncode == 0, failure(done)
    changed = ("| - listen-peer-urls: http://0.0.0.0:2380", "| + listen-peer-urls: https://0.0.0.0:2380")
    assert "\n       ".join(("", *(f"  {line}" for line in changed))) in done.stdout
    with writing(lab):
        for words in (["run", PLAN, "--yes", "--until", "sealed"], ["run", PLAN, "--resume"]):
            done = orchestrator(lab, *words)
            assert done.returncode == 0, failure(done)
    assert {"settled"} == set(Progress.of(events(lab)).states.values())
    assert restarts(lab) == {name: count + 2 for name, count in started.items()}
    ours = " -o ".join(f"-name '*{name}*'" for name in drop_ins.NAMES.values())
    for host, path in ((one, FILE), (two, OWN), (three, YAML)):
        assert "" == shell(host, f"find /etc {ours}")
        assert "http://0.0.0.0" not in shell(host, f"cat {path}")
    assert "# by hand\nExecStart=/usr/bin/etcd \\\n  --name server2 \\\n" in shell(two, f"cat {OWN}")
    assert "snapshot-count: 10000  # for small disks\n" in shell(three, f"cat {YAML}")

    # whoever restarts a member by hand gets the same from their files alone
    for host in lab.hosts:
        shell(host, "systemctl restart etcd2.service")
        done = orchestrator(lab, "status", PLAN)
        assert done.returncode == 0, failure(done)

    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    wait_until_healthy(lab)
    assert before == as_it_lies(lab)
