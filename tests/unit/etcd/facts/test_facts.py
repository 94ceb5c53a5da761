"""What hosts print, and the value that is read out of it: tests/cases/facts, a file for each module."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from support.sites import make_site

from orchestrator.etcd import facts
from orchestrator.host.questions import Answer, Fact
from orchestrator.plan.facts import Subject
from orchestrator.plan.model import Watch

FOLDER = Path(__file__).parents[3] / "cases" / "facts"
TABLES = {path.stem: YAML(typ="safe", pure=True).load(path.read_text()) for path in sorted(FOLDER.iterdir())}
CASES = [
    pytest.param(module, name, case, id=f"{module}.{name}: {case['case']}")
    for module, table in TABLES.items()
    for name, cases in table.items()
    for case in cases
]
# What a fact is made of beside the member that it is about.
ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "host.surroundings": (("/etc/etcd",),),
    "host.programs": (("curl",),),
    "members.unlisted": ("https://198.18.0.101:2379",),
    "listeners.handshake": ("https://198.18.0.102:2380",),
    "listeners.unserved": ("http://127.0.0.1:2379",),
    "listeners.unrefused": ("http://127.0.0.1:2379",),
    "connections.of": ((2379,),),
    "routes.resolved": (("server1",),),
    "room.of": ("/var/lib/saved", ("/etc/etcd",)),
    "proxies.unread": ("http://127.0.0.1:2379/v2/keys/",),
}


def made() -> dict[str, Any]:
    """Every function of the folder that makes a fact, by module and name."""
    return {
        f"{info.name}.{name}": function
        for info in pkgutil.iter_modules(facts.__path__)
        for name, function in vars(importlib.import_module(f"{facts.__name__}.{info.name}")).items()
        if inspect.isfunction(function)
        if function.__module__ == f"{facts.__name__}.{info.name}"
        if "questions.Fact[" in str(inspect.signature(function).return_annotation)
    }


def fact(member: Subject, which: str) -> Fact[Any]:
    make = made()[which]
    about = {"host": member.host if which == "members.version" else member.name}.get(
        next(iter(inspect.signature(make).parameters)), member
    )
    found = make(about, *ARGUMENTS.get(which, ()))
    assert isinstance(found, Fact)
    return found


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a fact holds
    """Return a value as YAML spells it; a field that holds what it holds by default is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {name: plain(held) for name, held in fields.items() if held not in ((), None, frozenset())}
    if isinstance(value, Mapping):
        return {
            " -> ".join(key) if isinstance(key, tuple) else key: plain(held) for key, held in value.items()
        }
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    return list(map(plain, value)) if isinstance(value, tuple | list) else value


@pytest.fixture
def member(tmp_path: Path) -> Subject:
    one = make_site(tmp_path, watch=Watch(units=("fleet", "flannel"))).members[0]
    debian = {name: found.model_copy(update={"trust": "debian"}) for name, found in one.facts.members.items()}
    return Subject(one.cluster, one.facts.model_copy(update={"members": debian}), one.host)


@pytest.mark.parametrize(("module", "name", "case"), CASES)
def test_an_answer_is_read_as_its_case_says(
    module: str, name: str, case: dict[str, Any], member: Subject
) -> None:
    answer = Answer(case.get("exit", 0), case.get("stdout", ""), case.get("stderr", ""))
    read = fact(member, f"{module}.{name}").reader
    if "refused" in case:
        with pytest.raises((ValueError, LookupError)) as refusal:
            read(answer)
        assert case["refused"] in str(refusal.value)
        return
    assert case["value"] == plain(read(answer))


def test_every_fact_has_a_case() -> None:
    assert set(made()) == {f"{module}.{name}" for module, table in TABLES.items() for name in table}
