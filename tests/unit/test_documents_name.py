"""What the documents name is there."""

import re
from pathlib import Path

import pytest
import typer

from orchestrator.cli.program import app

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"\borchestrator (?P<verb>[a-z]+)\b(?P<rest>[^#\n]*)")
PAGES = (*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md")
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_file_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"\b(?:tests|orchestrator|plans|docs)/[\w./-]*\w\.\w+", page.read_text()))
    missing = sorted(name for name in named if not (ROOT / name).exists())
    assert [] == missing


def code(text: str) -> list[str]:
    """What a page shows as code: lines for a shell, and what stands in backticks."""
    blocks = [block[2] for block in BLOCK.finditer(text) if block[1] in {"", "sh"}]
    return [line for block in blocks for line in block.splitlines()] + re.findall(
        r"`([^`\n]+)`", BLOCK.sub("", text)
    )


def unknown(text: str) -> list[str]:
    """Return the commands of ours with a verb or an option that there is not, whole or from the verb on."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined] # it is a group
    found = []
    for line in (part for shown in code(text) for part in shown.split(" -- ")):  # of ours in another of ours
        call = CALL.search(line) or re.match(rf"(?P<verb>{'|'.join(commands)}) (?P<rest>.*)", line)
        if call is None:
            continue
        known = {option for each in getattr(commands.get(call["verb"]), "params", ()) for option in each.opts}
        if call["verb"] not in commands or set(re.findall(r"--[a-z][a-z-]*", call["rest"])) - known:
            found.append(call[0].strip())
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_command_that_a_page_prints_exists(page: Path) -> None:
    assert [] == unknown(page.read_text())


def test_a_command_that_does_not_exist_is_found() -> None:
    right = "`orchestrator run PLAN --resume`, `run --until bridged`, `orchestrator lab run -- ls --all`\n"
    wrong = "`orchestrator fix PLAN`, `status --now`, `orchestrator lab run -- orchestrator run p --no`\n"
    wrong += "```sh\npython -m orchestrator run p --now\n```\n"
    assert [
        "orchestrator run p --now",
        "orchestrator fix PLAN",
        "status --now",
        "orchestrator run p --no",
    ] == unknown(right + wrong)
