"""The page: everything that is known of a run, put together, and written as one HTML file."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.engine.events import Span, StepStarted
from orchestrator.engine.progress import Progress
from orchestrator.migrations.table import ROLES, Migration, Role
from orchestrator.report.html import availability, certificates, changes, gantt, ledger, track
from orchestrator.report.html.seconds import ended, is_of
from orchestrator.report.html.story import Story
from orchestrator.report.html.verdict import verdict
from orchestrator.report.html.wording import WAITS, clock, duration, moment
from orchestrator.text import escaped

MARK = '<meta name="generator" content="etcd-orchestrator">'  # every page of ours has it
CLOSING = "switch"  # the round that closes http, in each migration
CUT_OFF = ("outside", "cut-off")  # spans that say who was connected


@dataclass(frozen=True, slots=True)
class Review:
    """What was changed, as a review says it; or why that cannot be said."""

    title: str
    text: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """The state file: where it lies, its digest, and whether a process has it open."""

    path: str
    sha256: str
    size_bytes: int
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands that a reader can give: who is connected now, and the state file's digest now."""

    clients: str
    digest: str


@dataclass(frozen=True, slots=True)
class Material:
    """All that a page is made of.

    ``restarting`` are steps, by their ids, that take their host away for a moment; None if nobody knows.
    ``records`` are those of clients, by their names. ``following`` are commands that go on from here, by what
    they are for.
    """

    story: Story
    progress: Progress
    migration: Migration
    plan: str
    filed: Filed
    tool: str
    now: datetime
    commands: Commands
    restarting: frozenset[str] | None = frozenset()
    reviews: tuple[Review, ...] = ()
    authority: certificates.Held | None = None
    held: tuple[certificates.Held, ...] = ()
    records: Mapping[str, availability.Single | availability.Many] = field(default_factory=dict)
    following: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def write(material: Material) -> str:
    """Return the page."""
    style = files("orchestrator.report.html").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template("page.html.jinja")
    return template.render(_values(material), style=Markup(style), style_digest=digest)  # noqa: S704 -- ours


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("orchestrator.report.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "clock": clock, "duration": duration}
    return environment


def _shown(value: Any) -> Any:  # noqa: ANN401 -- whatever a template shows
    """Escape what would move a cursor or the reading order; markup is ours, and its text was escaped."""
    return escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _values(material: Material) -> dict[str, Any]:
    story, migration = material.story, material.migration
    restarting = material.restarting or frozenset()
    meanings = {state.name: state.meaning for state in migration.states}
    by_role = _hosts(story)
    tracks = {
        host: [state.name for state in migration.track(role)]
        for role, hosts in by_role.items()
        for host in hosts
        if migration.track(role)
    }
    seen = verdict(story, material.progress, tracks, meanings, is_in_use=material.filed.is_in_use)
    bars = [bar for process in story.processes for bar in process.bars]
    recorded = availability.clients(material.records, story.processes[0].began, story.ended) if bars else ()
    shown = (*recorded, *availability.of_processes(story.processes))
    return {
        "material": material,
        "story": story,
        "opened": story.opened,
        "verdict": seen,
        "versions": sorted({host.version for host in _found(story).values()}),
        "restarting": restarting,
        "restarts": sum(bar.step in restarting and bar.ending != "found done" for bar in bars),
        "pauses_s": sum(ledger.pauses(story)),
        "gantt": gantt.draw(story, restarting) if bars else None,
        "legend": gantt.legend(story),
        "waits_meanings": WAITS,
        "waits": _spans(story, [kind for kind in WAITS if kind != "cut-off"]),
        "ledgers": ledger.ledgers(story),
        "bars": bars,
        "tracks": _tracks(material, by_role),
        "chapters": [(review, changes.chapters(review.text)) for review in material.reviews],
        "leaves": certificates.tree(material.authority, material.held, material.now)
        if material.authority
        else (),
        "connected": _spans(story, CUT_OFF),
        "clients": shown,
        "reach": _reach(material, shown),
    }


def _hosts(story: Story) -> dict[Role, tuple[str, ...]]:
    facts = story.opened.facts
    return {
        "member": tuple(facts.members),
        "proxy": tuple(facts.proxies),
        "client host": tuple(facts.clients),
    }


def _found(story: Story) -> Mapping[str, Any]:
    return {**story.opened.facts.members, **story.opened.facts.proxies}


def _spans(story: Story, kinds: Sequence[str] | Mapping[Any, str]) -> tuple[Span, ...]:
    return tuple(span for process in story.processes for span in process.spans if span.kind in kinds)


def _tracks(
    material: Material, by_role: Mapping[Role, tuple[str, ...]]
) -> list[tuple[Role, Markup, list[tuple[str, str]]]]:
    """Return for each role its name, its diagram, and its states with what they mean."""
    found = []
    for role in ROLES:
        rounds = material.migration.rounds_of(role)
        if not rounds or not by_role[role]:
            continue
        states = material.migration.track(role)
        ways = [(state.name, round_.name) for state, round_ in zip(states, rounds, strict=False)]
        now = {host: material.progress.states.get(host, states[0].name) for host in by_role[role]}
        reached = {host: {state, states[0].name} for host, state in now.items()}
        for process in material.story.processes:
            for event in process.events:
                if isinstance(event, StepStarted) and event.host in reached:
                    reached[event.host].add(event.source)
        shown = track.places([*ways, (states[-1].name, "")], now, reached)
        diagram = track.draw(f"track-{role}", role, shown)
        found.append((role, diagram, [(state.name, state.meaning) for state in states]))
    return found


def _reach(material: Material, shown: Sequence[availability.Client]) -> Markup | None:
    """Draw what clients saw, if that was recorded."""
    story = material.story
    if not shown or not story.processes:
        return None
    away = [
        (span.at, ended(span))
        for process in story.processes
        for bar in process.bars
        if bar.step in (material.restarting or ())
        for span in process.spans
        if is_of(span, bar)
    ]
    closing = [
        event.at
        for process in story.processes
        for event in process.events
        if isinstance(event, StepStarted) and event.step.startswith(f"{CLOSING}/")
    ]
    window = (story.processes[0].began, story.ended)
    return availability.draw(shown, window, away, max(closing, default=None))
