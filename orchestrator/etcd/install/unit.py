"""A host's systemd unit as its next start would read it: its properties, and its files with settings."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

from orchestrator.etcd.install import command, variables
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target

# Properties, then each file that settings come from, in the order in which systemd reads them, and the names
# of etcd's variables that systemd's manager gives to every unit. A path of EnvironmentFiles may be a pattern,
# and is not quoted so that the shell finds what systemd finds; with an empty IFS a blank in it ends nothing.
SCRIPT = r"""
shown=$(systemctl show --property=LoadState,ActiveState,SubState,Type,TimeoutStartUSec,Restart,UnitFileState \
  --property=WantedBy,RequiredBy,UpheldBy,TriggeredBy \
  --property=NeedDaemonReload,FragmentPath,Environment,PassEnvironment,UnsetEnvironment \
  --property=ProtectHome,PrivateTmp,InaccessiblePaths,TemporaryFileSystem,BindPaths,BindReadOnlyPaths \
  --property=RootDirectory,RootImage,DropInPaths,EnvironmentFiles "$1.service") || exit
show() {
  [ -f "$2" ] || return 0
  printf '%s=' "$1"
  head -c 65536 -- "$2" | base64 -w0
  printf ' %s\n' "$2"
}
fragment='' drop_ins=''
while IFS= read -r line; do
  case $line in
    DropInPaths=*) drop_ins=${line#*=} ;;
    EnvironmentFiles=*) ;;
    *) printf '%s\n' "$line" ;;
  esac
  case $line in FragmentPath=*) fragment=${line#*=} ;; esac
done <<END
$shown
END
show fragment "$fragment"
set -f
for path in $drop_ins; do
  show drop_in "$path"
done
set +f
while IFS= read -r line; do
  case $line in EnvironmentFiles=*) line=${line#*=} ;; *) continue ;; esac
  pattern=${line% (ignore_errors=*}
  found=''
  IFS=''
  for path in $pattern; do
    [ ! -e "$path" ] || found=yes
    show file "$path"
  done
  case $line in
    *'(ignore_errors=no)') [ -n "$found" ] || printf 'missing= %s\n' "$pattern" ;;
  esac
done <<END
$shown
END
systemctl show-environment | sed -n 's/^\(ETCD_[A-Z0-9_]*\)=.*/manager= \1/p'
"""

_END = re.compile(r"\r\n|\n\r|[\n\r\0]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as systemd has it; ``drop_ins`` and ``files`` (EnvironmentFile=) are texts by path, in order.

    ``missing`` are the paths of EnvironmentFile= that are needed and not there, ``manager`` the names of
    variables that every unit is given. ``fragment`` is the text of the unit itself.
    """

    properties: Mapping[str, str]
    drop_ins: Mapping[str, str]
    files: Mapping[str, str]
    missing: tuple[str, ...] = ()
    manager: frozenset[str] = frozenset()
    fragment: str = ""

    @property
    def texts(self) -> Mapping[str, str]:
        """The unit itself and its drop-ins by their paths, in order."""
        return {self.properties.get("FragmentPath", ""): self.fragment, **self.drop_ins}

    @property
    def commands(self) -> tuple[str, ...]:
        """What ExecStart= says, as it stands there: an empty one forgets those before."""
        found: list[str] = []
        for text in self.texts.values():
            for value in values(text, "ExecStart"):
                found = [*found, value] if value else []
        return tuple(found)

    def variables_filed_by(self, drop_in: str) -> frozenset[str]:
        """Names of etcd's variables in the files that a drop-in names; ``*`` if it forgets those before."""
        found: set[str] = set()
        for value in values(drop_in, "EnvironmentFile"):
            pattern = value.removeprefix("-")
            texts = (text for path, text in self.files.items() if fnmatch(path, pattern))
            found |= {"*"} if not value else set().union(*map(variables_of_file, texts))
        return frozenset(found)

    @property
    def variables(self) -> Mapping[str, str]:
        """What the unit's next start sets: a file beats Environment=, UnsetEnvironment= beats both."""
        found = dict(variables.of_show(self.properties.get("Environment", "")))
        for text in self.files.values():
            found |= variables.of_file(text)
        for word in variables.words(self.properties.get("UnsetEnvironment", "")):
            name, equals, value = word.partition("=")
            if not equals or found.get(name) == value:
                found.pop(name, None)
        return found

    @property
    def passed(self) -> frozenset[str]:
        """Names of variables whose values come from systemd's manager."""
        return self.manager | set(variables.words(self.properties.get("PassEnvironment", "")))


def of(target: Target) -> Fact[Unit]:
    """What the host's unit is, and where its settings come from."""
    return Fact(Script(target.name, SCRIPT, (target.etcd.service,)), _unit)


def _unit(answer: Answer) -> Unit:
    properties: dict[str, str] = {}
    texts: dict[str, dict[str, str]] = {"drop_in": {}, "file": {}, "fragment": {}}
    named: dict[str, list[str]] = {"missing": [], "manager": []}
    for line in answer.text.splitlines():
        key, _, value = line.partition("=")
        if key in texts:
            encoded, _, path = value.partition(" ")
            raw = base64.b64decode(encoded, validate=True)
            texts[key][path] = raw.decode(errors="surrogateescape")  # as process.py reads variables
        elif key in named:
            named[key].append(value.removeprefix(" "))
        else:
            properties[key] = value
    missing, manager = tuple(named["missing"]), frozenset(named["manager"])
    fragment = next(iter(texts["fragment"].values()), "")
    return Unit(properties, texts["drop_in"], texts["file"], missing, manager, fragment)


def values(text: str, key: str) -> Iterable[str]:
    """Return what a unit's lines say of a key of [Service], in order; a continued line stays continued."""
    return (value for value, _ in placed(text, key))


def placed(text: str, key: str) -> Iterable[tuple[str, tuple[int, ...]]]:
    """Return each value of a key of [Service], and the number in the file of each of its lines."""
    return ((one.value, one.lines) for one in stated(text, key))


@dataclass(frozen=True, slots=True)
class Stated:
    """A value of a key, and the numbers of its lines in the file.

    ``parts`` say where each of these begins: in the value, and in the file, counted in characters.
    """

    value: str
    lines: tuple[int, ...]
    parts: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a piece of the value stands in the file; ValueError if a comment stands within."""
        places = [self._place(at) for at in range(start, end)]
        if places != list(range(places[0], places[0] + end - start)):
            raise ValueError(f"a comment stands within what line {self.lines[0]} says")
        return places[0], places[-1] + 1

    def _place(self, at: int) -> int:
        begins, place = next(part for part in reversed(self.parts) if part[0] <= at)
        return place + at - begins


def stated(text: str, key: str) -> Iterable[Stated]:
    """Return each value of a key of [Service], with where it stands."""
    section = ""
    for line, numbers, parts in _lines(text):
        name, equals, value = line.partition("=")
        if line.startswith("["):
            section = line
        elif equals and section == "[Service]" and name.strip() == key:
            skipped = len(name) + 1 + len(value) - len(value.lstrip())
            yield Stated(value.strip(), numbers, tuple((at - skipped, place) for at, place in parts))


def _lines(text: str) -> Iterable[tuple[str, tuple[int, ...], tuple[tuple[int, int], ...]]]:
    """Return a unit's lines as systemd joins them: systemd.syntax(7); systemd 252, shared/conf-parser.c.

    Each with the numbers in the file of those that it was joined of, and where each of these begins: here,
    and in the file. A backslash at the end has the next line belong to this one, past comments. An empty line
    is a next line too, one that goes on no further; two backslashes are one that stands for itself.
    """
    begun = ""
    numbers: tuple[int, ...] = ()
    parts: tuple[tuple[int, int], ...] = ()
    for number, (start, line) in enumerate(_split(text), 1):
        part = line.lstrip()
        if part[:1] in {"#", ";"}:
            continue
        backslashes = len(part) - len(part.rstrip("\\"))
        placed_here = (*parts, (len(begun), start))
        if backslashes % 2:
            begun, numbers, parts = f"{begun}{line}\n", (*numbers, number), placed_here
            continue
        if part:
            yield _stripped(f"{begun}{line}", (*numbers, number), placed_here)
        else:
            yield _stripped(begun.removesuffix("\\\n"), numbers, parts)
        begun, numbers, parts = "", (), ()
    yield _stripped(begun.removesuffix("\\\n"), numbers, parts)


def _split(text: str) -> Iterable[tuple[int, str]]:
    start = 0
    for end in _END.finditer(text):
        yield start, text[start : end.start()]
        start = end.end()
    yield start, text[start:]


def _stripped(
    line: str, numbers: tuple[int, ...], parts: tuple[tuple[int, int], ...]
) -> tuple[str, tuple[int, ...], tuple[tuple[int, int], ...]]:
    skipped = len(line) - len(line.lstrip())
    return line.strip(), numbers, tuple((at - skipped, place) for at, place in parts)


def variables_of_file(text: str) -> frozenset[str]:
    """Names of etcd's variables that a file for EnvironmentFile= sets."""
    return frozenset(name for name in variables.of_file(text) if name.startswith("ETCD_"))


def variables_of_drop_in(text: str) -> frozenset[str]:
    """Names of etcd's variables that a drop-in sets; ``*`` if it forgets all that came before."""
    found: set[str] = set()
    for value in values(text, "Environment"):
        try:
            names = [word.text.partition("=")[0] for word in command.words(value)]
        except ValueError:
            names = re.findall(r"ETCD_[A-Z0-9_]+(?==)", value)
        found |= {name for name in names if name.startswith("ETCD_")} if value else {"*"}
    return frozenset(found)
