import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import paramiko
import pytest
from support.ssh_sites import HELLO, Site, make_key, site
from support.waiting import until
from unit.remote.sshd import REPLIED_S

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.operations import Job, JobResult, Run
from orchestrator.host.questions import Answer, HttpProbe, Script
from orchestrator.remote import connecting, ssh
from orchestrator.remote.job import Performance

__all__ = ["site"]


def test_equal_questions_are_asked_once_over_one_connection(site: Site, tmp_path: Path) -> None:
    counted = Script("h1", f"echo once >>{tmp_path}/count; echo hello")
    with site.executor() as executor:
        for _ in range(2):
            answers = executor.look([counted, HELLO, counted])
            assert {counted: Answer(0, "hello\n"), HELLO: Answer(0, "hello\n")} == answers

    assert site.sshd.logins == 1
    assert (tmp_path / "count").read_text() == "once\n" * 2


def test_one_shell_on_a_host_answers_look_after_look_and_is_replaced_when_it_has_ended(site: Site) -> None:
    with site.executor() as executor:
        executor.look([HELLO])
        shell = site.sshd.pids[-1]
        executor.look([HELLO])
        assert shell == site.sshd.pids[-1]

        os.killpg(shell, signal.SIGKILL)
        time.sleep(2 * REPLIED_S)
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"
        assert shell != site.sshd.pids[-1]
    assert site.sshd.logins == 1


def test_a_shell_makes_room_for_a_job_where_one_session_is_allowed_at_a_time(site: Site) -> None:
    site.sshd.max_sessions = 1
    with site.executor() as executor:
        executor.look([HELLO])
        done = executor.perform(Job("one", "h1", (Run(("true",)),), 10))
        assert JobResult(0, "") == done
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"
    assert site.sshd.logins == 1


def test_a_shell_whose_look_went_wrong_is_not_asked_again(site: Site) -> None:
    base64 = site.directory / "bin" / "base64"
    base64.write_text("#!/bin/sh\ncat >/dev/null; echo '!'\n")
    base64.chmod(0o755)
    with site.executor() as executor:
        with pytest.raises(HostUnreachableError, match="garbled"):
            executor.look([HELLO])
        base64.unlink()
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"


@pytest.mark.parametrize("sessions", [10, 1])
def test_what_is_slow_is_asked_beside_the_rest_where_a_host_allows_for_it(
    site: Site, tmp_path: Path, sessions: int
) -> None:
    site.sshd.max_sessions = sessions
    waits = 'for n in $(seq "$2"); do [ ! -e "$1" ] || exit 0; sleep 0.1; done; exit 1'
    slow = Script("h1", waits, (str(tmp_path / "there"), "20" if sessions > 1 else "3"), is_slow=True)
    quick = Script("h1", 'touch "$1"', (str(tmp_path / "there"),))
    with site.executor() as executor:
        answers = executor.look([slow, quick])
    assert answers[quick].exit_status == 0
    assert answers[slow].exit_status == 0 or sessions == 1


def test_hosts_are_asked_at_the_same_time(site: Site, tmp_path: Path) -> None:
    meet = "touch $1/$2; while [ ! -e $1/$3 ]; do sleep 0.01; done"  # each waits for the other
    there = Script("h1", meet, (str(tmp_path), "a", "b")), Script("h2", meet, (str(tmp_path), "b", "a"))
    with site.executor() as executor:
        assert [0, 0] == [answer.exit_status for answer in executor.look(there).values()]


def test_a_host_is_asked_for_the_type_of_key_that_is_known(site: Site) -> None:
    site.trust(site.sshd.host_keys[1])
    with site.executor() as executor:
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"


def test_an_unknown_host_gets_no_login(site: Site) -> None:
    site.known_hosts.write_text("")
    refusal = site.refusal()

    assert "h1: 127.0.0.1:" in refusal
    assert site.sshd.host_keys[0].fingerprint in refusal
    assert site.sshd.logins == 0


def test_a_changed_host_gets_no_login(site: Site) -> None:
    site.trust(paramiko.PKey.from_path(make_key(site.directory / "another")))

    assert "HAS CHANGED" in site.refusal()
    assert site.sshd.logins == 0


def test_an_unreadable_known_hosts_file_is_named(site: Site) -> None:
    site.known_hosts.unlink()
    site.known_hosts.mkdir()

    assert f"{site.known_hosts}: Is a directory" in site.refusal()


def test_a_login_that_is_refused_names_the_key_and_the_fix(site: Site) -> None:
    make_key(site.identity)
    refusal = site.refusal()

    assert f"refused the login with {site.identity} (ssh-ed25519 SHA256:" in refusal
    assert "authorized_keys" in refusal
    assert [] == site.pauses  # it was asked once


def test_an_identity_file_that_cannot_be_used_is_named_with_the_fix(site: Site) -> None:
    make_key(site.identity, b"passphrase")
    assert f"identity file {site.identity} is encrypted: load it into an SSH agent" in site.refusal()
    site.identity.write_text("nonsense")
    assert f"identity file {site.identity} is not a private key" in site.refusal()
    site.identity.unlink()
    assert f"identity file {site.identity}: No such file" in site.refusal()


def test_somebody_who_is_not_root_is_reported_to_become_root(site: Site) -> None:
    (site.directory / "bin" / "id").write_text("#!/bin/sh\necho 1000\n")

    assert "is not root there: set become: sudo" in site.refusal()


def test_sudo_that_wants_a_password_is_reported_with_the_fix(site: Site) -> None:
    sudo = site.directory / "bin" / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    refusal = site.refusal(become="sudo")

    assert "sudo refused root: sudo: a password is required" in refusal
    assert "'root ALL=(root) NOPASSWD: ALL'" in refusal


def test_questions_about_more_and_fewer_things_are_asked_once(site: Site, tmp_path: Path) -> None:
    text = 'echo asked >> "$1"; shift; printf "%s\\n" "$@"'
    counted = str(tmp_path / "counted")
    few, more = (Script("h1", text, (counted, *things), shares=1) for things in ("ab", "bc"))
    with site.executor() as executor:
        answers = executor.look([few, HELLO, more])
    assert ["a\nb\nc\n", "hello\n", "a\nb\nc\n"] == [answers[one].stdout for one in (few, HELLO, more)]
    assert "asked\n" == Path(counted).read_text()


def test_one_thing_that_cannot_be_told_spoils_no_other_answer(site: Site) -> None:
    text = 'shift; for thing; do [ "$thing" != bad ] || exit 3; echo "$thing"; done'
    good, bad = (Script("h1", text, ("", *things), shares=1) for things in ("ab", ("a", "bad", "c")))
    with site.executor() as executor:
        answers = executor.look([good, bad])
    assert [(0, "a\nb\n"), (3, "a\n")] == [
        (answers[one].exit_status, answers[one].stdout) for one in (good, bad)
    ]


def test_a_connection_that_is_dropped_before_the_banner_is_tried_again(site: Site) -> None:
    site.sshd.drops = 2
    with site.executor() as executor:
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"
    assert len(site.pauses) == 2


def test_a_host_that_always_hangs_up_is_unreachable(site: Site) -> None:
    site.sshd.drops = 9
    with (
        site.executor() as executor,
        pytest.raises(HostUnreachableError, match="hung up during the handshake"),
    ):
        executor.look([HELLO])
    assert site.sshd.drops == 6


def test_a_host_where_nobody_listens_is_unreachable_at_once(site: Site) -> None:
    with (
        site.executor(port=1) as executor,
        pytest.raises(HostUnreachableError, match=":1: Connection refused"),
    ):
        executor.look([HELLO])
    assert [] == site.pauses


def test_a_host_that_says_nothing_is_unreachable_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "DIAL_S", 0.3)
    monkeypatch.setattr(connecting, "_HURRIED_S", 0.2)
    site.sshd.is_mute = True
    with site.executor() as executor, pytest.raises(HostUnreachableError, match="does not answer"):
        executor.look([HELLO])
    assert [] == site.pauses


def test_a_silent_host_is_waited_for_once_however_much_is_asked_of_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "DIAL_S", 0.3)
    monkeypatch.setattr(connecting, "_HURRIED_S", 0.2)
    site.sshd.is_mute = True
    requests = [HttpProbe("h1", f"http://127.0.0.1:{port}/health") for port in range(2379, 2409)]
    with site.executor() as executor, pytest.raises(HostUnreachableError, match="does not answer"):
        executor.look([HELLO, *requests])
    assert 1 == len(site.sshd.silent)


def test_a_connection_that_died_while_nobody_looked_is_replaced(site: Site) -> None:
    with site.executor() as executor:
        executor.look([HELLO])
        site.sshd.hang_up()
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"
    assert site.sshd.logins == 2


def test_a_connection_that_was_lost_leaves_nothing_open(site: Site) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with site.executor() as executor:
        executor.look([HELLO])
        gc.collect()
        gc.disable()
        before = descriptors()
        try:
            for _ in range(4):
                site.sshd.hang_up()
                until(lambda: not executor._connections["h1"]._shared.is_open)
                executor.look([HELLO])
            until(lambda: descriptors() <= before)
        finally:
            gc.enable()


def test_a_connection_that_is_lost_during_a_look_makes_the_host_unreachable(site: Site) -> None:
    slow = Script("h1", "sleep 1.5")
    timer = threading.Timer(0.7, site.sshd.hang_up)
    with site.executor() as executor:
        timer.start()
        with pytest.raises(HostUnreachableError, match="connection lost"):
            executor.look([slow])
        assert executor.look([HELLO])[HELLO].stdout == "hello\n"
    timer.join()


def test_a_connection_that_is_lost_while_a_tunnel_is_dug_makes_the_host_unreachable(site: Site) -> None:
    with site.executor() as executor:
        executor.look([HELLO])
        with pytest.raises(HostUnreachableError, match="h1"):
            executor.look([HttpProbe("h1", "http://127.0.0.1:2379/health")])


def test_a_host_without_the_needed_tools_says_what_is_missing(site: Site) -> None:
    base64 = site.directory / "bin" / "base64"
    base64.write_text("#!/bin/sh\nexit 1\n")
    base64.chmod(0o755)
    with site.executor() as executor, pytest.raises(HostUnreachableError, match="cannot be read"):
        executor.look([HELLO])


def test_a_host_that_runs_no_command_is_reported_as_that(site: Site) -> None:
    (site.directory / "bin" / "sh").write_text("#!/bin/false\n")
    (site.directory / "bin" / "sh").chmod(0o755)
    assert "runs no command (exit status 1), as with /bin/false for a login shell" in site.refusal()


def test_what_needs_a_person_comes_before_what_may_fix_itself(site: Site) -> None:
    good = site.executor()
    members = good._connections
    members["h1"]._ssh = members["h1"]._ssh.model_copy(update={"port": 1})
    members["h2"]._ssh = members["h2"]._ssh.model_copy(update={"user": "nobody"})
    with good, pytest.raises(LoginRefusedError, match="h2"):
        good.look([HELLO, Script("h2", "true")])


def test_a_job_for_a_host_that_was_never_reached_is_not_in_doubt(site: Site) -> None:
    with site.executor(port=1) as executor, pytest.raises(HostUnreachableError, match="job d1 was not sent"):
        executor.perform(Job("d1", "h1", (), 1))
    assert [] == site.pauses


@contextmanager
def vanishing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, back_after_s: float | None = None
) -> Iterator[Job]:
    """A job that takes 1.5 s, on a host that vanishes while it is under way, and may come back."""
    monkeypatch.setattr(ssh, "Performance", partial(Performance, home=str(tmp_path / "run")))

    def vanish() -> None:
        while not (tmp_path / "count").exists():
            time.sleep(0.01)
        site.sshd.drops = 10**6
        site.sshd.hang_up()
        if back_after_s is not None:
            time.sleep(back_after_s)
            site.sshd.drops = 0

    thread = threading.Thread(target=vanish)
    thread.start()
    yield Job("d1", "h1", (Run(("sh", "-c", f"echo once >>{tmp_path}/count; sleep 1.5")),), 20)
    thread.join()


def test_a_host_that_vanished_is_waited_for_within_patience_and_its_job_is_in_doubt(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vanishing(site, tmp_path, monkeypatch) as job, site.executor(gate_s=0.5) as executor:
        began = time.monotonic()
        with pytest.raises(HostUnreachableError, match="job d1 is in doubt"):
            executor.perform(job)
        assert 0.5 <= time.monotonic() - began < 20
    assert (tmp_path / "count").read_text() == "once\n"


def test_a_host_that_comes_back_within_patience_tells_of_its_job(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming_back = vanishing(site, tmp_path, monkeypatch, back_after_s=1.5)
    with coming_back as job, site.executor(gate_s=20) as executor:
        assert executor.perform(job) == JobResult(0, "")
    assert (tmp_path / "count").read_text() == "once\n"


def test_paramiko_keeps_its_tracebacks_to_itself(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.sshd.drops = 9
    with site.executor() as executor, pytest.raises(HostUnreachableError):
        executor.look([HELLO])
    assert capfd.readouterr().err == ""
