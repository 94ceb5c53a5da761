"""The list of who talks to the members: what people read, and what programs read."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.commands.clients import wanted
from orchestrator.errors import HostUnreachableError, UsageError
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Talker, Watching
from orchestrator.report import clients
from orchestrator.report.clients import Heard

PLAIN = Talker("203.0.113.7", 2379, "http", 7200.0, 3.0, 12, 4_200_000, 0)
TLS = Talker("203.0.113.8", 2379, "https", 60.0, 0.0, 1, 900, 1)
SILENT = Talker("203.0.113.9", 2379, "unknown", 60.0, 0.0, 1, 0, 1)
SHELL = Talker(
    "127.0.0.1", 2379, "http", 60.0, 0.0, 1, 10, 1, is_local=True, unit="session-3.scope", process="etcdctl"
)
SHORT = Talker("127.0.0.1", 2379, "http", 60.0, 5.0, 1, 10, 0, is_local=True)
WATCHING = Watching("active", 725.0, "perl", {2379: ("http", "https"), 4001: ("http",)}, ())


def heard(folder: Path, *talkers: Talker, is_watched: bool = True, **seen: Connections) -> Heard:
    return Heard(target(folder, {}), replace(WATCHING, talkers=talkers), is_watched, None, seen)


def test_the_table_begins_with_who_is_cut_off(tmp_path: Path) -> None:
    shown = clients.table([heard(tmp_path, TLS, SHELL, SHORT, PLAIN)])
    assert [
        ["member", "client", "speaks", "port", "since", "last seen", "connections", "open", "received"],
        ["server1", "203.0.113.7", "plain http", "2379", "2 h ago", "3 s ago", "12", "0", "4 MB"],
        ["server1", "203.0.113.8", "TLS", "2379", "1 m ago", "now", "1", "1", "900 B"],
    ] == [re.split(" {2,}", line) for line in shown.splitlines()[:3]]
    assert "etcdctl (session-3.scope) on server1, does not count" in shown
    assert "server1 itself (too short to be attributed), does not count" in shown
    assert "server1: watched for 12 m (ports 2379 http and https, 4001 http)" in shown
    assert shown.endswith("1 client is cut off when http is closed: 203.0.113.7")


def test_several_are_counted_and_nobody_is_said(tmp_path: Path) -> None:
    shown = clients.table([heard(tmp_path, PLAIN, SILENT)])
    assert shown.endswith("2 clients are cut off when http is closed: 203.0.113.7, 203.0.113.9")
    assert clients.table([heard(tmp_path, TLS)]).endswith(
        "nobody was seen that talks plain http and is cut off when http is closed"
    )


def test_where_nobody_was_seen_there_is_no_table(tmp_path: Path) -> None:
    assert [
        "server1: watched for 12 m (ports 2379 http and https, 4001 http)",
        "nobody was seen that talks plain http and is cut off when http is closed",
    ] == clients.table([heard(tmp_path)]).splitlines()


def test_a_look_says_how_it_was_made(tmp_path: Path) -> None:
    blind = replace(WATCHING, means="ports", watched_s=4.0)
    one = replace(heard(tmp_path, is_watched=False), watching=blind)
    assert "server1: no watcher runs, looked for 4 s (ports " in clients.table([one])
    assert "; without perl and python3 there, only by the port)" in clients.table([one])


def test_a_process_on_a_host_of_the_plan_is_named(tmp_path: Path) -> None:
    pair = ("198.18.0.102 5000", "198.18.0.101 2379")
    talker = replace(PLAIN, address="198.18.0.102")
    two = Connections((), (), {pair: "confd (pid 7, confd.service)"})
    assert "confd (pid 7, confd.service) on server2 (198.18.0.102)" in clients.table(
        [heard(tmp_path, talker, server2=two)]
    )
    assert "  server2 (198.18.0.102)  " in clients.table([heard(tmp_path, talker)])


def test_a_host_that_does_not_answer_is_told_with_the_others(tmp_path: Path) -> None:
    away = replace(heard(tmp_path), watching=None, error=HostUnreachableError("server1", "timed out"))
    assert "server1: timed out" in clients.table([away])
    (member,) = json.loads(clients.as_json([away]))["members"]
    assert ("server1: timed out", []) == (member["error"], member["clients"])


def test_json_has_a_format_and_every_field(tmp_path: Path) -> None:
    shown = json.loads(clients.as_json([heard(tmp_path, PLAIN, SHELL)]))
    (member,) = shown["members"]
    assert 1 == shown["format"]
    assert {
        "name": "server1", "error": None, "is_watched": True, "watched_s": 725.0, "means": "perl",
        "ports": {"2379": ["http", "https"], "4001": ["http"]},
    } == {key: value for key, value in member.items() if key != "clients"}  # fmt: skip
    assert {
        "address": "203.0.113.7", "name": "203.0.113.7", "port": 2379, "scheme": "http", "is_local": False,
        "unit": None, "process": None, "since_s": 7200.0, "last_seen_s": 3.0, "connections": 12, "open": 0,
        "received_bytes": 4_200_000, "is_client": True, "is_cut_off": True,
    } == member["clients"][0]  # fmt: skip
    assert (False, False, "session-3.scope") == tuple(
        member["clients"][1][key] for key in ("is_client", "is_cut_off", "unit")
    )


@pytest.mark.parametrize(
    ("output", "look", "reason"),
    [
        ("yaml", "5s", "--output yaml: there is text and json"),
        ("text", "5", "--for: '5' has no unit: write 5s"),
    ],
)
def test_what_there_is_not_is_refused(output: str, look: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        wanted(output, look, is_followed=False)


def test_a_look_takes_a_second_at_least() -> None:
    assert (1, 120) == tuple(wanted("json", look, is_followed=False).look_s for look in ("10ms", "2m"))
