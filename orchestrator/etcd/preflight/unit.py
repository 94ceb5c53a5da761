"""A host's systemd unit: what it is, and which files its next start takes its settings from."""

import base64
import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.etcd import settings
from orchestrator.etcd.facts import process
from orchestrator.etcd.preflight import variables
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.plan.facts import Subject
from orchestrator.text import shown

START_WARN_S = 30.0
START_FAIL_S = 10.0  # a restart took up to 7 s to publish (etcd 3.4.23, 3.6.14), and Type=notify waits for it

# Properties, then each file that settings come from, in the order in which systemd reads them, and the names
# of etcd's variables that systemd's manager gives to every unit. A path of EnvironmentFiles may be a pattern,
# and is not quoted so that the shell finds what systemd finds; with an empty IFS a blank in it ends nothing.
SCRIPT = """
systemctl show --property=LoadState,ActiveState,SubState,Type,TimeoutStartUSec,Restart,UnitFileState \\
  --property=WantedBy,RequiredBy,UpheldBy,TriggeredBy \\
  --property=NeedDaemonReload,FragmentPath,Environment,PassEnvironment,UnsetEnvironment \\
  --property=ProtectHome,PrivateTmp,InaccessiblePaths,TemporaryFileSystem,BindPaths,BindReadOnlyPaths \\
  --property=RootDirectory,RootImage "$1.service" || exit
show() { [ ! -f "$2" ] || printf '%s=%s %s\\n' "$1" "$(head -c 65536 -- "$2" | base64 -w0)" "$2"; }
systemctl show --property=DropInPaths --value "$1.service" | tr ' ' '\\n' | while read -r path; do
  show drop_in "$path"
done
systemctl show --property=EnvironmentFiles --value "$1.service" | while IFS= read -r line; do
  pattern=${line% (ignore_errors=*}
  found=''
  IFS=''
  for path in $pattern; do
    [ ! -e "$path" ] || found=yes
    show file "$path"
  done
  case $line in
    *'(ignore_errors=no)') [ -n "$found" ] || printf 'missing= %s\\n' "$pattern" ;;
  esac
done
systemctl show-environment | sed -n 's/^\\(ETCD_[A-Z0-9_]*\\)=.*/manager= \\1/p'
"""

_UNITS_S = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800,
    "month": 2629800, "y": 31557600,
}  # fmt: skip
_TIME = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)(?: |$)")
_LINE = re.compile(r"^\s*Environment\s*=(?P<words>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as systemd has it; ``drop_ins`` and ``files`` (EnvironmentFile=) are texts by path, in order.

    ``missing`` are the paths of EnvironmentFile= that are needed and not there, ``manager`` the names of
    variables that every unit is given.
    """

    properties: Mapping[str, str]
    drop_ins: Mapping[str, str]
    files: Mapping[str, str]
    missing: tuple[str, ...] = ()
    manager: frozenset[str] = frozenset()

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


def of(subject: Subject) -> Fact[Unit]:
    """What the host's unit is, and where its settings come from."""
    return Fact(Script(subject.name, SCRIPT, (subject.host.service,)), _unit)


def _unit(answer: Answer) -> Unit:
    properties: dict[str, str] = {}
    texts: dict[str, dict[str, str]] = {"drop_in": {}, "file": {}}
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
    return Unit(properties, texts["drop_in"], texts["file"], missing, manager)


def variables_of_file(text: str) -> frozenset[str]:
    """Names of etcd's variables that a file for EnvironmentFile= sets."""
    return frozenset(name for name in variables.of_file(text) if name.startswith("ETCD_"))


def variables_of_drop_in(text: str) -> frozenset[str]:
    """Names of etcd's variables that a drop-in sets; ``*`` if it forgets all that came before."""
    found: set[str] = set()
    for match in _LINE.finditer(text.replace("\\\n", " ")):
        words = match["words"].strip()
        if not words:
            found.add("*")
        try:
            names = [word.partition("=")[0] for word in shlex.split(words)]
        except ValueError:
            names = re.findall(r"ETCD_[A-Z0-9_]+(?==)", words)
        found |= {name for name in names if name.startswith("ETCD_")}
    return frozenset(found)


def seconds(text: str) -> float:
    """Read systemd's way to write a time, such as ``1min 30s``; infinity if it has no end."""
    if text in {"infinity", ""}:
        return float("inf")
    found = _TIME.findall(text)
    if not found:
        raise ValueError(f"systemd wrote a time that cannot be read: {shown(text)}")
    return sum(float(number) * _UNITS_S[unit] for number, unit in found)


def _is_left_out(unit: Mapping[str, str]) -> bool:
    """Whether no other unit starts it, as with an alias made by hand; a static one cannot be enabled."""
    if unit.get("UnitFileState") == "static":
        return False
    told = [unit[name] for name in ("WantedBy", "RequiredBy", "UpheldBy", "TriggeredBy") if name in unit]
    return bool(told) and not any(told)


def _longer_start(subject: Subject) -> str:
    """Return the command that gives the unit more time to start; it restarts nothing."""
    folder = settings.Paths.of(subject).drop_ins
    return (
        f"mkdir -p {folder} && printf '%s\\n' '[Service]' TimeoutStartSec=90 > "
        f"{folder}/zz-start-timeout.conf && systemctl daemon-reload"
    )


def units(subject: Subject) -> Check:
    """Ask for the unit: whether it exists and is active, its type, and its start timeout."""
    name = f"{subject.host.service}.service"
    runs, described = process.running(subject), of(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        running, unit = runs.read(answers), described.read(answers).properties
        if not running.loaded:
            yield wrong(
                f"there is no unit {name}",
                "systemctl list-units --all '*etcd*' shows the unit that runs etcd: if this name was an "
                "alias of it: systemctl enable THAT_UNIT; else name that unit in the plan (service)",
            )
            return
        if running.complaint:
            yield wrong(
                running.complaint, f"systemctl start {name}; systemctl status {name} says if it stays"
            )
            return
        own = posixpath.basename(unit.get("FragmentPath", "")) or name  # an alias cannot be enabled
        kind, limit_s = unit.get("Type", ""), seconds(unit.get("TimeoutStartUSec", ""))
        if kind not in {"notify", "simple", "exec"}:
            yield doubtful(f"Type={kind}: it has only been tried with notify, simple and exec")
        if kind == "notify" and limit_s < START_WARN_S:
            remark = wrong if limit_s < START_FAIL_S else doubtful
            yield remark(
                f"TimeoutStartSec={limit_s:g}: systemd kills a member that has not found its peers by then",
                _longer_start(subject),
            )
        state = unit.get("UnitFileState") or "not enabled"
        if state not in {"enabled", "static", "alias", "generated", "linked"} or _is_left_out(unit):
            yield doubtful(
                f"{name} ({state}): a reboot does not start it",
                f"systemctl enable {shlex.quote(own)}",
            )
        if unit.get("NeedDaemonReload") == "yes":
            yield wrong(
                "its files were changed since systemd read them: nobody knows what our restart would change",
                "systemctl daemon-reload; then check again, which names what would change",
            )
        yield fine(f"active, Type={kind}, TimeoutStartSec={unit.get('TimeoutStartUSec')}")

    return Check(subject.name, (runs, described), judge)
