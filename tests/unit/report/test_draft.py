"""A drafted plan is a plan, whatever the hosts said."""

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from orchestrator.migrations import MIGRATIONS
from orchestrator.plan import schema
from orchestrator.plan.discovered import Discovered, DiscoveredHost
from orchestrator.plan.loading import load
from orchestrator.plan.model import Cluster
from orchestrator.plan.seeds import Seed
from orchestrator.report.draft import FILL_IN, Drafting, draft, scalar

HOSTILE = (
    "x\nmembers: []",
    "a: b",
    "# no comment",
    "{name: evil, address: 1.2.3.4}",
    "!!python/object:os.system x",
    "&anchor *alias",
    "\x1b[2J\u202egnirts",
    "'\"\\",
    "- - ?",
    "null",
    "1e3",
    "198.18.0.101",
    "fd00::1",
    "{name}.pem",
    "\U0001f600",
)
DRAFTING = Drafting({}, "plan.schema.json", "Drafted")


def found(*members: DiscoveredHost) -> Discovered:
    return Discovered("main", "3.5.30", members, 2379, 2380)


def member(number: int) -> DiscoveredHost:
    address = f"198.18.0.10{number}"
    return DiscoveredHost(f"server{number}", address, "etcd", Seed(address), settings_from="flags")


THREE = found(member(1), member(2), member(3))


def load_cluster(tmp_path: Path, text: str) -> Cluster:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return load(path, MIGRATIONS, files=False).cluster


def test_a_draft_of_three_members_is_a_plan_whose_first_line_names_its_schema(tmp_path: Path) -> None:
    text = draft(THREE, DRAFTING)

    assert "# yaml-language-server: $schema=plan.schema.json" == text.splitlines()[0]
    cluster = load_cluster(tmp_path, text)
    assert ["server1", "server2", "server3"] == [one.name for one in cluster.members]
    data = YAML(typ="safe", pure=True).load(text)
    assert Draft202012Validator(schema.schema(MIGRATIONS)).is_valid(data)


def test_each_proposal_stands_apart_from_its_comment() -> None:
    proposals = [line for line in draft(THREE, DRAFTING).splitlines() if f"# {FILL_IN}: " in line]
    assert 4 == len(proposals)
    assert all(f" # {FILL_IN}: " in line for line in proposals)


def test_a_name_as_long_as_the_column_keeps_its_comment_apart(tmp_path: Path) -> None:
    name = "c" * 60
    assert name == load_cluster(tmp_path, draft(replace(THREE, name=name), DRAFTING)).name


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_what_a_host_says_is_no_structure(number: int, tmp_path: Path) -> None:
    evil = HOSTILE[number]
    first = replace(
        member(1), settings_from=evil, certificates=(evil,), notes=(evil,), seed=Seed("web_1", user=None)
    )
    text = draft(replace(found(first, member(2), member(3)), notes=(evil,), version=evil), DRAFTING)

    plain = YAML(typ="safe", pure=True).load(draft(found(first_plain(), member(2), member(3)), DRAFTING))
    assert plain == YAML(typ="safe", pure=True).load(text)
    assert all(char.isprintable() or char == "\n" for char in text)
    load_cluster(tmp_path, text)


def first_plain() -> DiscoveredHost:
    return replace(member(1), seed=Seed("web_1"))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_value_comes_back_as_it_was_written(number: int) -> None:
    value = HOSTILE[number]

    assert {"key": value} == YAML(typ="safe", pure=True).load(f"key: {scalar(value)}\n")
    assert [value] == YAML(typ="safe", pure=True).load(f"[{scalar(value)}]\n")


def test_one_that_goes_another_way_than_the_others_says_so(tmp_path: Path) -> None:
    second = replace(member(2), service="etcd-main", seed=Seed("db2", user="ops", port=2222, become="sudo"))
    text = draft(found(member(1), second, member(3)), Drafting({"user": "root"}, "s", "Drafted"))

    cluster = load_cluster(tmp_path, text)
    ssh = cluster.members[1].ssh
    assert ("db2", "ops", 2222, "sudo") == (ssh.host, ssh.user, ssh.port, ssh.become)
    assert "etcd-main" == cluster.members[1].service


def test_what_nobody_can_know_is_a_commented_line(tmp_path: Path) -> None:
    text = draft(replace(THREE, wants_login=True, name=""), DRAFTING)

    marked = [line for line in text.splitlines() if FILL_IN in line and line.startswith("# ")]
    assert any("auth: {user: root" in line for line in marked)
    assert any("watch: " in line for line in marked)
    assert "etcd" == load_cluster(tmp_path, text).name


def test_a_plan_of_one_member_wants_a_word(tmp_path: Path) -> None:
    text = draft(found(member(1)), DRAFTING)

    agreed = text.replace("# accept_downtime: true", "accept_downtime: true")
    assert text != agreed
    assert load_cluster(tmp_path, agreed).accept_downtime
