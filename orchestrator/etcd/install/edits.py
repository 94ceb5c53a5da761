"""What has to stand where in a file of the operator's for it to say other settings; all else stays. Pure.

Each function takes the file's text, and returns spans of it with the text that has to stand there instead.
They keep the form in which a setting stands: its quotes, its two words, its continued lines. ValueError where
that cannot be done exactly.
"""

import re
from collections.abc import Iterable

from orchestrator.etcd.install import command as commands
from orchestrator.etcd.install import environment_file, flags, systemd_env, unit, variables
from orchestrator.etcd.settings import Settings
from orchestrator.host.operations import Edit

Span = tuple[int, int, str]
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./\[\]-]+")
_BLANKS = " \t"


def of_lines(text: str, wanted: Settings) -> Iterable[Span]:
    """Edit Environment= lines; a setting that none of them says goes behind the last that says one."""
    said, end = set[str](), 0
    for line in unit.stated(text, "Environment"):
        for word in commands.words(line.value):
            name, equals, value = word.text.partition("=")
            if not equals or name not in wanted:
                continue
            said.add(name)
            _, end = line.span(len(line.value) - 1, len(line.value))
            if value.replace("%%", "%") != wanted[name]:
                raw = line.value[word.start : word.end]
                yield (*line.span(word.start, word.end), _word(raw, name, wanted[name]))
    if not said:
        raise ValueError("no Environment= line there says any of its settings")
    new = {name: value for name, value in wanted.items() if name not in said}
    yield from _behind(text, end, systemd_env.lines(new))


def of_file(text: str, wanted: Settings) -> Iterable[Span]:
    """Edit a file for EnvironmentFile=; a setting that it does not say goes behind the last that it says."""
    said, end = set[str](), 0
    for one in variables.assigned(text):
        if one.name in wanted:
            said.add(one.name)
            end = one.end
            if one.value != wanted[one.name]:
                raw = text[one.start : one.end].rstrip(_BLANKS)
                yield one.start, one.start + len(raw), _assignment(raw, one.name, wanted[one.name])
    new = {name: value for name, value in wanted.items() if name not in said}
    yield from _behind(text, end if said else len(text), environment_file.text(new).splitlines())


def of_command(text: str, wanted: Settings) -> Iterable[Span]:
    """Edit the flags of the last ExecStart= of a file."""
    line = [one for one in unit.stated(text, "ExecStart") if one.value][-1]
    if flags.is_shell(word.text for word in commands.words(line.value)):
        raise ValueError("a shell's script gives etcd its flags")
    for start, end, new in flags.spans(line.value, wanted):
        if start < end:
            yield (*line.span(start, end), new)
        else:
            _, place = line.span(start - 1, start)
            yield place, place, new


def of_variable(text: str, wanted: Settings, names: Iterable[str]) -> Iterable[Span]:
    """Edit the flags in a variable that a file for EnvironmentFile= sets; one of ``names`` holds them."""
    held = [one for one in variables.assigned(text) if one.name in set(names) and one.value.startswith("-")]
    if len(held) != 1:
        raise ValueError("etcd's flags stand in no single variable there")
    one = held[0]
    place = text.find(one.value, one.start, one.end)
    if place < 0 or set(one.value) & set("\"'\\"):
        raise ValueError(f"{one.name} has quotes or continued lines within its value")
    before = "etcd "  # as systemd puts the words behind the program
    for start, end, new in flags.spans(before + one.value, wanted):
        if set(new) & set("\"'\\"):
            raise ValueError(f"a value needs quotes, which {one.name} cannot have")
        yield place + start - len(before), place + end - len(before), new


def made(text: str, spans: Iterable[Span]) -> tuple[Edit, ...]:
    """Return spans as edits of the file's bytes, in their order; ValueError if two of them meet."""
    found: list[Edit] = []
    done = 0
    for start, end, new in sorted(spans, key=lambda span: span[:2]):
        if start < done:
            raise ValueError("two of its settings stand in one place")
        done = end
        found.append(Edit(text.count("\n", 0, start) + 1, _bytes(text[:start]), text[start:end], new))
    return tuple(found)


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


def _word(raw: str, name: str, value: str) -> str:
    """Write a word of an Environment= line in the quotes that it has."""
    if not _PLAIN.fullmatch(value):
        return systemd_env.lines({name: value})[0].removeprefix("Environment=")
    for before, behind in ((f"'{name}=", "'"), (f'{name}="', '"'), (f"{name}='", "'"), (f"{name}=", "")):
        if raw.startswith(before) and raw.endswith(behind):
            return f"{before}{value}{behind}"
    return f'"{name}={value}"'


def _assignment(raw: str, name: str, value: str) -> str:
    """Write an assignment of a file for EnvironmentFile= in the quotes that it has."""
    if not _PLAIN.fullmatch(value):
        return environment_file.text({name: value}).removesuffix("\n")
    old = raw.partition("=")[2].lstrip(_BLANKS)
    quote = old[:1] if old[:1] in {'"', "'"} else ""
    return f"{raw.removesuffix(old)}{quote}{value}{quote}"


def _behind(text: str, end: int, lines: Iterable[str]) -> Iterable[Span]:
    """Put lines behind the line in which ``end`` is; the last has a newline if the text's last has one."""
    added = [*lines]
    if not added:
        return
    place = text.find("\n", end) + 1 or len(text)
    if text and not text[:place].endswith("\n"):
        yield place, place, "".join(f"\n{line}" for line in added)
    else:
        kept = "\n" if text[:place].endswith("\\\n") else ""  # the line goes on behind its backslash
        yield place, place, kept + "".join(f"{line}\n" for line in added)
