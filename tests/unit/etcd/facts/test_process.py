"""The running process: a unit that does not run, or not for long, is told with its own last words."""

import base64
from collections.abc import Iterable
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.targets import target

from orchestrator.errors import RefusedError
from orchestrator.etcd import local_port, stages
from orchestrator.etcd.facts import process
from orchestrator.etcd.facts.members import VERSION
from orchestrator.etcd.gather import gather
from orchestrator.host.questions import Answer, Answers, Question, Script

RUNNING = ["LoadState=loaded", "ActiveState=active", "SubState=running", "MainPID=7"]


def reported(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (RUNNING, None),
        (
            ["LoadState=not-found", "ActiveState=inactive", "SubState=dead", "MainPID=0"],
            "there is no unit etcd2",
        ),
        (
            ["LoadState=loaded", "ActiveState=activating", "SubState=start", "MainPID=7"],
            "is activating (start)",
        ),
        (
            [*RUNNING, "NRestarts=3", "ActiveEnterTimestampMonotonic=5000000", "clock=9.5"],
            "crashed, and was started again 4 s ago (crash 3)",
        ),
        ([*RUNNING, "NRestarts=3", "ActiveEnterTimestampMonotonic=5000000", "clock=15.5"], None),
        (
            [
                *("LoadState=loaded", "ActiveState=failed", "SubState=failed", "MainPID=0"),
                f"journal={reported('starting' + chr(10) + 'tls: private key does not match public key')}",
            ],
            "tls: private key does not match public key",
        ),
    ],
)
def test_a_unit_that_does_not_run_well_is_complained_of(
    tmp_path: Path, lines: list[str], complaint: str | None
) -> None:
    member = target(tmp_path, {})
    seen = process.running(member).reader(Answer(0, "\n".join(lines))).complaint
    assert seen is None if complaint is None else complaint in (seen or "")


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        (f"MainPID={'9' * 5000}", "MainPID"),
        ("MainPID=-7", "MainPID"),
        ("NRestarts=\u0663", "NRestarts"),
        (f"ActiveEnterTimestampMonotonic={'9' * 400}", "ActiveEnterTimestampMonotonic"),
        ("clock=nan", "the kernel's clock"),
        ("clock=1e999", "the kernel's clock"),
    ],
)
def test_what_is_no_number_is_refused_by_name(tmp_path: Path, line: str, reported: str) -> None:
    member = target(tmp_path, {})
    answer = Answer(0, "\n".join([*RUNNING, "NRestarts=3", line]))
    with pytest.raises(ValueError, match=rf"^'[^']*' is not .*{reported}") as caught:
        process.running(member).reader(answer)
    assert len(str(caught.value)) < 200


def test_only_etcds_own_variables_are_kept(tmp_path: Path) -> None:
    member = target(tmp_path, {})
    environ = reported("PATH=/bin\0ETCD_NAME=a=b\0TOKEN=hidden\0")
    cmdline = reported("/usr/bin/etcd\0--debug\0")
    line = f"LoadState=loaded\nMainPID=7\nenviron={environ}\ncmdline={cmdline}"
    seen = process.running(member).reader(Answer(0, line))
    assert {"ETCD_NAME": "a=b"} == dict(seen.environment)
    assert ("/usr/bin/etcd", "--debug") == seen.arguments


def test_only_known_settings_are_remembered(tmp_path: Path) -> None:
    member = target(tmp_path, {})
    environ = reported("ETCD_ROOT_PASSWORD=hidden\0ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380\0")
    line = f"LoadState=loaded\nMainPID=7\nenviron={environ}"
    seen = process.running(member).reader(Answer(0, line))
    assert {"ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380"} == seen.remembered


def test_every_setting_that_is_changed_is_remembered(tmp_path: Path) -> None:
    member = target(tmp_path, {})
    changed = (stages.certificates, stages.tls_listeners, stages.relaying, local_port.opened)
    assert set() == {name for make in changed for name in make(member)} - process.REMEMBERED


@pytest.mark.parametrize(
    "line",
    [
        "unrecognized environment variable ETCD_ROOT_PASSWORD=hid den",
        '{"msg":"unrecognized environment variable","environment-variable":"ETCD_ROOT_PASSWORD=hid den"}',
    ],
)
def test_last_words_tell_no_values(tmp_path: Path, line: str) -> None:
    member = target(tmp_path, {})
    dead = (
        f"LoadState=loaded\nActiveState=failed\nMainPID=0\njournal={reported(line + chr(10) + 'panic: why')}"
    )
    seen = process.running(member).reader(Answer(0, dead))
    complaint = seen.complaint or ""
    assert "etcd2.service is failed (?)" == seen.trouble  # one line, for a list of faults
    assert ("hid" in complaint, "den" in complaint) == (False, False)
    assert "etcd2.service is failed (?); its journal says: panic: why" == complaint


def test_of_a_dead_unit_a_few_lines_are_shown_that_say_why(tmp_path: Path) -> None:
    journal = "\n".join(
        (
            "stopped peer a1",
            "listen tcp 127.0.0.1:2379: bind: address already in use (error)",
            *("stopping peer a1...",) * 40,
            "etcd.service: Main process exited, code=exited, status=1/FAILURE",
            "etcd.service: Failed with result 'exit-code'.",
        )
    )
    dead = f"LoadState=loaded\nActiveState=failed\nMainPID=0\njournal={reported(journal)}"
    seen = process.running(target(tmp_path, {})).reader(Answer(0, dead))
    assert ("listen tcp 127.0.0.1:2379: bind: address already in use (error)",) == seen.last_words


def test_the_facts_keep_no_other_variable(tmp_path: Path) -> None:
    world = World(make_cluster(tmp_path, proxies=1))
    for host in (*world.hosts.values(), *world.proxies.values()):
        host.environment["ETCD_ANY"] = "hidden"
    reported = gather(world.cluster, world.look).model_dump_json()
    assert ("ETCD_LISTEN_CLIENT_URLS" in reported, "hidden" in reported) == (True, False)


def test_a_main_process_that_is_not_etcd_is_named_and_never_tried_out(tmp_path: Path) -> None:
    world = World(make_cluster(tmp_path, proxies=1))
    world.hosts["server2"].program = "/usr/bin/bash"
    world.proxies["proxy1"].program = "nothing"
    with pytest.raises(RefusedError) as refused:
        gather(world.cluster, world.look)
    said = str(refused.value)
    assert "server2: the main process of etcd2.service is /usr/bin/bash, which is not etcd" in said
    assert "proxy1: the main process of etcd2.service is nothing, which is not etcd" in said
    assert "server1" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("check: 19: curl: not found", "curl is not installed, or not on PATH; the check 'tools' prints"),
        ("etcd2.service has no running process", "etcd2.service has no running process; the check 'unit'"),
        (
            "curl: (28) timed out",
            "it does not report its version (curl: (28) timed out); the check 'versions'",
        ),
    ],
)
def test_a_member_that_does_not_answer_is_sent_to_the_check_that_helps(
    tmp_path: Path, words: str, said: str
) -> None:
    world = World(make_cluster(tmp_path))

    def look(questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        silent = [one for one in asked if isinstance(one, Script) and one.script == VERSION]
        return {**world.look(asked), **{one: Answer(1, "", words) for one in silent if one.host == "server2"}}

    with pytest.raises(RefusedError) as refused:
        gather(world.cluster, look)
    assert f"server2: {said}" in str(refused.value)
