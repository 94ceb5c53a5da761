"""Settings as a file for EnvironmentFile=: one of ours, read behind theirs, which stays untouched. Pure.

A file beats Environment= lines for the same variable, and a later file an earlier one: systemd.exec(5).
"""

from orchestrator.etcd.settings import Settings
from orchestrator.text import one_line

_ESCAPED = {char: f"\\{char}" for char in '"\\`$'}


def text(settings: Settings) -> str:
    """Text of a file that sets these variables; ValueError for what cannot be written there."""
    return "".join(f'{name}="{_quoted(name, value)}"\n' for name, value in settings.items())


def _quoted(name: str, value: str) -> str:
    return "".join(_ESCAPED.get(char, char) for char in one_line(value, name))
