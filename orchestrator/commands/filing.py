"""``report``: one HTML file about a run, made of its state file and what lies beside it; asks no host."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from orchestrator import __version__, commandline
from orchestrator.commands import recall
from orchestrator.engine import disk
from orchestrator.engine.events import HandedOver, Recorded, RunBegan
from orchestrator.engine.holding import is_in_use
from orchestrator.engine.lines import Content
from orchestrator.engine.state_file import content_of
from orchestrator.errors import OrchestratorError, RefusedError, UsageError
from orchestrator.etcd.gather import targets_of
from orchestrator.host.operations import Job
from orchestrator.migrations import MIGRATIONS
from orchestrator.output import out, plain
from orchestrator.pki import reading
from orchestrator.pki.pem import PemError
from orchestrator.pki.wanted import leaves
from orchestrator.report.html import availability
from orchestrator.report.html.certificates import Held
from orchestrator.report.html.page import MARK, Commands, Filed, Material, Review, write
from orchestrator.report.html.story import Story, tell
from orchestrator.report.review import lying, text
from orchestrator.report.review.making import make
from orchestrator.report.review.seen import Seen
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session

SUFFIX = ".state.jsonl"
RECORDS = "prober-*.json"  # what clients of a rehearsal leave beside its state file


def default_report(state: Path) -> Path:
    """Where a run's report lies unless --out says otherwise: beside its state file."""
    return state.with_name(f"{state.name.removesuffix(SUFFIX)}.report.html")


def file_by_itself(session: Session, warn: Callable[[str], None]) -> None:
    """Write a report at the end of a process, however it ended; what keeps it from that is only warned of."""
    path = default_report(session.state)
    try:
        out(written(session, path))
    except Exception as error:  # noqa: BLE001 -- nothing about a report may stop a run, our bugs neither
        reason, again = str(error) or type(error).__name__, session.command("report")
        warn(f"the report {path} was not written: {reason}. To write it later: {again}")


def written(session: Session, path: Path) -> str:
    """Write the report of a plan's run, and say where it is; raises RefusedError if that cannot be done."""
    if not os.path.lexists(session.state):
        raise UsageError(
            f"{session.state} is not there: no run has begun, so there is nothing to report. "
            f"To begin: {session.command('run')}"
        )
    with session.advising():
        page = write(_material(session))
    try:
        disk.write_own(path, page.encode(), MARK.encode())
    except OSError as error:
        raise RefusedError(f"{path}: the report cannot be written: {error.strerror}") from error
    return f"report: {path}"


def _material(session: Session) -> Material:
    state = session.state
    content = content_of(state)
    try:
        story = tell(content.events)
    except ValueError as error:
        raise RefusedError(f"{state}: {error}, so there is nothing to report") from error
    migration = MIGRATIONS.get(story.opened.migration)
    if migration is None:
        raise RefusedError(f"{state}:1: no migration {story.opened.migration!r} is known here")
    reviews, restarting = _changes(session, content, story)
    authority, held, faults = _certificates(session)
    records, unread = _records(state.parent)
    return Material(
        story,
        content.progress,
        migration.of(session.cluster),
        str(session.plan.absolute()),
        Filed(str(state.absolute()), content.sha256, content.size_bytes, is_in_use(state)),
        __version__,
        datetime.now(UTC),
        Commands(session.command("clients"), commandline.join(("sha256sum", str(state.absolute())))),
        following=_following(session, content),
        restarting=restarting,
        reviews=reviews,
        authority=authority,
        held=held,
        records=records,
        faults=(*faults, *unread),
    )


def _following(session: Session, content: Content) -> Mapping[str, str]:
    if not content.progress.is_under_way:
        return {}
    back = content.progress.direction == "back"
    on = session.command("rollback") if back else session.resume_command
    return {"Go on with": on, "Go forward again" if back else "Go back with": _other(session, back=back)}


def _other(session: Session, *, back: bool) -> str:
    return session.resume_command if back else session.command("rollback")


def _changes(
    session: Session, content: Content, story: Story
) -> tuple[tuple[Review, ...], frozenset[str] | None]:
    """Return what was changed, each way that was gone, and the steps that restart; None if nobody knows."""
    ways = {event.direction for event in content.events if isinstance(event, RunBegan)} | {"forward"}
    try:
        there = recall.compile_noted(session, story.opened)
        if there.digest != story.opened.runbook:
            raise RefusedError(
                "the plan, or a certificate that it names, was changed since the run began, so it does not "
                f"tell any more what the run changed: its runbook is {there.digest[:12]}, "
                f"the run's is {story.opened.runbook[:12]}"
            )
        runbooks = [there, *([recall.compile_back(session, story.opened.facts)] if "back" in ways else [])]
    except (OrchestratorError, OSError, ValueError, LookupError) as error:
        return (Review("The way there", fault=f"This cannot be shown: {error}."),), None
    restarting = {step.id for each in runbooks for step in each.steps.values() if step.restarts}
    reviews = tuple(
        Review(title, _reviewed(session, story, there, runbook, content.events))
        for title, runbook in zip(("The way there", "The way back"), runbooks, strict=False)
    )
    return reviews, frozenset(restarting)


def _reviewed(
    session: Session, story: Story, there: Runbook, runbook: Runbook, events: Iterable[Recorded]
) -> str:
    """Return the review of a whole runbook as text, with the handovers that there were."""
    handed: dict[str, list[Job]] = {}
    for event in events:
        if isinstance(event, HandedOver) and event.step in runbook.steps:
            step = runbook.steps[event.step]
            operations = step.hand_overs.get(event.successor, ())
            job = Job(event.step, event.host, operations, step.deadline_s, event.step, event.successor)
            handed.setdefault(event.step, []).append(job)
    jobs: list[Job] = []
    for step in runbook.steps.values():
        jobs += [*handed.get(step.id, ()), Job(step.id, step.host, step.operations, step.deadline_s, step.id)]
    members, goes_back = targets_of(session.cluster, story.opened.facts), runbook is not there
    everyone = (*members, *members[0].proxies)
    seen = Seen(
        targets=(*everyone, *members[0].clients),
        meanings={state.name: state.meaning for state in session.migration.of(session.cluster).states},
        goes_back=goes_back,
        lying=lying.texts(there, everyone, there.finals if goes_back else {}),
        undoing=recall.undoing(session, goes_back=goes_back),
    )
    return plain(text.parts(make(runbook, jobs, seen)))


def _certificates(session: Session) -> tuple[Held, tuple[Held, ...], tuple[str, ...]]:
    folder = session.plan.absolute().parent
    authority = _held("CA", session.cluster.tls.ca, folder)
    try:
        wanted = leaves(session.cluster, {})
    except OrchestratorError as error:
        return authority, (), (f"The certificates of the hosts cannot be shown: {error}",)
    held = (_held(f"{one.common_name}, {one.used_by}", one.certificate, folder) for one in wanted)
    return authority, tuple(held), ()


def _held(used_by: str, path: Path, folder: Path) -> Held:
    shown = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
    try:
        return Held(used_by, shown, reading.certificates(path))
    except PemError as error:
        return Held(used_by, shown, (), str(error))


def _records(
    folder: Path,
) -> tuple[dict[str, availability.Single | availability.Many], tuple[str, ...]]:
    """Read what clients of a rehearsal have left, by their names; what cannot be read is named."""
    records: dict[str, availability.Single | availability.Many] = {}
    unread: list[str] = []
    for path in sorted(folder.glob(RECORDS)):
        name = _client(path.stem.removeprefix("prober-"))
        try:
            descriptor = disk.open_plain(path)
            try:
                records[name] = availability.RECORD.validate_json(disk.read(descriptor))
            finally:
                os.close(descriptor)
        except (OSError, ValidationError) as error:
            reason = "it is no record of clients" if isinstance(error, ValidationError) else error.strerror
            unread.append(f"{path} is left out: {reason}")
    return records, tuple(unread)


def _client(name: str) -> str:
    return "through all members" if name == "members" else f"through {name} alone"
