"""What a member's running process is, asked of the kernel: the only place that tells the truth."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.etcd import effective, last_words, settings
from orchestrator.etcd.effective import SETTING
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.text import one_line

# systemctl exits 0 for an unknown unit and prints what it knows; /proc is read only if there is a process.
# One that ends meanwhile leaves half an answer, which is none.
SCRIPT = f"""{SETTING}
shown=$(systemctl show --property=LoadState,ActiveState,SubState,NRestarts,MainPID,User,Group \\
  --property=ActiveEnterTimestampMonotonic "$1.service") || exit
read -r clock _ < /proc/uptime
printf '%s\\nclock=%s\\n' "$shown" "$clock"
pid=${{shown#*MainPID=}} pid=${{pid%%[!0-9]*}}
if [ "${{pid:-0}}" -eq 0 ]; then
  id=$(systemctl show --property=Id --value "$1.service")  # journalctl does not know an alias
  lines=$(journalctl --unit="$id" --lines=100 --output=cat --no-pager --quiet | base64 -w0)
  printf 'journal=%s\\n' "$lines"
  exit 0
fi
environ=$(base64 -w0 < "/proc/$pid/environ") && exe=$(readlink "/proc/$pid/exe") &&
  cmdline=$(base64 -w0 < "/proc/$pid/cmdline") && [ -n "$cmdline" ] ||
  {{ echo "the process of $1.service has just ended" >&2; exit 1; }}
printf 'environ=%s\\nexe=%s\\ncmdline=%s\\n' "$environ" "$exe" "$cmdline"
setting ETCD_NAME name
if [ -n "$configuration" ]; then
  configured=$(head -c 65536 -- "/proc/$pid/root$configuration" | base64 -w0)
  printf 'configuration=%s\\nconfigured=%s\\n' "$configuration" "$configured"
  printf 'configured_as=%s\\n' "$(stat -L -c '%a %U %G %s' -- "/proc/$pid/root$configuration")"
fi
"""


# What is remembered of a process: the settings that we change, and what asking it needs.
# Any other variable may hold a secret, and the state file keeps none.
REMEMBERED = frozenset(
    {
        *settings.CHANGED,
        *("ETCD_DATA_DIR", "ETCD_WAL_DIR", "ETCD_PROXY"),
    }
)
# Over https etcd's dialler obeys these. Values may hold a password: they are neither shown nor written down.
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")

STEADY_S = 10.0  # systemd starts a crashed etcd again within this time, over and over


@dataclass(frozen=True, slots=True)
class Process:
    """A unit and its main process (``pid`` 0: none); ``environment`` holds the ETCD_ variables.

    ``configuration`` is the path of its configuration file, empty if it has none, ``configured`` what stands
    there, and ``configured_as`` its mode, owner, group and size in bytes.
    ``proxies`` are those of its variables that name HTTP proxies, or who is exempt from them.
    ``crashes`` are counted since the last start by hand; ``active_s`` is how long the unit is active by now.
    """

    unit: str
    loaded: bool
    state: str
    pid: int
    user: str
    group: str
    environment: Mapping[str, str]
    executable: str
    arguments: tuple[str, ...]
    crashes: int
    active_s: float
    last_words: tuple[str, ...]
    proxies: Mapping[str, str] = field(repr=False, default_factory=dict)
    configuration: str = ""
    configured: str = field(repr=False, default="")
    configured_as: tuple[str, ...] = ()

    @property
    def flags(self) -> Mapping[str, str]:
        """The settings that it has flags for, by the names of their variables."""
        return effective.flags(self.arguments)

    @property
    def reads_file(self) -> bool:
        """Whether its flags or variables name a configuration file, which need not be there."""
        named = self.flags.get(effective.CONFIG_FILE) or self.environment.get(effective.CONFIG_FILE)
        return bool(self.configuration or named)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings in effect, whatever they come from, by the names of their variables."""
        configured = self.configured if self.configuration else None
        return effective.settings(self.arguments, self.environment, configured)

    @property
    def remembered(self) -> Mapping[str, str]:
        """The settings that may be shown and written down; ValueError if one could not be written again."""
        return {name: one_line(value, name) for name, value in self.settings.items() if name in REMEMBERED}

    @property
    def complaint(self) -> str | None:
        """Why the unit does not run, with what its journal says of that, or None if it does."""
        if self.trouble and self.last_words:
            return f"{self.trouble}; its journal says: {' / '.join(self.last_words)}"
        return self.trouble

    @property
    def trouble(self) -> str | None:
        """Why the unit does not run, in one line, or None if it does."""
        if not self.loaded:
            return f"there is no unit {self.unit}"
        if self.pid == 0 or self.state != "active":
            return f"{self.unit} is {self.state}"
        if self.crashes and self.active_s < STEADY_S:
            return (
                f"{self.unit} crashed, and was started again {self.active_s:.0f} s ago (crash {self.crashes})"
            )
        return None


def running(target: Target) -> Fact[Process]:
    """What the host's unit runs now."""
    unit = f"{target.etcd.service}.service"
    return Fact(Script(target.name, SCRIPT, (target.etcd.service,)), lambda answer: _process(unit, answer))


def _process(unit: str, answer: Answer) -> Process:
    lines = answer.text.splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    assigned = (text.split("=", 1) for text in _strings(fields.get("environ", "")) if "=" in text)
    variables = dict(assigned)
    return Process(
        unit=unit,
        loaded=fields.get("LoadState") == "loaded",
        state=f"{fields.get('ActiveState', 'unknown')} ({fields.get('SubState', '?')})".replace(
            "active (running)", "active"
        ),
        pid=_number(fields, "MainPID"),
        user=fields.get("User") or "root",
        group=fields.get("Group", ""),
        environment={name: value for name, value in variables.items() if name.startswith("ETCD_")},
        executable=fields.get("exe", "").removesuffix(" (deleted)"),
        arguments=_strings(fields.get("cmdline", "")),
        crashes=_number(fields, "NRestarts"),
        active_s=_active_s(fields),
        last_words=last_words.chosen(last_words.lines(_text(fields.get("journal", ""))), is_running=False),
        proxies={name: variables[name] for name in PROXIES if name in variables},
        configuration=fields.get("configuration", ""),
        configured_as=tuple(fields.get("configured_as", "").split()),
        configured=base64.b64decode(fields.get("configured", ""), validate=True).decode(errors="replace"),
    )


def _active_s(fields: Mapping[str, str]) -> float:
    """Seconds since the unit became active; both clocks count from the kernel's start."""
    since_us = _number(fields, "ActiveEnterTimestampMonotonic")
    return foreign.seconds(fields.get("clock") or "0", "the kernel's clock") - since_us / 1e6


def _number(fields: Mapping[str, str], name: str) -> int:
    return foreign.number(fields.get(name) or "0", f"a whole number ({name})")


def _strings(encoded: str) -> tuple[str, ...]:
    """Decode the kernel's NUL-separated strings; what is no UTF-8 stays recognisable, and unprintable."""
    raw = base64.b64decode(encoded, validate=True)
    return tuple(raw.decode(errors="surrogateescape").rstrip("\0").split("\0"))


def _text(encoded: str) -> str:
    return base64.b64decode(encoded, validate=True).decode(errors="replace")
