"""Becoming root with a password: it goes to sudo alone, once, and nowhere else."""

import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import ClusterHosts
from live.stories import changed, failure, orchestrator
from support.terminals import terminal

from orchestrator.errors import LoginRefusedError, OrchestratorError
from orchestrator.host.operations import Job, JobResult, Run, Secret, Write
from orchestrator.host.questions import Script
from orchestrator.remote.ssh import SshHosts

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("in_bastion")]

PASSWORD = "correct horse 'battery' $taple \\ ü"  # noqa: S105 -- of a user who lives for one test
ASKING = "anna ALL=(root) ALL\n"


class Anna:
    """A login user on the first host, who becomes root with sudo and a password."""

    def __init__(self, hosts: ClusterHosts) -> None:
        self.host = hosts.lab.hosts[0]
        self.name = hosts.cluster.members[0].name
        self.cluster = changed(hosts.cluster, user="anna", become="sudo")
        self.sudoers = self.host.root / "etc/sudoers.d/anna"

    def message(self, password: str | None = PASSWORD) -> str:
        """What looks and a step say: nothing if they work."""
        with SshHosts(self.cluster, password=Secret(password) if password is not None else None) as hosts:
            try:
                for _ in range(2):
                    question = Script(self.name, "id -u; echo more >&2")
                    answer = hosts.look([question])[question]
                    assert ("0\n", "more", 0) == (answer.stdout, answer.stderr, answer.exit_status)
                path = f"/run/{uuid.uuid4().hex}"
                steps = (Write(path, Secret("key " * 40_000), 0o600), Run(("stat", "-c", "%s", path)))
                result = hosts.perform(Job(f"become-{uuid.uuid4().hex}", self.name, steps, 10))
                assert JobResult(0, "160000\n") == result
            except OrchestratorError as error:
                return str(error)
        return ""

    def failures(self) -> int:
        """How often a wrong password was counted."""
        self.host.run(["journalctl", "--sync"])
        journal = self.host.run(["journalctl", "-b", "-o", "cat", "_COMM=sudo"]).stdout
        return sum("authentication failure" in line for line in journal.splitlines())


@pytest.fixture
def anna(cluster_hosts: ClusterHosts) -> Iterator[Anna]:
    host = cluster_hosts.lab.hosts[0]
    host.run(["useradd", "--create-home", "--shell", "/bin/bash", "anna"])
    reported = f"anna:{PASSWORD}"
    host.run(["sh", "-c", "printf '%s\\n' \"$1\" | chpasswd", "sh", reported])
    host.run(["cp", "-r", "/root/.ssh", "/home/anna/.ssh"])
    host.run(["chown", "-R", "anna:anna", "/home/anna/.ssh"])
    found = Anna(cluster_hosts)
    found.sudoers.write_text(ASKING)
    found.sudoers.chmod(0o440)
    try:
        yield found
    finally:
        host.run(["userdel", "--remove", "--force", "anna"])
        found.sudoers.unlink()


def test_the_password_makes_us_root(anna: Anna) -> None:
    assert "" == anna.message()


@pytest.mark.parametrize(
    "sudoers",
    [
        "anna ALL=(root) NOPASSWD: ALL\n",
        f"Defaults:anna requiretty\n{ASKING}",
        "Defaults:anna requiretty\nanna ALL=(root) NOPASSWD: ALL\n",
        f"Defaults:anna use_pty\n{ASKING}",
        f"Defaults:anna lecture=always\n{ASKING}",
        f"Defaults:anna timestamp_type=global\n{ASKING}",
    ],
)
def test_whatever_sudo_wants_it_gets(anna: Anna, sudoers: str) -> None:
    anna.sudoers.write_text(sudoers)
    assert "" == anna.message()


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/rbash"])
def test_whatever_the_login_shell_is(anna: Anna, shell: str) -> None:
    anna.host.run(["usermod", "-s", shell, "anna"])
    (anna.host.root / "home/anna/.profile").write_text("printf Welcome\n")
    (anna.host.root / "home/anna/.bashrc").write_text("printf Welcome; echo oops >&2\n")
    assert "" == anna.message()


def test_a_password_that_is_needed_and_not_there_is_reported_with_the_option(anna: Anna) -> None:
    reported = anna.message(None)
    assert "sudo refused anna: sudo: a password is required" in reported
    assert "Give it with -K (--ask-become-pass) or --become-password-file FILE" in reported


def test_a_wrong_password_is_tried_once_and_never_again(anna: Anna) -> None:
    before = anna.failures()
    with SshHosts(anna.cluster, password=Secret("wrong")) as hosts:
        for words in ("sudo did not take the password", "was not sent", "was not sent"):
            with pytest.raises(LoginRefusedError, match=words):
                hosts.look([Script(anna.name, "true")])
    time.sleep(0.5)
    assert 1 == anna.failures() - before


def test_somebody_who_may_not_use_sudo_is_reported_so(anna: Anna) -> None:
    anna.sudoers.write_text("# nobody\n")
    reported = anna.message()
    assert "anna is not in the sudoers file" in reported
    assert "'anna ALL=(root) NOPASSWD: ALL'" in reported


def test_the_password_is_nowhere_on_the_host(anna: Anna) -> None:
    assert "" == anna.message()
    places = "/run/orchestrator /home/anna /tmp /var/tmp /var/log"
    found = anna.host.run(["sh", "-c", f'grep -rlF -e "$1" {places} || :', "sh", PASSWORD]).stdout
    assert "" == found
    journal = anna.host.run(
        ["sh", "-c", 'journalctl --sync; journalctl -b | grep -cF -e "$1" || :', "sh", PASSWORD]
    )
    assert "0\n" == journal.stdout


@pytest.fixture
def plan(anna: Anna, cluster_hosts: ClusterHosts) -> Iterator[Path]:  # noqa: ARG001 -- she has to be there
    """The lab's plan, in which the first host is reached as anna."""
    path = cluster_hosts.plan.with_name("anna.yaml")
    address = cluster_hosts.cluster.members[0].address
    text = cluster_hosts.plan.read_text()
    changed_text = text.replace(
        f"address: {address}}}", f"address: {address}, ssh: {{user: anna, become: sudo}}}}"
    )
    assert text != changed_text
    path.write_text(changed_text)
    yield path
    path.unlink()


def test_the_password_is_read_from_a_file_that_is_ours_alone(
    cluster_hosts: ClusterHosts, plan: Path, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o644)
    given = ("--become-password-file", str(file))
    readable = orchestrator(cluster_hosts.lab, "status", plan.name, *given)
    assert (64, True) == (readable.returncode, f"chmod 600 {file}" in readable.stderr)
    file.chmod(0o600)
    status = orchestrator(cluster_hosts.lab, "status", plan.name, *given)
    assert 0 == status.returncode, failure(status)
    stopped = orchestrator(cluster_hosts.lab, "status", plan.name)
    assert 4 == stopped.returncode, failure(stopped)
    assert "Give it with -K" in stopped.stderr


def test_the_password_is_asked_for_once_at_a_terminal_and_not_shown(
    cluster_hosts: ClusterHosts, plan: Path
) -> None:
    lab = cluster_hosts.lab
    command = lab.command([sys.executable, "-m", "orchestrator", "check", plan.name, "-K"])
    with terminal(command, lab.directory, lab.environment()) as seat:
        seat.read(until="Password for sudo: ")
        seat.type(f"{PASSWORD}\n")
        reported = seat.read(within_s=60)
        assert 0 == seat.end(), reported
    assert PASSWORD not in reported
    assert 1 == reported.count("Password for sudo")
    nobody = orchestrator(lab, "check", plan.name, "-K")
    assert (64, True) == (nobody.returncode, "use --become-password-file FILE" in nobody.stderr)
