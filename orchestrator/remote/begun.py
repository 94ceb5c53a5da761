"""What hosts themselves remember of runs: the first line of each state file, and the deeds that began."""

import base64
from dataclasses import dataclass

from orchestrator import places
from orchestrator.operations import Answer, Check

_LOOK = """cd -- "$1" 2>/dev/null || exit 0
for header in */header.json; do
  [ -f "$header" ] || continue
  run=${header%/*}
  printf 'run %s\\nheader %s\\n' "$run" "$(base64 -w0 <"$header")"
  [ ! -f "$run/begun" ] || sed 's/^/deed /' "$run/begun"
done
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One run on one host: its state file's first line, and its deeds by name, in their order."""

    run: str
    header: str
    deeds: tuple[str, ...]


def question(host: str) -> Check:
    """Ask a host what it remembers."""
    return Check(host, _LOOK, (places.KEPT,))


def read(answer: Answer) -> tuple[Remembered, ...]:
    """Read what a host remembers; ValueError if it cannot be told."""
    found: list[Remembered] = []
    for block in ("\n" + answer.text).split("\nrun ")[1:]:
        run, header, *deeds = block.splitlines()
        text = base64.b64decode(header.removeprefix("header "), validate=True).decode()
        found.append(Remembered(run, text, tuple(deed.removeprefix("deed ") for deed in deeds)))
    return tuple(found)
