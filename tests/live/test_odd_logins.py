"""Logins as people have them: each works, or what is in the way is named, with a fix that works as it is."""

import re
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from live.conftest import ClusterHosts
from live.stories import changed
from support.waiting import until

from orchestrator.errors import OrchestratorError
from orchestrator.host.operations import Job, JobResult, Run
from orchestrator.host.questions import HttpProbe, Script
from orchestrator.lab.hosts.host import Host
from orchestrator.remote.ssh import SshHosts

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("in_bastion")]

SUDOERS = "anna ALL=(root) NOPASSWD: ALL\n"


class Anna:
    """A login user on the first host, who becomes root with sudo."""

    def __init__(self, hosts: ClusterHosts) -> None:
        self.host = hosts.lab.hosts[0]
        self.cluster = changed(hosts.cluster, user="anna", become="sudo")
        self.root_cluster = changed(hosts.cluster, user="root", become="none")
        self.home = self.host.root / "home/anna"

    def message(self, *, as_root: bool = False) -> str:
        """What a look says: nothing if it works."""
        name = self.cluster.members[0].name
        with SshHosts(self.root_cluster if as_root else self.cluster) as hosts:
            try:
                answers = hosts.look([Script(name, "id -u")])
            except OrchestratorError as error:
                return str(error)
            assert ["0\n"] == [answer.text for answer in answers.values()]
            job = Job(f"odd-{uuid.uuid4().hex}", name, (Run(("id", "-u")),), 10)
            if not as_root:
                assert JobResult(0, "0\n") == hosts.perform(job)
            return ""

    @contextmanager
    def shell(self, path: str) -> Iterator[None]:
        self.host.run(["usermod", "-s", path, "anna"])
        try:
            yield
        finally:
            self.host.run(["usermod", "-s", "/bin/bash", "anna"])


@contextmanager
def written(host: Host, path: str, text: str, *, then: str = ":", append: bool = False) -> Iterator[None]:
    """A file on the host with that text, or that text at its end, for a while; ``then`` makes it known."""
    place = host.root / path
    before = place.read_text() if place.exists() else None
    mode = place.stat().st_mode & 0o777 if before is not None else 0o644
    place.write_text((before or "") + text if append else text)
    place.chmod(mode)
    host.run(["sh", "-c", then])
    try:
        yield
    finally:
        if before is None:
            place.unlink(missing_ok=True)
        else:
            place.write_text(before)
        host.run(["sh", "-c", then])


def printed(reported: str, command: str) -> str:
    """The command, which the message has to hold, as it stands there."""
    assert command in reported
    return command


@contextmanager
def moved(host: Host, path: str) -> Iterator[None]:
    host.run(["mv", path, f"{path}.away"])
    try:
        yield
    finally:
        host.run(["mv", f"{path}.away", path])


def sshd(host: Host, lines: str) -> AbstractContextManager[None]:
    return written(host, "etc/ssh/sshd_config.d/odd.conf", lines, then="systemctl reload ssh; sleep 0.3")


@pytest.fixture
def anna(cluster_hosts: ClusterHosts) -> Iterator[Anna]:
    host = cluster_hosts.lab.hosts[0]
    host.run(["useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", "anna"])
    host.run(["cp", "-r", "/root/.ssh", "/home/anna/.ssh"])
    host.run(["chown", "-R", "anna:anna", "/home/anna/.ssh"])
    sudoers = host.root / "etc/sudoers.d/anna"
    sudoers.write_text(SUDOERS)
    sudoers.chmod(0o440)  # as visudo leaves it
    try:
        yield Anna(cluster_hosts)
    finally:
        host.run(["userdel", "--remove", "--force", "anna"])
        sudoers.unlink()


WORKS = {
    "noise that does not end its line": "printf Welcome",
    "noise that looks like ours": "echo orchestrator-1 is down tonight; echo orchestrator-answering machine",
    "an end for terminals only": "[ -t 1 ] || return; exit 3",
}


def test_what_a_start_file_prints_is_passed_over_and_what_it_starts_instead_is_named(anna: Anna) -> None:
    for script in WORKS.values():
        with written(anna.host, "home/anna/.bashrc", f"{script}\n"):
            assert anna.message() == ""
    for script in ("exit 0", "exec sh", "exec cat", "exec sleep 2"):
        with written(anna.host, "home/anna/.bashrc", f"{script}\n"):
            reported = anna.message()
        assert (
            "something else ran instead of our command: a start file of the login shell (.bashrc" in reported
        )
        assert "'[ -t 1 ] || return'" in reported  # which works: see above
    forced = "command=\"echo 'Please log in as core';sleep 11;exit 142\" "
    key = (anna.home / ".ssh/authorized_keys").read_text()
    with written(anna.host, "home/anna/.ssh/authorized_keys", forced + key):
        reported = anna.message()
    assert "(exit status 142, Please log in as core): something else ran" in reported
    with sshd(anna.host, "ForceCommand /bin/echo no way\nBanner /etc/hostname\n"):
        assert "(exit status 0, no way): something else ran instead" in anna.message()


def test_a_login_shell_that_lets_nobody_in_is_named_with_a_fix_that_works(anna: Anna) -> None:
    with anna.shell("/bin/rbash"):
        assert anna.message() == ""
    for shell, words in (
        ("/usr/sbin/nologin", "a login shell that refuses logins (This account is currently not available.)"),
        ("/bin/false", "runs no command (exit status 1), as with /bin/false for a login shell"),
    ):
        with anna.shell(shell):
            reported = anna.message()
            assert words in reported
            anna.host.run(["sh", "-c", printed(reported, "usermod -s /bin/sh anna")])
            assert anna.message() == ""


def test_sudo_that_refuses_is_named_with_a_fix_that_works(anna: Anna) -> None:
    for sudoers, words in (
        ("anna ALL=(root) ALL\n", "sudo: a password is required"),
        ("anna ALL=(root) NOPASSWD: /bin/ls\n", "sudo: a password is required"),
        ("", "sudo: a password is required"),
    ):
        with written(anna.host, "etc/sudoers.d/anna", sudoers):
            reported = anna.message()
            assert f"sudo refused anna: {words}" in reported
            line, file = re.findall(r"put the line '(.+)' into (/etc/sudoers.d/\S+) on the host", reported)[0]
            with written(anna.host, file[1:], f"{line}\n", then="visudo -qc", append=True):
                assert anna.message() == ""
    for sudoers in (
        f"{SUDOERS}Defaults lecture=always, use_pty\n",
        f"Defaults requiretty\n{SUDOERS}",
        f"{SUDOERS}Defaults runas_default=daemon\n",
    ):
        with written(anna.host, "etc/sudoers.d/anna", sudoers):
            assert anna.message() == ""
    with written(anna.host, "etc/sudoers.d/anna", "nonsense\n"):
        assert "syntax error" in anna.message()
        assert "nonsense" in anna.host.run(["sh", "-c", "visudo -c 2>&1"], check=False).stdout
    with moved(anna.host, "/usr/bin/sudo"):
        assert "has no sudo (env: 'sudo': No such file or directory): install it" in anna.message()


def test_a_login_that_is_not_enough_is_named_with_a_fix_that_works(anna: Anna) -> None:
    with sshd(
        anna.host, "AuthenticationMethods publickey,keyboard-interactive\nKbdInteractiveAuthentication yes\n"
    ):
        reported = anna.message()
        assert "accepted the key ssh-ed25519 SHA256:" in reported
        assert "and wants keyboard-interactive as well" in reported
        lines = "\n".join(re.findall(r"'(Match User anna|AuthenticationMethods publickey)'", reported))
        reload = "systemctl reload ssh; sleep 0.3"
        with written(anna.host, "etc/ssh/sshd_config", f"{lines}\n", then=reload, append=True):
            assert anna.message() == ""
    anna.host.run(["chage", "-d", "0", "anna"])
    reported = anna.message()
    assert "has to change its password first (WARNING: Your password has expired." in reported
    anna.host.run(["sh", "-c", printed(reported, "chage -d $(date +%F) anna")])
    assert anna.message() == ""


LOGGED = "sshd logs why, on the host: journalctl -u ssh -u sshd -n 20"


def test_what_sshd_keeps_to_itself_stands_where_the_message_points_to(anna: Anna) -> None:
    host, key = anna.host, (anna.home / ".ssh/authorized_keys").read_text()

    def logged(reported: str, words: str) -> None:
        assert LOGGED in reported
        command = ["sh", "-c", printed(reported, LOGGED.rpartition(": ")[2])]
        until(lambda: words in host.run(command).stdout, lambda: host.run(command).stdout)

    with anna.shell("/nonexistent"):
        logged(anna.message(), "User anna not allowed because shell /nonexistent does not exist")
    with sshd(host, "DenyUsers anna\n"):
        logged(anna.message(), "User anna from 198.19.255.254 not allowed because listed in DenyUsers")
    with written(host, "home/anna/.ssh/authorized_keys", f'from="10.9.9.9" {key}'):
        logged(anna.message(), "correct key but not from a permitted host")
    host.run(["chmod", "777", "/home/anna"])
    logged(anna.message(), "bad ownership or modes for directory /home/anna")
    host.run(["chmod", "755", "/home/anna"])
    host.run(["chage", "-E", "1", "anna"])
    logged(anna.message(), "account anna has expired")
    host.run(["chage", "-E", "-1", "anna"])
    host.run(["usermod", "-L", "anna"])
    with sshd(host, "UsePAM no\n"):
        logged(anna.message(), "User anna not allowed because account is locked")
    with sshd(host, "PermitRootLogin no\n"):
        reported = anna.message(as_root=True)
        assert "root logs in only if PermitRootLogin in sshd_config allows it" in reported
        logged(reported, "ROOT LOGIN REFUSED")
    with sshd(host, "PermitRootLogin forced-commands-only\n"):
        logged(anna.message(as_root=True), "ROOT LOGIN REFUSED")


def test_an_sshd_that_opens_few_sessions_works_and_one_that_opens_none_is_named(anna: Anna) -> None:
    with sshd(anna.host, "MaxSessions 1\n"):
        assert anna.message() == ""
    with sshd(anna.host, "MaxSessions 0\n"):
        reported = anna.message()
        assert "opens no session, or not one more" in reported
        found = anna.host.run(
            [
                "sh",
                "-c",
                printed(reported, "grep -rn MaxSessions /etc/ssh/sshd_config /etc/ssh/sshd_config.d"),
            ]
        )
        assert "/etc/ssh/sshd_config.d/odd.conf:1:MaxSessions 0" in found.stdout
    with sshd(anna.host, "MaxSessions 10\n"):
        assert anna.message() == ""


def test_an_sshd_that_forwards_no_port_is_named_with_a_fix_that_works(anna: Anna) -> None:
    name, key = anna.cluster.members[0].name, (anna.home / ".ssh/authorized_keys").read_text()
    probe = HttpProbe(name, "http://127.0.0.1:1/health")
    for options, reported in (
        ("restrict", "'restrict,port-forwarding'"),
        ("restrict,port-forwarding", "nobody listens: 127.0.0.1:1:"),
    ):
        with written(anna.host, "home/anna/.ssh/authorized_keys", f"{options} {key}"):
            with SshHosts(anna.cluster) as hosts:
                answer = hosts.look([probe])[probe]
            assert reported in answer.stderr
    with sshd(anna.host, "AllowTcpForwarding no\n"), SshHosts(anna.cluster) as hosts:
        assert "'AllowTcpForwarding yes' in sshd_config" in hosts.look([probe])[probe].stderr
