"""Settings as keys of etcd's configuration file: a copy of theirs with just these keys changed. Pure.

With a configuration file etcd ignores every flag and variable, so all settings go into the copy; theirs stays
untouched, and comments and order are kept.
"""

import posixpath
from collections.abc import Collection, Mapping
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from orchestrator.etcd import effective
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
        section = next((each for each, keys in _SECTIONED.items() if name in keys), None)
        if section is None:
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
