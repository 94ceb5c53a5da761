"""Settings as flags of ExecStart=: the command, restated with just these flags changed or added. Pure.

A drop-in has to reset and restate the whole command. What stands there stays as it stands there: quotes,
variables, continued lines. etcd lets the last flag of a name count, so one that hides in a variable is beaten
by one behind it.
"""

import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from orchestrator.etcd import effective
from orchestrator.etcd.install import command as commands
from orchestrator.etcd.install.command import Word

_SHELLS = {"sh", "bash", "dash"}
# Go takes the value of a flag that is true or false from behind its '=' alone: what follows is another one.
_SWITCHED = {"true", "false"}
_OPERATORS = frozenset(";&|<>()\n")


def unserved(found: tuple[str, ...]) -> str | None:
    """Return why flags of a unit with these commands cannot be restated, or None if they can."""
    if len(found) != 1:
        return f"its flags come from no single ExecStart= line of the unit ({len(found)} found)"
    try:
        words = commands.words(found[0])
    except ValueError as error:
        return str(error)
    program = words[0].text if words else ""
    if "@" in program[: len(program) - len(program.lstrip(commands.PREFIXES))] or ";" in {
        word.text for word in words
    }:
        return "its ExecStart= gives etcd another name, or has several commands"
    if is_shell(word.text for word in words):
        is_one = len(words) == 3 and words[1].text == "-c" and found[0][words[2].end - 1] in "\"'"
        is_served = is_one and _ends_with_etcd(words[2].text)
        return None if is_served else "its ExecStart= is a shell script that does not end with etcd's flags"
    name = posixpath.basename(program)
    return None if name.startswith("etcd") else f"its ExecStart= starts {program}, which gives etcd its flags"


def restated(command: str, wanted: Mapping[str, str]) -> str:
    """Return the command with flags for these settings, and everything else as it stands there."""
    words = commands.words(command)
    if is_shell(word.text for word in words):
        more = "".join(f" {shlex.quote(spelled(name, value))}" for name, value in wanted.items())
        last = words[-1]
        text = commands.escaped(more, quote=command[last.end - 1])
        return commands.changed(command, [(last.end - 1, last.end - 1, text)])
    return commands.changed(command, spans(command, wanted))


def spans(command: str, wanted: Mapping[str, str]) -> tuple[tuple[int, int, str], ...]:
    """Return what has to stand where for these settings, in a command of etcd's own; new flags at its end."""
    words = commands.words(command)
    found = {name: next(_spans(command, words, name, value), None) for name, value in wanted.items()}
    added = "".join(
        f" {commands.quoted(spelled(name, value))}" for name, value in wanted.items() if not found[name]
    )
    end = len(command)
    return (*filter(None, found.values()), *([(end, end, added)] if added else ()))


def _spans(command: str, words: tuple[Word, ...], name: str, value: str) -> Iterator[tuple[int, int, str]]:
    """Where the last flag of a setting stands, and what has to stand there."""
    wanted = effective.flag(name)
    rest = (*words[1:], Word("", 0, 0))
    for word, following in reversed(list(pairwise(rest))):
        flag, equals, _ = word.text.partition("=")
        if not flag.startswith("-") or flag.lstrip("-") != wanted:
            continue
        is_alone = equals or value in _SWITCHED or following.text[:1] in {"", "-"}
        if not is_alone:
            between = command[word.start : following.start]
            yield word.start, following.end, between + commands.quoted(value)
        else:
            yield word.start, word.end, commands.quoted(f"{flag}={value}")


def spelled(name: str, value: str) -> str:
    """Return the flag that sets a setting."""
    return f"--{effective.flag(name)}={value}"


def is_shell(words: Iterable[str]) -> bool:
    """Whether a command starts a shell."""
    return posixpath.basename(next(iter(words), "").lstrip(commands.PREFIXES)) in _SHELLS


def _ends_with_etcd(script: str) -> bool:
    """Whether a shell script's last command is etcd with flags, so that more of them may follow."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "", True
    try:
        tokens = list(lexer)
    except ValueError:
        return False
    starts = [at for at, token in enumerate(tokens) if posixpath.basename(token) == "etcd"]
    if "\n" in script or not starts:
        return False
    return not any(_OPERATORS & set(token) or token.startswith("#") for token in tokens[starts[-1] :])
