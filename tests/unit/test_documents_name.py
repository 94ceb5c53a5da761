"""What the documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_each_file_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"\b(?:tests|orchestrator|plans|docs)/[\w./-]*\w\.\w+", page.read_text()))
    missing = sorted(name for name in named if not (ROOT / name).exists())
    assert [] == missing
