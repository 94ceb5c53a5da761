"""A migration's states as a picture, in text or as SVG; with who stands where, if that is known."""

from collections.abc import Mapping, Sequence
from html import escape

from orchestrator.migrations.table import ROLES, Migration, Round
from orchestrator.report.tables import mermaid
from orchestrator.text import escaped

Standing = Mapping[str, Sequence[str]]
FORMATS = ("mermaid", "text", "svg")
_WIDTH, _HEIGHT, _STEP = 190, 34, 78


def drawn(migration: Migration, kind: str, here: Standing) -> str:
    """Return the picture in one of FORMATS; ``here`` are the hosts that stand in each state."""
    if kind == "text":
        return _text(migration, here)
    return _svg(migration, here) if kind == "svg" else mermaid(migration) + _notes(here)


def _notes(here: Standing) -> str:
    return "".join(
        f"    note right of {state}: you are here: {', '.join(hosts)}\n" for state, hosts in here.items()
    )


def _text(migration: Migration, here: Standing) -> str:
    lines: list[str] = []
    for role in ROLES:
        rounds = migration.rounds_of(role)
        lines += [f"every {role}:"] if rounds else []
        lines += [_state(rounds[0].source.name, here)] if rounds else []
        for one in rounds:
            lines += [f"    |  {one.name}{_wanted(one)}", "    v", _state(one.target.name, here)]
    return "\n".join(lines) + "\n"


def _state(name: str, here: Standing) -> str:
    hosts = here.get(name, ())
    return f"  [{name}]" + (f"  <== you are here: {', '.join(hosts)}" if hosts else "")


def _wanted(one: Round) -> str:
    return f" (if the plan says {one.wanted.said})" if one.wanted else ""


def _svg(migration: Migration, here: Standing) -> str:
    """Return boxes from the first state down, a column for each role; it needs no font and no network."""
    tracks = [migration.rounds_of(role) for role in ROLES if migration.rounds_of(role)]
    parts: list[str] = []
    for column, rounds in enumerate(tracks):
        x = 20 + column * 2 * _WIDTH
        parts += _box(x, 20, rounds[0].source.name, here)
        for number, one in enumerate(rounds, start=1):
            y = 20 + number * _STEP
            middle = x + _WIDTH // 2
            parts.append(f'<path d="M{middle} {y - _STEP + _HEIGHT} V{y - 4}" marker-end="url(#to)"/>')
            parts.append(f'<text x="{middle + 8}" y="{y - 18}">{escape(one.name)}</text>')
            parts += _box(x, y, one.target.name, here)
    width, height = len(tracks) * 2 * _WIDTH + 20, 40 + _HEIGHT + _STEP * max(map(len, tracks))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="sans-serif" font-size="14">\n<title>{escape(migration.name)}</title>\n'
        "<style>rect{fill:none;stroke:#888}rect.here{stroke:#06c;stroke-width:3}path{stroke:#888}"
        "text{fill:#555}</style>\n"
        '<defs><marker id="to" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#888"/></marker></defs>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _box(x: int, y: int, name: str, here: Standing) -> list[str]:
    hosts = here.get(name, ())
    where = f'x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"'
    parts = [
        f"<rect {where}{' class=' + chr(34) + 'here' + chr(34) if hosts else ''}/>",
        f'<text x="{x + _WIDTH // 2}" y="{y + 22}" text-anchor="middle">{escape(name)}</text>',
    ]
    if hosts:
        named = escape(escaped(", ".join(hosts), keep=""))
        parts.append(f'<text x="{x + _WIDTH + 10}" y="{y + 22}">you are here: {named}</text>')
    return parts
