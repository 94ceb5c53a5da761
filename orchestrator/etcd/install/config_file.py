"""Settings as keys of etcd's configuration file: a copy of theirs with just these keys changed. Pure.

With a configuration file etcd ignores every flag and variable, so all settings go into the copy; theirs stays
untouched, and comments and order are kept.
"""

import posixpath
from collections.abc import Collection, Iterable, Mapping
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from orchestrator.etcd import effective
from orchestrator.etcd.install import command
from orchestrator.etcd.settings import Settings


def sibling(path: str, name: str) -> str:
    """Where the copy lies that a stage of this name has: etcd.conf.30-certs.yml beside etcd.conf.yml."""
    stem, suffix = posixpath.splitext(path)
    return f"{stem}.{name}{suffix}"


def changed(text: str, wanted: Settings, without: Collection[str] = ()) -> str:
    """Return the file with these settings and ``without`` those; ValueError if that would change others."""
    reported = _keys(text)
    _set(reported, wanted)
    for name in without:
        reported.pop(effective.flag(name), None)
    found = _dumped(reported)
    kept = {name: value for name, value in effective.of_configuration(text).items() if name not in without}
    if effective.of_configuration(found) != {**kept, **wanted}:
        raise ValueError("etcd's configuration file cannot be copied with other settings")
    return found


def spans(text: str, wanted: Settings) -> tuple[tuple[int, int, str], ...]:
    """Return what has to stand where in the file for these settings; ValueError if that would change others.

    A key that is there keeps its place and its quotes; a new one goes to the end of its section, or of all.
    """
    found = tuple(_spans(text, wanted))
    if effective.of_configuration(command.changed(text, found)) != {
        **effective.of_configuration(text),
        **wanted,
    }:
        raise ValueError("other keys would change as well")
    return found


def _spans(text: str, wanted: Settings) -> Iterable[tuple[int, int, str]]:
    root = _root(text)
    new: dict[str, dict[str, str]] = {}
    for name, value in wanted.items():
        section = _section_of(name)
        inside = _inside(root, section) if section else root
        key = _SECTIONED[section][name] if section else effective.flag(name)
        said, there = _said(inside, key) or (None, None)
        if said is None or there is None:
            new.setdefault(section, {})[name] = value
        elif not isinstance(there, ScalarNode) or there.style in {"|", ">"}:
            raise ValueError(f"{key} is no single value")
        elif there.value != value:
            quote = there.style if there.style in {'"', "'"} else ""
            start, value_start = said.start_mark.index, there.start_mark.index
            yield start, there.end_mark.index, f"{text[start:value_start]}{quote}{value}{quote}"
    for section, settings in new.items():
        yield _added(text, root, section, settings)


def _added(text: str, root: MappingNode, section: str, settings: Settings) -> tuple[int, int, str]:
    inside, place = _inside(root, section) if section else None, len(text)
    lines = keys(settings).splitlines()
    if inside is not None:
        if not isinstance(inside, MappingNode) or inside.flow_style or not inside.value:
            raise ValueError(f"{section} does not have its keys in lines of their own")
        key, last = inside.value[-1]
        begins = key.start_mark.column
        lines = [f"{' ' * begins}{line.lstrip()}" for line in lines[1:]]
        line_end = text.find("\n", last.end_mark.index)
        place = line_end + 1 if line_end >= 0 else len(text)
    if place and text[place - 1] != "\n":
        return place, place, "".join(f"\n{line}" for line in lines)
    return place, place, "".join(f"{line}\n" for line in lines)


def _root(text: str) -> MappingNode:
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise ValueError("etcd's configuration file is no YAML") from error
    if not isinstance(root, MappingNode) or root.flow_style:
        raise ValueError("etcd's configuration file does not have its keys in lines of their own")
    return root


def _said(inside: Node | None, key: str) -> tuple[Node, Node] | None:
    """Return the nodes of a key and of its value."""
    pairs = inside.value if isinstance(inside, MappingNode) else ()
    return next(((name, value) for name, value in pairs if name.value == key), None)


def _inside(root: MappingNode, section: str) -> Node | None:
    pair = _said(root, section)
    return pair[1] if pair else None


def _section_of(name: str) -> str:
    return next((section for section, names in _SECTIONED.items() if name in names), "")


def keys(wanted: Settings) -> str:
    """Return these settings as the keys that a configuration file has for them."""
    reported = CommentedMap()
    _set(reported, wanted)
    return _dumped(reported)


def lines(text: str) -> Mapping[str, int]:
    """Return the number of the line on which each setting's key stands; ValueError if it is no YAML."""
    reported = _keys(text)
    found = {effective.variable(str(key)): _line(reported, key) for key in reported}
    for section, names in _SECTIONED.items():
        inside = reported.get(section)
        if isinstance(inside, CommentedMap):
            found |= {name: _line(inside, key) for name, key in names.items() if key in inside}
    return found


def _line(keys: CommentedMap, key: object) -> int:
    return int(keys.lc.key(key)[0]) + 1


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _keys(text: str) -> CommentedMap:
    try:
        reported = _yaml().load(text)
    except YAMLError as error:
        raise ValueError("etcd's configuration file is no YAML") from error
    if not isinstance(reported, CommentedMap):
        raise ValueError("etcd's configuration file holds no keys")  # noqa: TRY004 -- foreign text
    return reported


def _set(reported: CommentedMap, wanted: Settings) -> None:
    for name, value in wanted.items():
        section = _section_of(name)
        if not section:
            reported[effective.flag(name)] = value
            continue
        if not isinstance(reported.get(section), Mapping):
            reported[section] = CommentedMap()
        reported[section][_SECTIONED[section][name]] = True if value == "true" else value


def _dumped(reported: CommentedMap) -> str:
    written = StringIO()
    _yaml().dump(reported, written)
    return written.getvalue()


_KEYS = ("cert-file", "key-file", "trusted-ca-file", "client-cert-auth")
# Which variable is which key of a section.
_SECTIONED: Mapping[str, Mapping[str, str]] = {
    section: {prefix + key.upper().replace("-", "_"): key for key in _KEYS}
    for section, prefix in effective.SECTIONS.items()
}
