"""What a shell completes: states, hosts of a plan, ids of its runs; what cannot be found is no error."""

import json
import re
from pathlib import Path

import typer

_HOST = re.compile(r"^[\s{-]*name:\s*[\"']?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
_MOST_BYTES = 1_000_000  # of a file that is looked at while somebody types


def migrations(incomplete: str) -> list[str]:
    """Return names of migrations."""
    from orchestrator.migrations import MIGRATIONS  # noqa: PLC0415 -- the command line is quick

    return [name for name in MIGRATIONS if name.startswith(incomplete)]


def states(incomplete: str) -> list[str]:
    """Return names of the states in which members come to stand."""
    from orchestrator.migrations import MIGRATIONS  # noqa: PLC0415 -- the command line is quick

    names = dict.fromkeys(state.name for one in MIGRATIONS.values() for state in one.track("member")[1:])
    return [name for name in names if name.startswith(incomplete)]


def hosts(context: typer.Context, incomplete: str) -> list[str]:
    """Return names of the plan's hosts, by its text: reading it as a plan takes too long."""
    text = _text(_plan(context))
    found = dict.fromkeys(match["name"] for match in _HOST.finditer(text))
    return [name for name in found if name.startswith(incomplete)]


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Return ids of the plan's runs, by the first line of its state file and by names of those set aside."""
    plan = _plan(context)
    if plan is None:
        return []
    present = plan.with_name(f"{plan.name}.state.jsonl")
    aside = [path.name.rpartition(".")[2] for path in plan.parent.glob(f"{present.name}.*")]
    first = _text(present).partition("\n")[0]
    try:
        run = json.loads(first)["run"]
    except (ValueError, LookupError, TypeError):
        run = ""
    ids = dict.fromkeys((str(run), *sorted(aside)))
    return [one for one in ids if re.fullmatch(r"[0-9a-f]{8}", one) and one.startswith(incomplete)]


def _plan(context: typer.Context) -> Path | None:
    given = context.params.get("plan")
    return Path(given) if isinstance(given, str | Path) else None


def _text(path: Path | None) -> str:
    """Return the beginning of a plain file; nothing for anything else."""
    try:
        if path is None or not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
