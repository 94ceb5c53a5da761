import getpass
import grp
import io
import os
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from support.conversations import conversation, counting
from unit.remote.shells import ShellChannel, shims

from orchestrator.host.operations import Job, JobResult, Run, Secret, Write
from orchestrator.host.questions import Answer, Script
from orchestrator.remote.conversation import Conversation, converse
from orchestrator.remote.job import _STARTER, Performance, SettledError, read_result
from orchestrator.remote.job_archive import pack


@pytest.fixture
def shim(tmp_path: Path) -> dict[str, str]:
    return shims(tmp_path / "bin")


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path / "run")


@pytest.mark.parametrize(("then", "exit_status"), [("echo hi", 0), ("echo hi; exit 3", 3)])
def test_a_job_runs_once_and_its_result_can_be_read_for_ever(
    home: str, shim: dict[str, str], tmp_path: Path, then: str, exit_status: int
) -> None:
    job = counting("a1-accept-server1-1", tmp_path / "count", then)
    results = set()
    for _ in range(3):
        performance = Performance(job, home)
        with conversation(performance, shim) as talk:
            results.add(performance.hold(talk))

    assert len(results) == 1
    result = results.pop()
    assert exit_status == result.exit_status
    assert result.output.startswith("hi\n")
    assert (tmp_path / "count").read_text() == "once\n"


def test_a_job_goes_on_when_the_connection_is_lost_and_is_not_started_again(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    performance = Performance(counting("job", tmp_path / "count", "sleep 1.5; echo slept"), home)
    with conversation(performance, shim) as talk:
        talk.say(_STARTER.encode())
        assert talk.line().endswith(" missing")
        talk.say(pack(performance.job))
        talk.end_input()
        assert talk.line() == "orchestrator-waiting"
    with conversation(performance, shim) as talk:
        assert performance.hold(talk) == JobResult(0, "slept\n")
    assert (tmp_path / "count").read_text() == "once\n"


def test_of_two_callers_at_the_same_moment_one_starts_the_job(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    performance = Performance(counting("job", tmp_path / "count", "sleep 0.2; echo done"), home)
    with conversation(performance, shim) as one, conversation(performance, shim) as two:
        for talk in (one, two):
            talk.say(_STARTER.encode())
            assert talk.line().endswith(" missing")
        for talk in (one, two):
            talk.say(pack(performance.job))
            talk.end_input()
        assert [JobResult(0, "done\n")] * 2 == [read_result(talk.line()) for talk in (one, two)]
    assert (tmp_path / "count").read_text() == "once\n"
    assert (tmp_path / "bin" / "started").read_text() == "started\n"
    assert ["job"] == [path.name for path in Path(home).iterdir()]


def test_what_is_left_on_stdin_is_never_read_as_commands(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    performance = Performance(counting("job", tmp_path / "count"), home)
    performance._archive += f"touch {tmp_path}/mark\n".encode() * 100
    with conversation(performance, shim) as talk:
        assert performance.hold(talk).exit_status == 0
    with conversation(performance, shim) as talk:
        talk.say(_STARTER.encode() + f"touch {tmp_path}/mark\n".encode())
        assert talk.line().endswith(" present")
        talk.line()
    assert not (tmp_path / "mark").exists()


def test_lines_that_a_login_shell_prints_are_passed_over() -> None:
    check = Script("h", "echo hi")
    with closing(ShellChannel(("sh", "-c", "echo Welcome; echo; exec sh -s"))) as channel:
        answers = converse(Conversation(channel, time.monotonic), [check])
    assert {check: Answer(0, "hi\n")} == answers


def test_a_script_that_says_nothing_is_given_up_in_time() -> None:
    talk = closing(ShellChannel(("sleep", "1")))  # whose end would be another error
    with talk as channel, pytest.raises(TimeoutError, match=r"no answer within 0.1 s"):
        Conversation(channel, time.monotonic).line(0.1)


def test_an_archive_that_is_cut_short_is_never_started(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    job = Job(
        "cut",
        "h",
        (Write(str(tmp_path / "key"), Secret("x" * 2000)), Run(("touch", str(tmp_path / "count")))),
        5,
    )
    whole = pack(job)
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        last = archive.getmember("run").offset
    for length in (0, 100, 512, 3000, last, last + 512, last + 520):
        performance = Performance(job, home)
        performance._archive = whole[:length]
        with conversation(performance, shim) as talk:
            result = performance.hold(talk)
        assert result.exit_status == 125, length
        assert result.output.startswith("the job did not arrive, and was not started: "), length
    assert not (tmp_path / "count").exists()
    assert [] == list(Path(home).iterdir())


def test_a_job_for_which_there_is_no_directory_is_not_started(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    Path(home).write_text("in the way")
    with conversation(performance := Performance(counting("job", tmp_path / "count"), home), shim) as talk:
        result = performance.hold(talk)
    assert result.exit_status == 125
    assert result.output.startswith("the job was not started: mkdir: ")
    assert not (tmp_path / "count").exists()


def test_a_job_whose_exit_status_found_no_room_has_failed(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    performance = Performance(counting("job", tmp_path / "count", "echo did it"), home)
    with conversation(performance, shim) as talk:
        performance.hold(talk)
    (Path(home) / "job" / "exit").write_text("")
    with conversation(performance, shim) as talk:
        result = performance.hold(talk)
    assert result == JobResult(
        125, f"did it\nits exit status could not be written: is there room in {home}?\n"
    )


def ended_without_systemd(home: str, shim: dict[str, str], tmp_path: Path, *words: str) -> JobResult:
    """A job after which ExecStopPost did not run, or could not; what its first caller is told."""
    run = tmp_path / "bin" / "systemd-run"
    run.write_text(run.read_text().replace('"$@"; $post', '"$@"; ' + " ".join(words)))
    performance = Performance(counting("job", tmp_path / "count", "echo did it; exit 3"), home)
    with conversation(performance, shim) as talk:
        return performance.hold(talk)


def test_a_result_that_was_written_and_not_put_in_place_is_read(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    first = ended_without_systemd(home, shim, tmp_path, "true")  # as with 219/CGROUP
    assert (
        JobResult(3, f"did it\nfailed: run sh -c 'echo once >>{tmp_path}/count; echo did it; exit 3'\n")
        == first
    )
    assert not (Path(home) / "job" / "exit").exists()
    again = Performance(counting("job", tmp_path / "count"), home)
    with conversation(again, shim) as talk:
        assert again.hold(talk) == first
    assert (tmp_path / "count").read_text() == "once\n"


def test_a_job_without_a_result_is_reported_as_interrupted_by_everybody(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    result = ended_without_systemd(home, shim, tmp_path, "rm", "$SHELLS/../run/job/status")
    reported = "interrupted on the host: orchestrator-job.service ended and left no result"
    assert (125, reported) == (result.exit_status, result.output.splitlines()[-1])


def test_a_job_whose_lock_was_gone_may_be_tried_again_whether_or_not_its_result_is_in_place(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    place = Path(home) / "job"
    for name, is_idle in (("exit", True), ("status", True), ("status", False)):
        place.mkdir(parents=True)
        (place / name).write_text("1006 \n")
        (tmp_path / "bin" / "systemctl").write_text(
            f"#!/bin/sh\necho {'inactive' if is_idle else 'active'}\n"
        )
        performance = Performance(counting("job", tmp_path / "count"), home)
        with conversation(performance, shim) as talk:
            talk.say(_STARTER.encode())
            expected = "missing" if name == "exit" or is_idle else "present"
            assert talk.line().endswith(f" {expected}")
        assert place.exists() is not is_idle
    assert not (tmp_path / "count").exists()


def test_a_host_that_was_rebooted_in_the_middle_does_not_get_the_job_again(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    performance = Performance(counting("job", tmp_path / "count"), home)
    performance._boot = "before"
    with conversation(performance, shim) as talk, pytest.raises(SettledError, match="rebooted in the middle"):
        performance.hold(talk)
    assert performance.standing == "job job is in doubt"
    assert not (tmp_path / "count").exists()


def test_a_unit_that_ended_without_a_result_is_reported_as_interrupted(
    home: str, shim: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bin" / "broken").touch()  # systemd-run fails
    job = Job("broken", "h", (Write(str(tmp_path / "key"), Secret("x")),), 20)
    performance = Performance(job, home)
    with conversation(performance, shim) as talk:
        result = performance.hold(talk)

    assert result == JobResult(
        125, "interrupted on the host: orchestrator-broken.service ended and left no result\n"
    )
    assert not list(Path(home).rglob("payload-*"))


def test_a_job_stops_at_its_deadline_and_says_so(home: str, shim: dict[str, str], tmp_path: Path) -> None:
    performance = Performance(counting("slow", tmp_path / "count", "sleep 30", 0.3), home)
    with conversation(performance, shim) as talk:
        result = performance.hold(talk)

    assert result.exit_status == 124
    assert "stopped at its deadline of 0.3 s" in result.output


@pytest.mark.parametrize("ending", ["true", "false"])
def test_secrets_are_gone_when_a_job_is_over(
    home: str, shim: dict[str, str], tmp_path: Path, ending: str
) -> None:
    key = Write(
        str(tmp_path / "key"), Secret("PLANTED"), 0o600, getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    )
    job = Job("secret", "h", (key, Run((ending,))), 20)
    performance = Performance(job, home)
    with conversation(performance, shim) as talk:
        result = performance.hold(talk)

    assert result.exit_status == (0 if ending == "true" else 1)
    assert (tmp_path / "key").read_text() == "PLANTED"
    assert [] == [path for path in Path(home).rglob("*") if path.is_file() and "PLANTED" in path.read_text()]


@pytest.mark.parametrize("job", ["", ".", "..", ".hidden", "a/b", "a b", "a\nb", "-x", "x" * 129, "é"])
def test_a_job_id_that_is_no_file_name_is_refused(job: str) -> None:
    with pytest.raises(ValueError, match="job id"):
        Performance(Job(job, "h", (), 1))


def test_the_archive_holds_the_payloads_for_root_only() -> None:
    with tarfile.open(
        fileobj=io.BytesIO(pack(Job("d", "h", (Write("/k", Secret("PLANTED")),), 1)))
    ) as archive:
        members = archive.getmembers()
    assert ["script", "payload-1", "room", "end", "run"] == [member.name for member in members]
    assert {0o600} == {member.mode for member in members}
