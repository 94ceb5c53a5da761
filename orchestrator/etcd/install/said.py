"""Where a unit, and the files that it reads, say a setting: path, line and value; pure.

What counts is what the next start would read, in systemd's and etcd's own order: a file of EnvironmentFile=
beats Environment= lines, a flag beats both, and a configuration file makes etcd ignore all of them.
"""

import posixpath
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orchestrator.etcd import effective
from orchestrator.etcd.install import command as commands
from orchestrator.etcd.install import config_file, flags, unit, variables
from orchestrator.etcd.install.composed import Carrier
from orchestrator.etcd.install.unit import Unit
from orchestrator.etcd.settings import CHANGED

_NAMES = CHANGED | {effective.CONFIG_FILE}
_UNKNOWN = "$%"  # systemd, or a shell, would put something else there


@dataclass(frozen=True, slots=True)
class Said:
    """A line that says a setting; ``is_plain`` unless something would be put into its value at the start."""

    carrier: Carrier
    path: str
    line: int
    name: str
    value: str

    @property
    def is_plain(self) -> bool:
        """Whether the value is what etcd would get."""
        return not set(_UNKNOWN) & set(self.value)


def without(read: Unit, paths: Iterable[str]) -> Unit:
    """Return the unit as it would be if these files did not lie there."""
    gone = set(paths)
    drop_ins = {path: text for path, text in read.drop_ins.items() if path not in gone}
    files = {path: text for path, text in read.files.items() if path not in gone}
    return replace(read, drop_ins=drop_ins, files=files)


def said(read: Unit, configurations: Mapping[str, str]) -> tuple[Said, ...]:
    """Return every line that says a setting of ours to the next start; of one name the last one counts.

    An empty value is said too: to etcd it is none, whatever an earlier line says.

    ``configurations`` are the texts of configuration files by their paths. Where the next start reads one
    that is not among them, all that is known is the line that names it.
    """
    assigned = (*_lines(read), *_filed(read))
    given = tuple(_given(read, {one.name: one for one in assigned}))
    found = tuple(one for one in (*assigned, *given) if one.name in _NAMES)
    selecting = [one for one in found if one.name == effective.CONFIG_FILE]
    if not selecting or not selecting[-1].value:
        return found
    path = selecting[-1].value
    return (*selecting, *(_keys(path, configurations[path]) if path in configurations else ()))


def command(read: Unit) -> tuple[str, str, tuple[int, ...]] | None:
    """Return the path of the file whose ExecStart= counts, the command, and the numbers of its lines."""
    found = None
    for path, text in read.texts.items():
        for value, numbers in unit.placed(text, "ExecStart"):
            found = (path, value, numbers) if value else None
    return found


def _lines(read: Unit) -> tuple[Said, ...]:
    found: list[Said] = []
    for path, text in read.texts.items():
        for value, numbers in unit.placed(text, "Environment"):
            if not value:
                found = []
            found += _words(path, value, numbers)
    return tuple(found)


def _words(path: str, line: str, numbers: tuple[int, ...]) -> Iterable[Said]:
    try:
        words = commands.words(line)
    except ValueError:
        return  # systemd ignores it too
    for word in words:
        name, equals, value = word.text.partition("=")
        if equals:
            at = numbers[line.count("\n", 0, word.start)]
            yield Said("line", path, at, name, value.replace("%%", "%"))


def _filed(read: Unit) -> Iterable[Said]:
    for path, text in read.files.items():
        for name, value, line in variables.placed(text):
            yield Said("file", path, line, name, value)


def _given(read: Unit, assigned: Mapping[str, Said]) -> Iterable[Said]:
    """Say what the command gives as flags, those in variables that it names too."""
    found = command(read)
    if not found:
        return
    words = tuple(_placed_words(*found, assigned))
    for at, name, value in effective.placed_flags([text for _, _, text in words]):
        path, line, _ = words[at]
        yield Said("flag", path, line, name, value)


def _placed_words(
    path: str, line: str, numbers: tuple[int, ...], assigned: Mapping[str, Said]
) -> Iterable[tuple[str, int, str]]:
    """Return the words behind the program, each with the file and the line where it stands."""
    try:
        words = commands.words(line)
    except ValueError:
        return
    if flags.is_shell(word.text for word in words):
        yield from ((path, numbers[0], word) for word in _of_shell(words[-1].text))
        return
    values = {name: one.value for name, one in assigned.items()}
    for word in words[1:]:
        at = assigned.get(word.text.removeprefix("$")) if word.text.startswith("$") else None
        where = (at.path, at.line) if at else (path, numbers[line.count("\n", 0, word.start)])
        for text in (commands.expanded(f"etcd {line[word.start : word.end]}", values) or ("", word.text))[1:]:
            yield (*where, text)


def _of_shell(script: str) -> Iterable[str]:
    try:
        words = shlex.split(script)
    except ValueError:
        return ()
    starts = [at for at, word in enumerate(words) if posixpath.basename(word) == "etcd"]
    return words[starts[-1] + 1 :] if starts else ()


def _keys(path: str, text: str) -> Iterable[Said]:
    try:
        values, lines = effective.of_configuration(text), config_file.lines(text)
    except ValueError:
        return
    for name in sorted(values.keys() & lines.keys() & CHANGED, key=lines.__getitem__):
        yield Said("key", path, lines[name], name, values[name])
