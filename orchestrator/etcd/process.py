"""What a member's running process is, asked of the kernel: the only place that tells the truth."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.cluster.facts import Subject
from orchestrator.operations import Answers, Check

# systemctl exits 0 for an unknown unit and prints what it knows; /proc is read only if there is a process.
SCRIPT = """
systemctl show --property=LoadState,ActiveState,SubState,NRestarts,MainPID,User,Group "$1.service"
pid=$(systemctl show --property=MainPID --value "$1.service")
if [ "${pid:-0}" -eq 0 ]; then
  lines=$(journalctl --unit="$1.service" --lines=20 --output=cat --no-pager --quiet | base64 -w0)
  printf 'journal=%s\\n' "$lines"
  exit 0
fi
printf 'environ=%s\\n' "$(base64 -w0 < "/proc/$pid/environ")"
printf 'cmdline=%s\\n' "$(base64 -w0 < "/proc/$pid/cmdline")"
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A unit and its main process (``pid`` 0: none); ``environment`` holds the ETCD_ variables."""

    unit: str
    loaded: bool
    state: str
    pid: int
    user: str
    group: str
    environment: Mapping[str, str]
    arguments: tuple[str, ...]
    crashes: int
    last_words: tuple[str, ...]

    @property
    def complaint(self) -> str | None:
        """Why the unit does not run, or None if it does."""
        if not self.loaded:
            return f"there is no unit {self.unit}"
        if self.pid == 0 or self.state != "active":
            told = "; its last journal lines:\n  " + "\n  ".join(self.last_words) if self.last_words else ""
            return f"{self.unit} is {self.state}{told}"
        if self.crashes:
            return f"{self.unit} has crashed and been started again {self.crashes} times since its last start"
        return None


def check(subject: Subject) -> Check:
    """Ask what the member's unit runs."""
    return Check(subject.name, SCRIPT, (subject.host.service,))


def read(subject: Subject, answers: Answers) -> Process:
    """Read the process out of the answer to its check."""
    lines = answers[check(subject)].stdout.splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    variables = (text.split("=", 1) for text in _strings(fields.get("environ", "")) if "=" in text)
    return Process(
        unit=f"{subject.host.service}.service",
        loaded=fields.get("LoadState") == "loaded",
        state=f"{fields.get('ActiveState', 'unknown')} ({fields.get('SubState', '?')})".replace(
            "active (running)", "active"
        ),
        pid=int(fields.get("MainPID") or 0),
        user=fields.get("User") or "root",
        group=fields.get("Group", ""),
        environment={name: value for name, value in variables if name.startswith("ETCD_")},
        arguments=_strings(fields.get("cmdline", "")),
        crashes=int(fields.get("NRestarts") or 0),
        last_words=tuple(base64.b64decode(fields.get("journal", "")).decode(errors="replace").splitlines()),
    )


def _strings(encoded: str) -> tuple[str, ...]:
    """Decode the kernel's NUL-separated strings."""
    return tuple(base64.b64decode(encoded).decode(errors="replace").rstrip("\0").split("\0"))
