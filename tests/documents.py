"""Generated parts of the documentation: marked blocks, written by ``make docs``, compared by a test."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.report import tables

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"<!-- (?P<name>\w+) (?P<argument>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)

MAKERS: Mapping[str, Callable[[str], str]] = {
    "table": lambda name: tables.markdown(tables.named(name)),
    "graph": lambda name: f"```mermaid\n{tables.mermaid(tables.named(name))}```\n",
}


def renewed(text: str) -> str:
    """Return a page with every generated block as it should be."""

    def block(match: re.Match[str]) -> str:
        name, argument = match["name"], match["argument"]
        return f"<!-- {name} {argument} -->\n{MAKERS[name](argument)}<!-- end -->"

    return BLOCK.sub(block, text)


def pages() -> list[Path]:
    """Pages that hold generated blocks."""
    return [path for path in sorted(DOCS.glob("*.md")) if BLOCK.search(path.read_text())]


if __name__ == "__main__":
    for page in pages():
        page.write_text(renewed(page.read_text()))
