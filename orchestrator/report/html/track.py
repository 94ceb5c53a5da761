"""The states of a migration, one below the other: the way that was taken, and where the hosts stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markupsafe import Markup

from orchestrator.report.html import svg

WIDTH, ROW, X = 460.0, 58.0, 26.0
_LETTERS = 46  # of the hosts that stand in a state, in one line


@dataclass(frozen=True, slots=True)
class Place:
    """A state as the diagram shows it, and who stands there now.

    ``round`` leads on from here. ``is_reached`` is whether anybody has stood here, ``is_left`` whether any
    went on, and ``is_undone`` whether all have come back to it, or to a state before it.
    """

    name: str
    round: str
    hosts: tuple[str, ...]
    is_reached: bool
    is_left: bool
    is_undone: bool


def places(
    track: Sequence[tuple[str, str]], hosts: Mapping[str, str], reached: Mapping[str, set[str]]
) -> tuple[Place, ...]:
    """Return the places of a track of (state, round that leads on from it).

    ``hosts`` says where each stands now, ``reached`` where each has ever stood.
    """
    names = [name for name, _ in track]
    now = [names.index(state) for state in hosts.values() if state in names]
    been = [names.index(state) for states in reached.values() for state in states if state in names]
    furthest = max(been, default=0)
    return tuple(
        Place(
            name,
            round_,
            tuple(host for host, state in hosts.items() if state == name),
            is_reached=number <= furthest,
            is_left=number < furthest,
            is_undone=bool(now) and max(now) <= number < furthest,
        )
        for number, (name, round_) in enumerate(track)
    )


def draw(name: str, role: str, shown: Sequence[Place]) -> Markup:
    """Draw a track; ``name`` is the drawing's own in the page."""
    here = "; ".join(f"{', '.join(place.hosts)} in {place.name}" for place in shown if place.hosts)
    ways = ", ".join(place.name for place in shown)
    said = f"The states of a {role}, in their order: {ways}. Now: {here or 'nobody stands in one of them'}."
    drawing = svg.drawing(name, (WIDTH, ROW * len(shown) - ROW + 56), f"States of every {role}", said)
    drawing.set("class", "track")
    for number, place in enumerate(shown):
        y = 26 + ROW * number
        if number + 1 < len(shown):
            _way(drawing, place, y)
        _state(drawing, place, y)
    return svg.markup(drawing)


def _way(drawing: Element, place: Place, y: float) -> None:
    kind = "way taken" if place.is_left else "way"
    svg.put(drawing, "line", kind=kind, x1=X, x2=X, y1=y + 11, y2=y + ROW - 15)
    end = y + ROW - 11
    arrow = f"{X - 4.5:.1f},{end - 8:.1f} {X + 4.5:.1f},{end - 8:.1f} {X:.1f},{end:.1f}"
    svg.put(drawing, "polygon", kind=f"arrow {kind}", points=arrow)
    svg.put(drawing, "text", place.round, kind="round", x=X + 22, y=y + ROW / 2 + 4)
    if place.is_undone:
        curve = f"C {X - 24:.1f} {y + 40:.1f} {X - 24:.1f} {y + 18:.1f}"
        path = f"M {X - 6:.1f} {y + ROW - 8:.1f} {curve} {X - 9:.1f} {y + 7:.1f}"
        svg.put(drawing, "path", kind="way back", d=path)


def _state(drawing: Element, place: Place, y: float) -> None:
    kind = "here" if place.hosts else "passed" if place.is_reached else "ahead"
    svg.put(drawing, "circle", kind=f"state {kind}", cx=X, cy=y, r=9)
    svg.put(drawing, "text", place.name, kind=f"label {kind}", x=X + 22, y=y + 5)
    if place.hosts:
        who = ", ".join(place.hosts)
        short = who if len(who) <= _LETTERS else f"{len(place.hosts)} hosts"
        x = X + 22 + len(place.name) * 8.2 + 14
        svg.put(drawing, "text", f"◀ you are here: {short}", kind="who", x=x, y=y + 5)
