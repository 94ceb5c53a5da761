"""The SSH executor against a real sshd, sudo and systemd."""

import threading
import uuid
from pathlib import Path
from typing import Protocol

import pytest
from live.stories import changed

from orchestrator.errors import LoginRefusedError
from orchestrator.host.operations import (
    Job,
    JobResult,
    MakeDirectory,
    Remove,
    RemoveDirectory,
    Run,
    Secret,
    Write,
)
from orchestrator.host.questions import Script
from orchestrator.plan.model import Cluster
from orchestrator.remote.ssh import SshHosts

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("in_bastion")]  # hosts are reached from there only

PLANTED = "-----BEGIN PLANTED SECRET-----"


class ClusterHosts(Protocol):
    """Booted hosts, seen from the bastion's network."""

    cluster: Cluster


def named(words: str) -> str:
    return f"{uuid.uuid4().hex[:8]}-{words}"


def output(executor: SshHosts, host: str, script: str) -> str:
    check = Script(host, script)
    answer = executor.look([check])[check]
    assert (0, "") == (answer.exit_status, answer.stderr)
    return answer.stdout


def test_a_known_host_answers_as_root(cluster_hosts: ClusterHosts) -> None:
    checks = [Script(member.name, "id -u; hostname >&2") for member in cluster_hosts.cluster.members]
    with SshHosts(cluster_hosts.cluster) as executor:
        assert {"0\n"} == {answer.stdout for answer in executor.look(checks).values()}


def test_an_unknown_host_is_refused(cluster_hosts: ClusterHosts, tmp_path: Path) -> None:
    cluster = changed(cluster_hosts.cluster, known_hosts=tmp_path / "known_hosts")
    with SshHosts(cluster) as executor, pytest.raises(LoginRefusedError, match=r"SHA256:.*does not exist"):
        executor.look([Script(cluster.members[0].name, "true")])


def test_sudo_gives_the_same_answers(cluster_hosts: ClusterHosts) -> None:
    cluster = changed(cluster_hosts.cluster, become="sudo")
    with SshHosts(cluster) as executor:
        host = cluster.members[0].name
        assert output(executor, host, 'echo "$SUDO_UID"; id -u') == "\n0\n"
        result = executor.perform(Job(named("sudo"), host, (Run(("id", "-u")),), 10))
    assert result == JobResult(0, "0\n")


def test_a_job_runs_once_whoever_asks_for_it(cluster_hosts: ClusterHosts) -> None:
    host = cluster_hosts.cluster.members[0].name
    mark = f"/run/{named('count')}"
    job = Job(named("once"), host, (Run(("sh", "-c", f"echo once >>{mark}; sleep 0.5; echo done")),), 10)
    results: list[JobResult] = []

    def perform() -> None:
        with SshHosts(cluster_hosts.cluster) as executor:
            results.append(executor.perform(job))

    callers = [threading.Thread(target=perform) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    with SshHosts(cluster_hosts.cluster) as executor:
        assert output(executor, host, f"cat {mark}; rm {mark}") == "once\n"
    assert [JobResult(0, "done\n")] * 3 == results


def _lose_sessions(cluster: Cluster) -> None:
    """Kill every sshd session on the first host, this one included."""
    with SshHosts(cluster) as other:
        host = cluster.members[0].name
        other.perform(Job(named("cut"), host, (Run(("pkill", "-KILL", "-f", "^sshd: [a-z]+")),), 10))


def test_a_job_survives_a_cut_connection(cluster_hosts: ClusterHosts) -> None:
    host = cluster_hosts.cluster.members[0].name
    mark = f"/run/{named('count')}"
    job = Job(named("cut"), host, (Run(("sh", "-c", f"echo once >>{mark}; sleep 3; echo done")),), 20)
    with SshHosts(cluster_hosts.cluster) as executor:
        output(executor, host, "true")
        first = executor._connections[host]._shared.last
        cutter = threading.Timer(1.0, _lose_sessions, [cluster_hosts.cluster])
        cutter.start()
        assert executor.perform(job) == JobResult(0, "done\n")
        assert executor._connections[host]._shared.last is not first  # the cut was real
        cutter.join()
        assert output(executor, host, f"cat {mark}; rm {mark}") == "once\n"


@pytest.mark.parametrize(
    ("ending", "exit_status"),
    [
        (("true",), 0),
        (("false",), 1),
        (("sleep", "60"), 124),
        (("sh", "-c", "kill -9 $(ps -o ppid= $PPID)"), None),
    ],
    ids=["success", "failure", "deadline", "killed"],
)
def test_a_secret_is_in_its_file_and_nowhere_else(
    cluster_hosts: ClusterHosts, ending: tuple[str, ...], exit_status: int | None
) -> None:
    host = cluster_hosts.cluster.members[0].name
    home = f"/run/{named('pki')}"
    key = Write(f"{home}/key", Secret(PLANTED), 0o600, "etcd", "etcd")
    undo = (Remove(f"{home}/key"), RemoveDirectory(home))
    with SshHosts(cluster_hosts.cluster) as executor:
        result = executor.perform(Job(named("secret"), host, (MakeDirectory(home), key, Run(ending)), 2))
        assert result.exit_status == exit_status or (exit_status is None and result.exit_status != 0)
        assert output(executor, host, f"cd {home}; ls -A; stat -c '%a %U' key") == "key\n600 etcd\n"
        assert output(executor, host, f"grep -rlF -e '{PLANTED}' /run/orchestrator || :") == ""
        assert (
            output(executor, host, f"journalctl --sync; journalctl -b | grep -cF -e '{PLANTED}' || :")
            == "0\n"
        )
        assert executor.perform(Job(named("undo"), host, undo, 10)) == JobResult(0, "")
        assert output(executor, host, f"ls -d {home} 2>/dev/null || echo gone") == "gone\n"
