"""What a trial's journal and metrics are read as."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.scripts import shell
from support.targets import target

from orchestrator.etcd import trial
from orchestrator.etcd.trial import TrialStatus
from orchestrator.host.questions import Answer

ENDED = """\
recognized and used environment variable ETCD_X=secret
peerTLS: cert = /etc/etcd2/server2.pem
cannot access data directory: open /var/lib/etcd/.touch: read-only file system
orchestrator-trial.service: Main process exited, code=exited, status=1/FAILURE
orchestrator-trial.service: Failed with result 'exit-code'.
Failed to start orchestrator-trial.service - orchestrator-trial.
"""
JSON = """\
{"level":"info","msg":"starting etcd"}
{"level":"warn","msg":"rejected connection","remote-addr":"127.0.0.1:4242","error":"tls: first record"}
{"level":"warn","msg":"rejected connection on peer endpoint","remote-addr":"198.18.0.9:1","error":"x509: no"}
{"level":"fatal","msg":"discovery failed","error":"member count is unequal"}
"""


def read(folder: Path, journal: str, *lines: str) -> TrialStatus:
    encoded = base64.b64encode(journal.encode()).decode()
    text = "\n".join(("ActiveState=failed", "Result=exit-code", "MainPID=0", *lines, f"journal={encoded}"))
    return trial.status(target(folder, {})).reader(Answer(0, text))


def test_the_last_words_are_etcds_own_and_not_that_it_ended(tmp_path: Path) -> None:
    found = read(tmp_path, ENDED)
    assert ("cannot access data directory: open /var/lib/etcd/.touch: read-only file system",) == found.said
    assert (found.state, found.is_running) == ("failed (exit-code)", False)


def test_a_log_in_json_is_read_as_a_person_reads_it(tmp_path: Path) -> None:
    reported = (
        "rejected connection on peer endpoint: 198.18.0.9:1: x509: no",
        "discovery failed: member count is unequal",
    )
    found = read(tmp_path, JSON)
    assert (reported, reported[:1]) == (found.said, found.rejected)


def test_of_one_that_runs_only_trouble_is_reported(tmp_path: Path) -> None:
    assert () == read(tmp_path, "a\nb\n", "ActiveState=active", "MainPID=7").said


def test_without_a_telling_line_the_last_lines_are_reported(tmp_path: Path) -> None:
    assert ("b", "c", "d") == read(tmp_path, "a\nb\nc\nd\n").said


def test_only_what_it_has_dialled_itself_counts_as_reached(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "",
        'metric=etcd_network_active_peers{Local="a1",Remote="a2"} 1',
        'metric=etcd_network_active_peers{Local="a1",Remote="a3"} 0',
        'metric=etcd_network_active_peers{Local="a1",Remote="a4"} 1',  # it has dialled us, for now
        "dialled=a2",
        "dialled=a3",
        'metric=etcd_server_id{server_id="a1"} 1',
        "proxy=HTTPS_PROXY",
        "network=own",
    )
    assert (found.id, found.reached) == ("a1", frozenset({"a2"}))
    assert (found.proxies, found.has_own_network) == (("HTTPS_PROXY",), True)


@pytest.mark.timeout(10)
def test_labels_that_do_not_end_are_read_at_once(tmp_path: Path) -> None:
    endless = "a" * 50_000
    assert frozenset() == read(tmp_path, "", f"metric=etcd_network_active_peers{{{endless}}} 1").reached


TOLD = """\
starting member 8e9e05c52164694d in cluster cdf818194e3a8c32
established a TCP streaming connection with peer a2 (stream MsgApp v2 reader)
established a TCP streaming connection with peer a3 (stream MsgApp v2 writer)
established a TCP streaming connection with peer a4 (message reader)
{"msg":"established TCP streaming connection with remote peer","stream-reader-type":"stream Message","local-member-id":"a1","remote-peer-id":"a5"}
{"msg":"established TCP streaming connection with remote peer","stream-writer-type":"stream Message","local-member-id":"a1","remote-peer-id":"a6"}
x\tinfo\testablished TCP streaming connection with remote peer\t{"stream-reader-type": "stream Message", "remote-peer-id": "a7"}
conflicting environment variable "ETCD_NAME" is shadowed by corresponding command-line flag
recognized and used environment variable ETCD_X=secret
unrecognized environment variable ETCD_X=secret
{"level":"info","msg":"recognized and used environment variable","variable-name":"ETCD_X","variable-value":"secret"}
x\twarn\tunrecognized environment variable\t{"environment-variable": "ETCD_X=secret"}
"""  # noqa: E501 -- lines of etcd 3.4.23, 2.3.8, 3.5.30 and 3.6 (console)


def looked(folder: Path, programs: Mapping[str, str]) -> list[str]:
    """Return the lines of a look on a host that has these programs."""
    for name, command in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{command}\n")
        program.chmod(0o755)
    done = shell(f"PATH={folder}:$PATH\nset -- orchestrator-trial\n{trial.LOOK}")
    return done.stdout.splitlines()


def test_what_one_says_that_ends_at_once_is_read_by_its_process(tmp_path: Path) -> None:
    """Of 150 such starts journald (252) did not know one: its lines have the unit and process only."""
    shown = r"printf 'ActiveState=failed\nMainPID=0\nExecMainPID=77\nInvocationID=a1\n'"
    of_process = "*+?_SYSTEMD_UNIT=orchestrator-trial.service?_PID=77?--boot*"
    journal = f"case $* in {of_process}) echo 'flag provided but not defined: -x' ;; esac"
    lines = looked(tmp_path, {"systemctl": shown, "journalctl": journal})
    found = trial.status(target(tmp_path, {})).reader(Answer(0, "\n".join(lines)))
    assert ("flag provided but not defined: -x",) == found.said


def test_whom_it_has_dialled_is_read_from_its_log_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text(TOLD)
    lines = looked(tmp_path, {"systemctl": "echo 0", "journalctl": f"cat {tmp_path}/journal"})
    assert {"a2", "a4", "a5", "a7"} == {line[8:] for line in lines if line.startswith("dialled=")}
    assert "id=8e9e05c52164694d" in lines
    journal = base64.b64decode(next(line for line in lines if line.startswith("journal="))[8:])
    assert b"secret" not in journal
    assert b'"ETCD_NAME" is shadowed' in journal


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('cannot use ETCD_X=a "secret"', "cannot use ETCD_X=***"),
        ('{"msg":"failed","error":"no ETCD_X=secret"}', "failed: no ETCD_X=***"),
        ('x\tfatal\tno\t{"variable-value": "se\\"cret"}', 'x\\tfatal\\tno\\t{"variable-value": "***"}'),
    ],
)
def test_a_value_that_it_logs_is_not_shown(tmp_path: Path, line: str, expected: str) -> None:
    assert (expected,) == read(tmp_path, line).said
