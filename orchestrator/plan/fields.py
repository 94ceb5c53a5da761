"""The table of a plan's fields for docs/plan-file.md, drawn from the model's own descriptions."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from orchestrator.plan.kinds import Section
from orchestrator.plan.plan import SECTIONS, fields


def table() -> str:
    """Return every field of a plan as Markdown: a heading, a sentence and a table for each section."""
    return "\n\n".join(
        "\n".join((_heading(path), "", (section.__doc__ or "").replace("``", "`"), "", *_rows(section)))
        for path, section in SECTIONS.items()
    )


def _heading(path: str) -> str:
    return f"### `{path.replace('.*', '[]')}`" if path else "### Top level"


def _rows(section: type[Section]) -> Iterator[str]:
    yield "| field | default | example | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields(section).items():
        example = str((field.examples or [""])[0])
        cells = (f"`{name}`", _default(field), f"`{example}`", str(field.description))
        yield f"| {' | '.join(map(_cell, cells))} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default == {}:
        return "see below"
    if field.default is None or field.default == ():
        return "none"
    text = str(field.default)
    return f"`{text.lower() if isinstance(field.default, bool) else text}`"


def _cell(text: str) -> str:
    """Return text that a Markdown table takes as one cell: a bar would end it, even inside code."""
    return text.replace("|", r"\|")
