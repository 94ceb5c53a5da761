"""What hosts themselves remember of runs: the first line of each state file, and the jobs that began."""

import base64
import re
from dataclasses import dataclass

from orchestrator.host import places
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.text import shown

_RUN = re.compile(r"[A-Za-z0-9]{1,64}")
_JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_LOOK = """cd -- "$1" 2>/dev/null || exit 0
for header in */header.json; do
  [ -f "$header" ] || continue
  run=${header%/*}
  printf 'run %s\\nheader %s\\n' "$run" "$(base64 -w0 <"$header")"
  [ ! -f "$run/begun" ] || sed 's/^/job /' "$run/begun"
done
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One run on one host: its state file's first line, and its jobs by name, in their order."""

    run: str
    header: str
    jobs: tuple[str, ...]


def runs(host: str) -> Fact[tuple[Remembered, ...]]:
    """What a host remembers of runs."""
    return Fact(Script(host, _LOOK, (places.KEPT,)), _read)


def _read(answer: Answer) -> tuple[Remembered, ...]:
    found: list[Remembered] = []
    for block in ("\n" + answer.text).split("\nrun ")[1:]:
        lines = block.splitlines()
        run, header = (*lines, "", "")[:2]
        jobs = [line.removeprefix("job ") for line in lines[2:]]
        if not _RUN.fullmatch(run) or not all(map(_JOB.fullmatch, jobs)):
            raise ValueError(f"{places.KEPT} there holds what is no run of ours: {shown(run)}")
        try:
            text = base64.b64decode(header.removeprefix("header "), validate=True).decode()
        except ValueError as error:  # also binascii.Error and UnicodeDecodeError
            raise ValueError(f"{places.KEPT} there: the header of run {run} cannot be read") from error
        found.append(Remembered(run, text, tuple(jobs)))
    return tuple(found)
