"""Hosts of an Ansible inventory, INI or YAML: its static part; nothing is run, no template filled in."""

import re
import shlex
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchestrator.plan import spelling
from orchestrator.plan.faults import meant
from orchestrator.plan.groups import Group, below, ranked, variables_of
from orchestrator.plan.locations import read_plain
from orchestrator.plan.seeds import Seed, number
from orchestrator.plan.ssh_words import jump_of
from orchestrator.text import shown

_LARGEST = 1_000_000  # bytes
_MOST = 1000  # hosts of one line
_MOST_RANGES = 5  # in a name
_RANGE = re.compile(r"\[(?P<first>[0-9a-z]+):(?P<last>[0-9a-z]+)\]")
_HEAD = re.compile(r"\[(?P<group>[^\[\]:]+)(?::(?P<kind>hosts|children|vars))?\]\s*(?:[#;].*)?")
_REMARK = re.compile(r"\s+#.*")
_STRING = re.compile(r"""(['"])(?P<text>(?:(?!\1)[^\\]|\\.)*)\1(?:\s*#.*)?""")
_ESCAPED = re.compile(r"""\\(['"\\])""")
_YES = {"true", "yes", "on", "1"}
_SSH_WORDS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")  # as ssh gets them
_KEYS = ("ansible_private_key_file", "ansible_ssh_private_key_file")
_PLACE = re.compile(r"(?P<host>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>[0-9]{1,5})")
_VARIABLES = ("user", "port", "host", "become", "become_method")


def read(path: Path, group: str | None) -> tuple[Seed, ...]:
    """Return the hosts of a group, or all of them; ValueError says what cannot be read, and where."""
    try:
        content = read_plain(path, _LARGEST + 1)
        text = content.decode()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8 text") from error
    if len(content) > _LARGEST:
        raise ValueError(f"is larger than {_LARGEST} bytes")
    groups = _of_yaml(text) if path.suffix in {".yml", ".yaml"} else _of_ini(text)
    wanted = group or "all"
    known = sorted(groups.keys() - {"all", "ungrouped"})
    if wanted != "all" and wanted not in groups:
        raise ValueError(f"has no group {shown(wanted)}, {meant(wanted, known)}")
    members = tuple(groups) if wanted == "all" else below(groups, wanted)
    names = list(dict.fromkeys(host for one in members for host in groups[one].hosts))
    if not names:
        raise ValueError(f"names no host in {shown(wanted)}; its groups: {', '.join(known) or 'none'}")
    order = ranked(groups)
    return tuple(_seed(name, variables_of(name, groups, order)) for name in names)


def _seed(name: str, variables: Mapping[str, str]) -> Seed:
    """Make a host of an inventory's host; ValueError for what cannot be used, templates among it."""
    said = {
        word: value
        for word in _VARIABLES
        for variable in (f"ansible_{word}", f"ansible_ssh_{word}")
        if (value := variables.get(variable))
    }
    key = next(filter(None, map(variables.get, _KEYS)), None)
    try:
        return Seed(
            spelling.ssh_host(said.get("host", name)),
            name=name,
            user=spelling.user(said["user"]) if "user" in said else None,
            port=number(said["port"]) if "port" in said else None,
            become=_become(said),
            identity_file=_whole(spelling.path(key)) if key else None,
            jump=jump_of(" ".join(filter(None, map(variables.get, _SSH_WORDS)))),
        )
    except ValueError as error:
        raise ValueError(f"{shown(name)}: {error}") from error


def _whole(path: str) -> str:
    """Return a path that means the same in every folder: ansible looks for it where it is called."""
    return str(Path(path).expanduser().absolute())


def _become(said: Mapping[str, str]) -> Literal["none", "sudo", "doas"] | None:
    if "become" not in said:
        return None
    if said["become"].lower() not in _YES:
        return "none"
    method = said.get("become_method", "sudo")
    if method not in {"sudo", "doas"}:
        raise ValueError(f"becomes root by {shown(method)}: here it is sudo or doas")
    return "doas" if method == "doas" else "sudo"


def _of_ini(text: str) -> dict[str, Group]:
    groups: dict[str, Group] = {"ungrouped": Group()}
    group, kind = "ungrouped", "hosts"
    for count, written in enumerate(text.splitlines(), start=1):
        line = written.strip()
        if not line or line[0] in "#;":
            continue
        if head := _HEAD.fullmatch(line):
            group, kind = head["group"].strip(), head["kind"] or "hosts"
            groups.setdefault(group, Group())
            continue
        try:
            _take_line(groups[group], kind, line)
        except ValueError as error:
            raise ValueError(f"line {count}: {error}") from error
    return groups


def _take_line(group: Group, kind: str, line: str) -> None:
    """Take a line of a group's section in."""
    if kind == "vars":
        name, is_given, value = line.partition("=")
        if not is_given:
            raise ValueError(f"{shown(line)} is no NAME=VALUE")
        group.variables[name.strip()] = _unquoted(value.strip())
        return
    first, *rest = shlex.split(line, comments=True)
    if kind == "children":
        group.children.append(first)
        return
    pairs = (word.partition("=") for word in rest)
    variables = {name: value for name, is_given, value in pairs if is_given}
    _take_hosts(group, first, variables)


def _take_hosts(group: Group, pattern: str, variables: Mapping[str, str]) -> None:
    """Take hosts of a pattern in, such as ``etcd[1:3]:2222``, whose port is a variable like any other."""
    found = _PLACE.fullmatch(pattern)
    port = {"ansible_port": found["port"]} if found else {}
    for host in _expanded(found["host"] if found else pattern):
        group.hosts.setdefault(host, {}).update(port | dict(variables))


def _unquoted(value: str) -> str:
    """Return a group's value as Ansible does: without quotes if it is one Python string, else as it stands.

    A remark behind it is taken off.
    """
    bare = _REMARK.sub("", value)
    string = _STRING.fullmatch(value) or _STRING.fullmatch(bare)
    return _ESCAPED.sub(r"\1", string["text"]) if string else bare


def _expanded(pattern: str) -> Iterable[str]:
    """Return the hosts of a pattern, e.g. ``etcd[1:3]``, with the zeros that it is written with."""
    found = _RANGE.search(pattern)
    if not found:
        return (pattern,)
    first, last = found["first"], found["last"]
    if first.isdecimal() and last.isdecimal() and len(last) <= 6:
        numbers = range(int(first), int(last) + 1)
        parts = [str(one).zfill(len(first)) for one in numbers[: _MOST + 1]]
    elif len(first) == len(last) == 1 and first.isalpha() and last.isalpha():
        parts = [chr(one) for one in range(ord(first), ord(last) + 1)]
    else:
        parts = []
    if not parts or len(parts) > _MOST or len(_RANGE.findall(pattern)) > _MOST_RANGES:
        raise ValueError(f"{shown(pattern)} is no range of at most {_MOST} hosts, such as etcd[1:3]")
    before, behind = pattern[: found.start()], pattern[found.end() :]
    names = (name for part in parts for name in _expanded(f"{before}{part}{behind}"))
    expanded = tuple(islice(names, _MOST + 1))
    if len(expanded) > _MOST:
        raise ValueError(f"{shown(pattern)} names more than {_MOST} hosts")
    return expanded


def _of_yaml(text: str) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    try:
        root = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"is not valid YAML: {shown(str(error).splitlines()[0])}") from error
    if not isinstance(root, dict):
        raise ValueError("holds no group: it begins with one, such as all:")  # noqa: TRY004 -- of a file
    for name, body in root.items():
        _take_group(groups, str(name), body)
    return groups


def _take_group(groups: dict[str, Group], name: str, body: Any, depth: int = 0) -> None:  # noqa: ANN401 -- YAML
    group = groups.setdefault(name, Group())
    parts = body if isinstance(body, dict) else {}
    if depth > 50:
        raise ValueError(f"the group {shown(name)} stands too deep in others")
    for pattern, variables in _mapping(parts.get("hosts")):
        _take_hosts(group, pattern, _plain(variables))
    group.variables |= _plain(parts.get("vars"))
    for child, inner in _mapping(parts.get("children")):
        group.children.append(child)
        _take_group(groups, child, inner, depth + 1)


def _mapping(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, list):
        return ((str(one), None) for one in value)
    return ((str(key), one) for key, one in value.items()) if isinstance(value, dict) else ()


def _plain(variables: object) -> dict[str, str]:
    """Return the variables that are one word each, or empty; lists and mappings are of no use here."""
    pairs = _mapping(variables) if isinstance(variables, dict) else ()
    return {
        name: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in pairs
        if isinstance(value, str | int | bool | None)
    }
