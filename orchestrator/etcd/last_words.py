"""What etcd's journal says last of why it does not run, or does not reach another: a few lines."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.text import shown

_TELLING = re.compile(
    r"rejected|error|fail|panic|fatal|usage|not defined|could not|couldn't|cannot|conflict|denied|unable|"
    r"proxyconnect|invalid|no such|shadowed|x509|bad certificate",
    re.IGNORECASE,
)
# systemd's own last words say that it ended, and etcd's why.
_SAYS_NOTHING = re.compile(r"Main process exited|Failed with result|Failed to start ")
# etcd writes every ETCD_ variable into its journal at start: as text (the value may hold quotes), or in JSON.
_ASSIGNED = re.compile(r"\b(ETCD\w*)=.*")
_VALUE = re.compile(r'("variable-value": *)"(?:[^"\\]|\\.)*"?')
_WORDS = ("msg", "remote-peer-id", "address", "remote-addr", "endpoint", "error")
_MOST = 3


def lines(journal: str) -> list[str]:
    """Return a journal's lines as people read them, without the values of variables, which may be secrets."""
    plain = (_masked(_plain(line)) for line in journal.splitlines() if line.strip())
    return [line for line in plain if line and not _SAYS_NOTHING.search(line)]


def chosen(said: Sequence[str], *, is_running: bool) -> tuple[str, ...]:
    """Choose the last lines that say that something is wrong, each once.

    Of one that has ended without such a line, its very last ones are shown.
    """
    reporting = [line for line in said if _TELLING.search(line)]
    return _shown(reporting or ([] if is_running else said))


def _shown(said: Iterable[str]) -> tuple[str, ...]:
    last = list(dict.fromkeys(said))[-_MOST:]
    return tuple(shown(line, quote="", limit=300) for line in last)


def _masked(line: str) -> str:
    return _ASSIGNED.sub(r"\1=***", _VALUE.sub(r'\1"***"', line))


def _plain(line: str) -> str:
    """Return a line of etcd's log as a person reads it: from 3.5 on it is JSON."""
    try:
        reported: object = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        reported = None
    if not isinstance(reported, Mapping):
        return line.strip()
    words = (reported.get(key) for key in _WORDS)
    return ": ".join(word for word in words if isinstance(word, str) and word)
