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
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    try:
        reported = yaml.load(text)
    except YAMLError as error:
        raise ValueError("etcd's configuration file is no YAML") from error
    for name, value in wanted.items():
        section = next((each for each, keys in _SECTIONED.items() if name in keys), None)
        if section is None:
            reported[effective.flag(name)] = value
            continue
        if not isinstance(reported.get(section), Mapping):
            reported[section] = CommentedMap()
        reported[section][_SECTIONED[section][name]] = True if value == "true" else value
    for name in without:
        reported.pop(effective.flag(name), None)
    written = StringIO()
    yaml.dump(reported, written)
    found = written.getvalue()
    kept = {name: value for name, value in effective.of_configuration(text).items() if name not in without}
    if effective.of_configuration(found) != {**kept, **wanted}:
        raise ValueError("etcd's configuration file cannot be copied with other settings")
    return found


_KEYS = ("cert-file", "key-file", "trusted-ca-file", "client-cert-auth")
# Which variable is which key of a section.
_SECTIONED: Mapping[str, Mapping[str, str]] = {
    section: {prefix + key.upper().replace("-", "_"): key for key in _KEYS}
    for section, prefix in effective.SECTIONS.items()
}
