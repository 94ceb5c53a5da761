"""The documentation's generated parts are current, and its links lead somewhere."""

import re
from pathlib import Path

import pytest
from documents import DOCS, DRAWN, pages, renewed

ROOT = DOCS.parent
TEXTS = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]
NAMES = [str(page.relative_to(ROOT)) for page in TEXTS]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_generated_blocks_are_current(page: Path) -> None:
    assert renewed(page.read_text()) == page.read_text(), "run: make docs"


@pytest.mark.parametrize("name", DRAWN)
def test_drawings_are_current(name: str) -> None:
    assert DRAWN[name]() == (DOCS / "benchmarks" / name).read_text(), "run: make docs"


@pytest.mark.parametrize("page", TEXTS, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [] == [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", TEXTS, ids=NAMES)
def test_links_lead_to_headings_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text())
    missing = [
        (other, anchor)
        for other, anchor in links
        if anchor not in anchors((page.parent / other if other else page).read_text())
    ]
    assert [] == missing


def anchors(text: str) -> set[str]:
    """Anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("index", sorted(DOCS.rglob("index.md")), ids=lambda page: page.parent.name)
def test_every_page_is_in_the_index_of_its_folder(index: Path) -> None:
    links = index.read_text()
    pages_and_folders = {*index.parent.glob("*.md"), *index.parent.glob("*/index.md")} - {index}
    names = [str(page.relative_to(index.parent)) for page in sorted(pages_and_folders)]
    assert [] == [name for name in names if f"({name}" not in links]
