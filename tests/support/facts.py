"""Facts of a member, what their scripts print, and the value that is read out of it: tests/cases/facts."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from support.sites import make_site

from orchestrator.etcd import facts
from orchestrator.host.questions import Answer, Fact
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Watch

FOLDER = Path(__file__).parents[1] / "cases" / "facts"
Case = Mapping[str, Any]
TABLES: Mapping[str, Mapping[str, list[Case]]] = {
    path.stem: YAML(typ="safe", pure=True).load(path.read_text()) for path in sorted(FOLDER.iterdir())
}
# What a fact is made of beside the member that it is about.
ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "surroundings": (("/etc/etcd",),),
    "programs": (("curl",),),
    "unlisted": ("https://198.18.0.101:2379",),
    "handshake": ("https://198.18.0.102:2380",),
    "unserved": ("http://127.0.0.1:2379",),
    "unrefused": ("http://127.0.0.1:2379",),
    "connections.of": ((2379,),),
    "resolved": (("server1",),),
    "room.of": (("/etc/etcd",),),
    "access": (("/etc/etcd",),),
    "place": ("/etc/etcd2",),
    "neighbours.of": (("/etc/etcd2/ca.pem",),),
    "around": ((), ()),
    "own_files.of": (("/etc/default/etcd",),),
    "small_file": ("/usr/local/bin/start-etcd",),
    "unread": ("http://127.0.0.1:2379/v2/keys/",),
    "sampled": (5,),
    "since_change": ("patroni", ("/etc/patroni/config.yml",)),
    "watched.units": (("fleet", "flannel"),),
    "units.units": (),
    "units.certificates": (("/etc/etcd/server.pem", "/etc/etcd/ca.pem"),),
    "complaint": ("patronictl list",),
}


def member_in(folder: Path) -> Target:
    """A member whose plan watches two units, on a host that has a CA store."""
    one = make_site(folder, watch=Watch(units=("fleet", "flannel"))).members[0]
    debian = {name: found.model_copy(update={"trust": "debian"}) for name, found in one.facts.members.items()}
    return Target(one.cluster, one.facts.model_copy(update={"members": debian}), one.host)


def made() -> Mapping[str, Callable[..., Any]]:
    """Every function of the folder that makes a fact, by module and name."""
    return {
        f"{info.name}.{name}": function
        for info in pkgutil.iter_modules(facts.__path__)
        for name, function in vars(importlib.import_module(f"{facts.__name__}.{info.name}")).items()
        if inspect.isfunction(function)
        if function.__module__ == f"{facts.__name__}.{info.name}"
        if "questions.Fact[" in str(inspect.signature(function).return_annotation)
    }


def read(make: Callable[..., Any], member: Target, case: Case) -> object:
    """Read what a case's script printed."""
    about = {"host": member.name}
    module = make.__module__.rpartition(".")[2]
    names = (f"{module}.{make.__name__}", make.__name__, f"{module}.of")
    arguments = next((ARGUMENTS[name] for name in names if name in ARGUMENTS), ())
    fact = make(about.get(next(iter(inspect.signature(make).parameters)), member), *arguments)
    assert isinstance(fact, Fact)
    return fact.reader(Answer(case.get("exit", 0), case.get("stdout", ""), case.get("stderr", "")))


def failure(make: Callable[..., Any], member: Target, case: Case) -> str | None:
    """Return what is read where it is not what the case says."""
    try:
        value = plain(read(make, member, case))
    except (ValueError, LookupError) as refusal:
        is_right = "refused" in case and case["refused"] in str(refusal)
        return None if is_right else f"it refused: {refusal}"
    return None if "value" in case and case["value"] == value else f"it read {value}"


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a fact holds
    """Return a value as YAML spells it; a field that holds nothing is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {name: plain(held) for name, held in fields.items() if held not in ((), None, frozenset())}
    if isinstance(value, Mapping):
        spelt = {" -> ".join(key) if isinstance(key, tuple) else key: held for key, held in value.items()}
        return {key: plain(held) for key, held in spelt.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    return list(map(plain, value)) if isinstance(value, tuple | list) else value
