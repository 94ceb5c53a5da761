"""What is kept before the first change, and that it puts the data back by the commands that lie beside it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import events, failure, orchestrator, run_and_kill, wait_until_healthy

from orchestrator.engine.events import Opened, Recorded, Saved, StepStarted
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.lab.provisioning.plan_copy import PLAN

LOCAL = "--endpoints=http://127.0.0.1:4001"


@pytest.fixture
def v2_lab(base_system: Path, tmp_path: Path) -> Iterator[Lab]:  # noqa: ARG001 -- it has to be there
    plan = tmp_path / "plan.yaml"
    plan.write_text(THREE_MEMBERS.read_text() + "api: v2\n")
    with booted(FRESH, plan) as lab:
        yield lab


@pytest.fixture
def wal_lab(base_system: Path) -> Iterator[Lab]:  # noqa: ARG001 -- it has to be there
    """A cluster whose logs lie in a directory of their own."""
    with booted(FRESH, extra=Extra({"ETCD_WAL_DIR": "/var/lib/etcd/wal"})) as lab:
        yield lab


def saved_by(lab: Lab) -> Saved:
    (found,) = (event for event in events(lab) if isinstance(event, Saved))
    return found


def shell(host: Host, script: str) -> str:
    return host.run(["sh", "-ec", f"cd /; {script}"]).stdout


def commands(text: str, begin: str, end: str) -> list[str]:
    """The commands of instructions between two lines: those that are indented."""
    part = text.partition(begin)[2].partition(end)[0]
    return [line.strip() for line in part.splitlines()[1:] if re.match(r" {3,}\S", line)]


def put_back(lab: Lab, text: str) -> None:
    """Lose every disk but for what was kept, and do what the instructions say, up to their fifth part."""
    (stop,) = commands(text, "1. ", "2. ")
    (start,) = commands(text, "4. ", "5. ")
    for host in lab.hosts:
        shell(host, stop)
    for host in lab.hosts:  # the disks are lost; only what was kept is there
        shell(host, "rm -rf /var/lib/etcd/three-members /var/lib/etcd/wal")
    for command in commands(text, "2. ", "3. "):
        lab.run(["sh", "-c", command])
    for host, end in zip(lab.hosts, ("server2:", "server3:", "4. "), strict=True):
        for command in commands(text.partition("3. ")[2], f"   {host.name}:", end):
            shell(host, command)
    for host in lab.hosts:
        shell(host, start)


def test_the_commands_beside_the_snapshot_put_the_data_back_after_the_end(wal_lab: Lab) -> None:
    lab = wal_lab
    one = lab.hosts[0]
    shell(one, "ETCDCTL_API=3 etcdctl put planted before")
    units = {host.name: shell(host, "systemctl cat etcd2.service") for host in lab.hosts}
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    saved = saved_by(lab)
    assert "all members hold the same data: hash " in done.stdout
    for reported in (done.stdout, orchestrator(lab, "status", PLAN).stdout):
        assert (
            f"the data on server1 in {saved.data} (revision {saved.revision}, hash {saved.hash})" in reported
        )
        assert f"{saved.instructions} on server1" in reported

    for host in lab.hosts:
        assert units[host.name] == shell(host, f"cat {saved.directory}/unit.txt")
        for path in ("/lib/systemd/system/etcd.service", "/etc/default/etcd"):
            shell(host, f"cmp {path} {saved.directory}/files{path}")
        assert "700 root:root" == shell(host, f"stat -c '%a %U:%G' {saved.directory}").strip()
    header = shell(one, f"cat {saved.directory}/header.json")
    assert events(lab)[0] == Opened.model_validate_json(header)

    shell(one, f"ETCDCTL_API=3 etcdctl {LOCAL} put planted after")
    text = shell(one, f"cat {saved.instructions}")
    put_back(lab, text)
    wait_until_healthy(lab, 60.0)
    for host in lab.hosts:
        assert "before" in shell(host, f"ETCDCTL_API=3 etcdctl {LOCAL} get planted")

    listed, *updates = (line for line in commands(text, "5. ", "On each host") if "etcdctl" in line)
    ids = {row.split(", ")[2]: row.split(", ")[0] for row in shell(one, listed).splitlines()}
    for update in updates:
        shell(one, re.sub(r"ID_OF_(\S+)", lambda name: ids[name[1]], update))
    assert not re.search("http://198", shell(one, listed))


def test_killed_before_anything_was_kept_a_resume_keeps_it_once(lab: Lab) -> None:
    def is_open(so_far: list[Recorded]) -> bool:
        return any(isinstance(event, Opened) for event in so_far)

    run_and_kill(lab, is_open, "run", PLAN, "--yes")
    assert not [event for event in events(lab) if isinstance(event, Saved | StepStarted)]
    done = orchestrator(lab, "run", PLAN, "--resume", "--until", "staged")
    assert done.returncode == 0, failure(done)
    saved = saved_by(lab)
    assert "snapshot.db" in shell(lab.hosts[0], f"ls {saved.directory}")
    kinds = [type(event) for event in events(lab)]
    assert kinds.index(Saved) < kinds.index(StepStarted)

    done = orchestrator(lab, "run", PLAN, "--resume", "--until", "proven")
    assert done.returncode == 0, failure(done)
    assert saved == saved_by(lab)


def test_through_v2_the_saved_data_begins_a_cluster_of_its_own(v2_lab: Lab) -> None:
    one = v2_lab.hosts[0]
    shell(one, "ETCDCTL_API=2 etcdctl set planted before")
    done = orchestrator(v2_lab, "run", PLAN, "--yes", "--until", "staged")
    assert done.returncode == 0, failure(done)
    saved = saved_by(v2_lab)
    assert (None, None) == (saved.revision, saved.hash)

    shell(one, "ETCDCTL_API=2 etcdctl set planted after")
    text = shell(one, f"cat {saved.instructions}")
    (stop,) = commands(text, "1. ", "2. ")
    for host in v2_lab.hosts:
        shell(host, stop)
    for command in commands(text, "2. ", "3. "):
        shell(one, command)
    assert "before" in shell(one, "ETCDCTL_API=2 etcdctl get planted")
