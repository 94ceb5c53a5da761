"""Text from a host is data: no name, URL or variable becomes a line, a command or an answer of its own."""

import ast
import base64
import json
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest
from engine.sourced import SourcedWorld, in_a_configuration
from engine.world import World, make_cluster
from pydantic import ValidationError
from support.targets import target

import orchestrator
from orchestrator.errors import RefusedError
from orchestrator.etcd import files, gather, restoring
from orchestrator.etcd.api import v2, v3
from orchestrator.etcd.facts import process
from orchestrator.host.questions import Answer, Answers, Question, UnansweredError
from orchestrator.plan.facts import HostFacts, MemberFacts

PAYLOAD = "c\nExecStartPre=+/bin/sh -c 'id >/etc/seen'\n#"
PACKAGE = Path(orchestrator.__file__).parent
# Here an exit status that is not 0 belongs to the answer, or what was printed is shown and not read.
MAY_READ_HALF_AN_ANSWER = {"host/questions.py", "etcd/api/v3.py"}
PIPES = {"sys", "self._process"}  # whose stdout is a pipe, and no answer


def members(**changed: object) -> Answer:
    member = {"ID": 0xA1, "name": "c", "peerURLs": ["http://198.18.0.103:2380"], **changed}
    return Answer(0, json.dumps({"members": [member]}))


@pytest.mark.parametrize(
    "changed",
    [{"name": PAYLOAD}, {"peerURLs": [f"http://a:2380\n{PAYLOAD}"]}, {"peerURLs": ["http://a:2380 x"]},
     {"clientURLs": ["http://$(id):2379"]}, {"name": "\x1b]0;title\x07"}, {"name": "a\u202eb"}],
)  # fmt: skip
def test_a_registry_with_more_than_names_and_urls_is_refused(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    members_of = v3.V3().members(target(tmp_path, {})).reader
    assert members_of(members())
    with pytest.raises(ValueError, match=r"members\.0"):
        members_of(members(**changed))


def test_a_v2_member_list_with_other_urls_is_refused(tmp_path: Path) -> None:
    line = "a1: name=c peerURLs=http://$(id):2380 clientURLs=http://a:2379 isLeader=true\n"
    with pytest.raises(ValueError, match="is not a URL"):
        v2.V2().members(target(tmp_path, {})).reader(Answer(0, line))


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", PAYLOAD), ("name", "a,b"), ("id", "a1; id"), ("version", "3.4.23\nx"), ("user", "a b"),
     ("group", "$(id)"), ("executable", "/opt/$HOME/etcd"), ("peer_urls", ("ftp://a:1",)),
     ("environment", {"ETCD_NAME": PAYLOAD}), ("environment", {"LD_PRELOAD": "x"}),
     ("missing_directories", ("/etc/a\nb",)), ("peer_urls", ("http://a:99999",)), ("peer_urls", ("http://a",)),
     ("peer_urls", ("http://[::::]:1",)), ("environment", {"ETCD_LISTEN_CLIENT_URLS": "http://a:0"}),
     ("environment", {"ETCD_LISTEN_PEER_URLS": ","}), ("environment", {"ETCD_LISTEN_PEER_URLS": "a:2380"}),
     ("environment", {"ETCD_ADVERTISE_CLIENT_URLS": "http://a:1,http://[::::]:1"})],
)  # fmt: skip
def test_facts_hold_only_what_can_be_used(name: str, value: object) -> None:
    facts = {"id": "a1", "name": "c", "version": "3.4.23", "peer_urls": ("http://a:2380",), "environment": {}}
    facts |= {"user": "etcd", "group": "etcd"}
    assert MemberFacts.model_validate(facts).name == "c"
    with pytest.raises(ValidationError):
        MemberFacts.model_validate({**facts, name: value})


def test_a_member_whose_name_would_become_code_elsewhere_is_named_before_anything_is_done(
    tmp_path: Path,
) -> None:
    class Hostile(World):
        def look(self, questions: Iterable[Question]) -> Answers:
            answers = dict(super().look(questions))
            for question, answer in answers.items():
                if '"members"' in answer.stdout:
                    text = answer.stdout.replace('"server3"', json.dumps(PAYLOAD))
                    answers[question] = Answer(0, text)
            return answers

    cluster = make_cluster(tmp_path)
    with pytest.raises(RefusedError, match=r"server1: .*members\.2\.name: a member's name holds characters"):
        gather.gather(cluster, Hostile(cluster).look)


@pytest.mark.parametrize("silent", [4, 5, 6])  # the looks at units, configuration files, and own files
def test_a_host_whose_own_files_are_not_told_in_time_is_named(tmp_path: Path, silent: int) -> None:
    class Slow(SourcedWorld):
        looks = 0

        def look(self, questions: Iterable[Question]) -> Answers:
            self.looks += 1
            answers = super().look(questions)
            slow = {one: Answer(124, "") for one in answers if one.host == "server2"}
            return {**answers, **slow} if self.looks == silent else answers

    cluster = make_cluster(tmp_path).model_copy(update={"persist": "in_place"})
    with pytest.raises(RefusedError, match=r"server2: .*no answer in time"):
        gather.gather(cluster, Slow(cluster, in_a_configuration).look)


def test_a_variable_of_a_process_that_is_no_line_is_refused(tmp_path: Path) -> None:
    member = target(tmp_path, {})
    environ = b"ETCD_DATA_DIR=/var\nX\0ETCD_UNIT_FILE=\xff\0"
    line = f"LoadState=loaded\nMainPID=7\nenviron={base64.b64encode(environ).decode()}\ncmdline=\n"
    running = process.running(member).reader(Answer(0, line))
    with pytest.raises(ValueError, match="ETCD_DATA_DIR holds characters that cannot be printed"):
        _ = running.remembered


@pytest.mark.parametrize("status", [1, 3, 124, 127, 143, 255])
def test_half_an_answer_is_none(tmp_path: Path, status: int) -> None:
    member = target(tmp_path, {})
    with pytest.raises(UnansweredError):
        files.lying(member, ()).reader(Answer(status, "", ""))
    with pytest.raises(UnansweredError):
        process.running(member).reader(Answer(status, "LoadState=loaded\nMainPID=0\n"))
    with pytest.raises(UnansweredError):
        v3.V3().members(member).reader(Answer(status, members().stdout))


def test_only_who_says_so_reads_what_was_printed_whatever_the_exit_status() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "lab" not in path.relative_to(PACKAGE).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "stdout"
        and ast.unparse(node.value) not in PIPES
    }  # fmt: skip
    assert readers == MAY_READ_HALF_AN_ANSWER


def test_each_printed_command_of_a_restore_is_quoted(tmp_path: Path) -> None:
    plain = target(tmp_path, {})
    strange = {"ETCD_DATA_DIR": "/var/lib/it's $HOME;x", "ETCD_WAL_DIR": "/log/a b"}
    facts = {
        name: found.model_copy(update={"environment": strange, "name": "node 1; id"})
        for name, found in plain.facts.members.items()
    }
    holder = plain.of(plain.host)
    holder = type(plain)(plain.cluster, plain.facts.model_copy(update={"members": facts}), plain.host)
    for text in (restoring.instructions(holder, "3f9c01ab", None),):
        said = [shlex.split(line) for line in text.splitlines() if line.startswith("     ")]
        data, log = "/var/lib/it's $HOME;x", "/log/a b"
        for place in (data, log):
            made = ["install", "-d", "-m", "0700", "-o", "etcd", "-g", "etcd", place]
            assert ["[", "-d", place, "]", "||", *made] in said
        before = f"{data}/member.before-3f9c01ab"
        assert ["[", "!", "-e", f"{data}/member", "]", "||", "mv", "-T", f"{data}/member", before] in said
        assert ["mkdir", f"{log}.before-3f9c01ab"] in said
        assert ["mv", "-t", log, f"{data}/member/wal/*"] in said
        restored = [shlex.split(line) for line in text.splitlines() if "snapshot restore" in line]
        assert all(words[words.index("--name") + 1] == "node 1; id" for words in restored)


def test_where_the_log_lies_is_remembered_for_the_way_back(tmp_path: Path) -> None:
    world = World(make_cluster(tmp_path))
    for host in world.hosts.values():
        host.environment["ETCD_WAL_DIR"] = "/log/wal"
    facts = gather.gather(world.cluster, world.look)
    assert all(found.environment["ETCD_WAL_DIR"] == "/log/wal" for found in facts.members.values())
    assert isinstance(next(iter(facts.members.values())), HostFacts)
