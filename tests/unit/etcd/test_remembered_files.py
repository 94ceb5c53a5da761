"""What lay where the migration puts files: remembered, so that going back can put it back."""

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

from engine.world import World, make_cluster
from support.scripts import shell
from support.targets import target

from orchestrator.etcd import files, install, stages
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Operation, Remove, Write
from orchestrator.host.questions import Answer, Script
from orchestrator.plan.facts import FoundFile, Target
from orchestrator.remote.script import joined, look_script, parse_look

THEIRS = "[Service]\nEnvironment=ETCD_CERT_FILE=/their.pem\n"
CERTS = "/etc/systemd/system/etcd2.service.d/30-certs.conf"
OLD = {"sha256": "0" * 64, "mode": 420, "owner": "root", "group": "root"}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def having(folder: Path, file: FoundFile) -> Target:
    one = target(folder, {"ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379"})
    members = dict(one.facts.members)
    members[one.name] = members[one.name].model_copy(update={"files": {CERTS: file}})
    return replace(one, facts=one.facts.model_copy(update={"members": members}))


def taken_away(one: Target) -> list[Operation]:
    return list(install.of(one).take_away(stages.CERTIFICATES))


def test_only_small_files_that_everybody_may_read_are_read(tmp_path: Path) -> None:
    texts = {"open": "a\n", "closed": "b\n", "large": "c" * 65537, "key": "-----BEGIN PRIVATE KEY-----\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o640 if name == "closed" else 0o644)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    paths = [str(tmp_path / name) for name in (*texts, "binary", "missing")]
    fact = files.texts(target(tmp_path, {}), paths)
    command = ["sh", "-c", fact.question.script, "check", *fact.question.arguments]  # type: ignore[union-attr]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {str(tmp_path / "open"): "a\n"} == fact.reader(Answer(said.returncode, said.stdout, said.stderr))


def test_who_asks_about_some_files_hears_of_no_other(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    one = target(tmp_path, {})
    root = replace(one, facts=one.facts.model_copy(update={"members": {
        name: found.model_copy(update={"user": "root"}) for name, found in one.facts.members.items()
    }}))  # fmt: skip
    asked = [[str(tmp_path / name) for name in names] for names in ("ab", "bx", "c")]
    facts = [files.lying(root, paths) for paths in asked]
    questions = [fact.question for fact in facts if isinstance(fact.question, Script)]
    (everything,) = set(joined(questions).values())
    answers = parse_look([everything], shell(look_script([everything])).stdout)
    found = [fact.reader(answers[everything]) for fact in facts]
    assert [asked[0], asked[1][:1], asked[2]] == [list(each) for each in found]
    assert sha256("b") == found[1][str(tmp_path / "b")].file.sha256


def test_what_lay_there_is_remembered_with_its_text(tmp_path: Path) -> None:
    world = World(make_cluster(tmp_path))
    world.hosts["server1"].files[CERTS] = (THEIRS, 0o644, "root", "root")
    facts = gather(world.cluster, world.look)
    assert THEIRS == facts.members["server1"].files[CERTS].text
    assert {} == facts.members["server2"].files


def test_what_is_not_remembered_is_written_down_as_before() -> None:
    assert OLD == json.loads(FoundFile.model_validate(OLD).model_dump_json())
    assert {**OLD, "text": "a"} == FoundFile.model_validate({**OLD, "text": "a"}).model_dump()


def test_what_lay_there_is_put_back(tmp_path: Path) -> None:
    before = FoundFile(sha256=sha256(THEIRS), mode=0o640, owner="root", group="etcd", text=THEIRS)
    assert [Write(CERTS, THEIRS, 0o640, "root", "etcd")] == taken_away(having(tmp_path, before))


def test_what_was_the_very_same_stays_and_what_was_not_there_goes(tmp_path: Path) -> None:
    one = target(tmp_path, {"ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379"})
    (ours,) = install.of(one).files(stages.CERTIFICATES)
    same = FoundFile(sha256=ours.sha256, mode=0o644, owner="root", group="root", text=ours.text)
    assert [Remove(CERTS)] == taken_away(one)
    assert [] == taken_away(having(tmp_path, same))
    assert [] == taken_away(having(tmp_path, same.model_copy(update={"text": None})))
