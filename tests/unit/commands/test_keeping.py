"""What is kept before the first change, and what becomes of members whose data differs."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import RUN
from engine.world import make_cluster
from support.members import Members
from support.targets import target

from orchestrator.commands import keeping
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Opened
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import PersonNeededError, RefusedError, StoppedError
from orchestrator.etcd import restoring, saving
from orchestrator.etcd.facts.hashes import LARGE_BYTES, Agreement
from orchestrator.host.operations import Job, JobResult, Run, Write
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Facts
from orchestrator.session import Session


class Hosts(Members):
    """Members whose hosts keep everything, but for those on which a job fails."""

    def __init__(self, failing: str = "") -> None:
        super().__init__()
        self.jobs: list[Job] = []
        self.failing = failing

    def perform(self, job: Job) -> JobResult:
        self.jobs.append(job)
        return JobResult(1, "disk full\nfailed: run") if job.host == self.failing else JobResult(0, "")


def make(folder: Path, hosts: Hosts) -> tuple[Session, Opened, RunContext]:
    one = target(folder, {"ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379", "ETCD_DATA_DIR": "/data"})
    patience = one.cluster.patience.model_copy(update={"gate_s": 0.05, "pause_s": 0.01})
    session = Session(folder / "plan.yaml", folder / "s", one.cluster, MIGRATIONS["bridge"], (), hosts)
    opened = Opened(tool="1", run=RUN, cluster="c", migration="bridge", runbook="0" * 64, facts=one.facts)
    return session, opened, RunContext(patience)


def test_every_host_keeps_its_unit_and_the_header_and_one_the_data(tmp_path: Path) -> None:
    hosts = Hosts()
    session, opened, context = make(tmp_path, hosts)
    event_log = MemoryEventLog()
    for _ in range(2):
        event_log = MemoryEventLog((opened,))
        text = keeping.keep(session, hosts, event_log, opened, context)
        assert f"snapshot restore /var/lib/orchestrator/{RUN}/snapshot.db" in text

    names = {one.id.rpartition("-")[0] for one in hosts.jobs}
    assert {f"{RUN}-keep-server1", f"{RUN}-keep-server2", f"{RUN}-keep-server3"} == names
    assert 6 == len({one.id for one in hosts.jobs})  # what was saved before is not taken for saved now
    for job in hosts.jobs:
        (header,) = (one for one in job.operations if isinstance(one, Write) and "header" in one.path)
        assert (f"/var/lib/orchestrator/{RUN}/header.json", 0o600) == (header.path, header.mode)
        assert opened == Opened.model_validate_json(header.text)
        saves = [one for one in job.operations if isinstance(one, Run) and "snapshot" in one.argv]
        assert (2 if job.host == "server1" else 0) == len(saves)
    saved = event_log.progress.saved
    assert saved is not None
    assert ("server1", 10, 77) == (saved.host, saved.revision, saved.hash)
    assert "RESTORE.txt on server1" in keeping.reported(saved)


def test_members_that_differ_before_the_first_change_are_refused_and_nothing_is_done(tmp_path: Path) -> None:
    hosts, event_log = Hosts(), MemoryEventLog()
    hosts.stores["server3"].keys = 78
    with pytest.raises(RefusedError, match=r"nothing was changed: .*server2 77, server3 78, server1 77"):
        keeping.keep(*_arguments(tmp_path, hosts, event_log))
    assert not hosts.jobs
    assert not event_log.events


@pytest.mark.parametrize(
    ("compares", "reason"),
    [
        (False, "as the plan wants it"),
        ("auto", "server1 holds 0.5 GB; a member that hashes its keys answers nobody"),
    ],
)
def test_where_it_is_not_wanted_or_takes_long_no_member_hashes_its_keys(
    tmp_path: Path, *, compares: bool | str, reason: str
) -> None:
    hosts = Hosts()
    hosts.stores["server3"].keys = 78
    hosts.stores["server1"].size_bytes = LARGE_BYTES
    session, opened, context = make(tmp_path, hosts)
    session = replace(session, cluster=session.cluster.model_copy(update={"compare_data": compares}))
    event_log = MemoryEventLog((opened,))
    text = keeping.keep(session, hosts, event_log, opened, context)
    assert f"snapshot restore /var/lib/orchestrator/{RUN}/snapshot.db" in text
    assert event_log.progress.saved is not None
    assert event_log.progress.saved.hash is None
    assert reason in keeping.compare(session, opened, context)
    assert not hosts.asked


def test_what_cannot_be_kept_on_one_host_stops_it_with_its_words(tmp_path: Path) -> None:
    hosts, event_log = Hosts(failing="server2"), MemoryEventLog()
    with pytest.raises(RefusedError, match=r"no member was changed.*\nserver2: disk full\n.* run "):
        keeping.keep(*_arguments(tmp_path, hosts, event_log))
    assert not event_log.events


def _arguments(
    folder: Path, hosts: Hosts, event_log: MemoryEventLog
) -> tuple[Session, Hosts, MemoryEventLog, Opened, RunContext]:
    session, opened, context = make(folder, hosts)
    return session, hosts, event_log, opened, context


def test_at_the_end_a_difference_needs_a_person_and_no_answer_another_look(tmp_path: Path) -> None:
    hosts = Hosts()
    assert "hash 77 at revision 10" in keeping.compare(*make(tmp_path, hosts))
    hosts.stores["server2"].keys = 78
    with pytest.raises(PersonNeededError, match=r"server2 78, .*docs/restore.md") as differ:
        keeping.compare(*make(tmp_path, hosts))
    assert 9 == differ.value.exit_code
    hosts.lost = {"server2"}
    with pytest.raises(StoppedError, match="could not be compared: server2: timed out"):
        keeping.compare(*make(tmp_path, hosts))


def of_version(folder: Path, version: str, api: str = "v3", **environment: str) -> str:
    one = target(folder, {"ETCD_DATA_DIR": "/data", **environment})
    reported = json.loads(one.facts.model_dump_json())
    for member in reported["members"].values():
        member["version"] = version
    facts = Facts.model_validate({**reported, "api": api})
    agreed = Agreement(10, 77) if api == "v3" else None
    return restoring.instructions(saving.backup_target(one.cluster, facts), RUN, agreed)


def test_instructions_name_each_member_with_its_own_urls_in_both_schemes(tmp_path: Path) -> None:
    text = of_version(tmp_path, "3.4.23")
    everybody = ",".join(
        f"etcd-{number}={scheme}://198.18.0.10{number}:2380"
        for number in (1, 2, 3)
        for scheme in ("http", "https")
    )
    assert 3 == text.count(f"--initial-cluster {everybody} ")
    for number in (1, 2, 3):
        urls = f"http://198.18.0.10{number}:2380,https://198.18.0.10{number}:2380"
        (line,) = (one for one in text.splitlines() if f"--name etcd-{number} " in one)
        assert line.strip().startswith(f"ETCDCTL_API=3 etcdctl snapshot restore /var/lib/orchestrator/{RUN}/")
        assert line.endswith(f"--initial-advertise-peer-urls {urls}")
        assert f"--data-dir /data/restored-{RUN} " in line
    assert "hash 77 at revision 10" in text


def test_instructions_follow_the_version_and_a_log_of_its_own(tmp_path: Path) -> None:
    assert "etcdutl snapshot restore" in of_version(tmp_path, "3.6.14")
    text = of_version(tmp_path, "3.4.23", ETCD_WAL_DIR="/log/wal")
    assert "mv -t /log/wal /data/member/wal/*" in text
    text = of_version(tmp_path, "2.3.8", "v2")
    assert "ETCD_FORCE_NEW_CLUSTER=true" in text
    assert "member add etcd-3" in text
    assert "snapshot" not in text


def test_instructions_log_in_as_the_plan_does_and_ask_where_somebody_answers(tmp_path: Path) -> None:
    text = of_version(tmp_path, "3.4.23")
    copied, _ = (line.strip() for line in text.splitlines() if line.strip().startswith("ssh "))
    words = shlex.split(copied)
    ssh = target(tmp_path, {}).host.ssh
    assert ["ssh", "-p", "22"] == words[:3]
    assert f"UserKnownHostsFile={ssh.known_hosts}" in words
    assert (2 if ssh.identity_file else 0) == words.count("-i")
    last = text.partition("5. When all are healthy")[2]
    assert 4 == last.count("   ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:4001 member ")


def test_without_a_local_port_the_last_commands_go_over_https(tmp_path: Path) -> None:
    one = target(tmp_path, {"ETCD_DATA_DIR": "/data"}, make_cluster(tmp_path, local="none"))
    text = restoring.instructions(one, RUN, None)
    words = "--cacert=/etc/etcd2/ca.pem --cert=/etc/etcd2/server1.pem --key=/etc/etcd2/server1-key.pem"
    assert 4 == text.count(f"   ETCDCTL_API=3 etcdctl --endpoints=https://localhost:2379 {words} member ")
    assert "write http://localhost:2379 for https://localhost:2379, without the three files:" in text


def test_a_backup_is_put_back_by_commands_as_whole_as_a_run_s_own(tmp_path: Path) -> None:
    one = target(tmp_path, {"ETCD_DATA_DIR": "/data"})
    lines = list(restoring.commands(one, "c1-20261128T072200Z", "/var/lib/orchestrator/c1.db"))
    assert 3 == sum(line.strip().startswith("ETCDCTL_API=3 etcdctl snapshot restore ") for line in lines)
    assert 2 == sum(
        "mkdir -p /var/lib/orchestrator; cat > /var/lib/orchestrator/c1.db" in line for line in lines
    )
    assert "   systemctl --no-block start etcd2.service" in lines


def test_shellcheck_passes() -> None:
    program = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run(
        [program, "--norc", "-s", "sh", "-"], input=saving.KEEP, capture_output=True, text=True, check=False
    )
    assert checked.stdout == ""
