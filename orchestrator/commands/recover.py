"""``recover``: a lost state file written anew from what the hosts themselves remember of its run."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.commands import keeping, locks, recall
from orchestrator.engine.events import Opened, Recorded
from orchestrator.engine.progress import Progress
from orchestrator.engine.retelling import is_undone, retell
from orchestrator.engine.state_file import create
from orchestrator.errors import RefusedError, UsageError
from orchestrator.host import places
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan import foreign
from orchestrator.remote import begun
from orchestrator.session import Session


class UnreadableError(RefusedError):
    """A host does not tell what it remembers of runs."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A run that hosts remember: its state file's events, as far as the hosts can tell them."""

    opened: Opened
    events: tuple[Recorded, ...]

    @property
    def progress(self) -> Progress:
        """How far the run has come."""
        return Progress.of(self.events)

    @property
    def last(self) -> str:
        """Name the steps that the hosts began last."""
        return ", ".join(doubt.step for doubt in self.progress.unsettled.values())


def refuse_forgotten(session: Session) -> None:
    """Refuse to begin a run on hosts that stand somewhere in another one, whose state file is not here."""
    reported = forgotten(session)
    if reported:
        raise RefusedError(f"nothing was changed: {reported}")


def forgotten(session: Session) -> str:
    """Tell of a run that the hosts remember, to whoever has no state file of it; nothing if there is none."""
    found = _remembered(session)
    if found is None:
        return ""
    return (
        f"run {found.opened.run} began here at {found.opened.at:%Y-%m-%d %H:%M} UTC "
        f"(the last steps: {found.last}), and {session.state} has no record of it. Put its state file "
        f"there, or rebuild it from what the hosts remember: {session.command('recover')}"
    )


def recover(session: Session) -> str:
    """Write the state file anew; returns what to tell.

    Raises UsageError if there is one, RefusedError if the hosts remember no run that this plan fits, and
    LockedError if that run's process may still be there.
    """
    if os.path.lexists(session.state):
        raise UsageError(
            f"{session.state} is there, and was not touched: go on with {session.resume_command}. "
            "If it cannot be read any more, move it away first"
        )
    found = _remembered(session)
    if found is None:
        raise RefusedError(
            f"nothing was written: no host remembers a run of {session.cluster.name} that was not rolled "
            f"back. To begin one: {session.command('run')}"
        )
    recall.recall(session, Progress(found.opened))
    with locks.held(session, found.opened.run, "recover", _ignore, absent_ok=False):
        found = _remembered(session) or found  # with the locks, for nobody can begin anything now
        create(session.state, found.events)
    steps = found.progress.steps_back(recall.compile_there(session, found.opened.facts).tracks)
    return (
        f"{session.state} was written anew: run {found.opened.run}, the last steps are {found.last}; "
        f"each is in doubt, and is looked at before anything is done\ngo on: {session.resume_command}\n"
        f"or back, {steps} steps: {session.command('rollback')}"
    )


def _remembered(session: Session) -> Remembered | None:
    """Return the newest run of this cluster that was begun, and not undone to its first state."""
    remembered = {host.name: begun.runs(host.name) for host in session.cluster.hosts}
    answers = session.hosts.look(fact.question for fact in remembered.values())
    headers: dict[str, Opened] = {}
    jobs: dict[str, dict[str, tuple[str, ...]]] = {}
    for host, fact in remembered.items():
        try:
            for run in fact.read(answers):
                headers[run.run] = _header(run)
                jobs.setdefault(run.run, {})[host] = run.jobs
        except ValueError as error:
            raise UnreadableError(
                f"nothing was changed: {host}: what it remembers cannot be read: {error}"
            ) from error
    ours = [
        header
        for header in headers.values()
        if header.cluster == session.cluster.name and not _is_history(header, jobs[header.run])
    ]
    for opened in sorted(ours, key=lambda header: header.at, reverse=True):
        runbook = recall.compile_there(session, opened.facts)
        try:
            events = retell(opened, (runbook, recall.compile_back(session, opened.facts)), jobs[opened.run])
        except ValueError as error:
            raise RefusedError(
                f"nothing was changed: {error}; was the plan's strategy changed since?"
            ) from error
        saved = keeping.saved(session.cluster, opened, None)
        found = Remembered(opened, (events[0], saved, *events[1:]))
        doubts = found.progress.unsettled
        if any(doubt.target != runbook.origins[host] for host, doubt in doubts.items()):
            return found
    return None


def _header(remembered: begun.Remembered) -> Opened:
    """Read the first line of a run's state file; ValueError if it is none, or another run's."""
    where = f"{places.header(remembered.run)} there"
    opened = foreign.of_json(Opened, remembered.header, where)
    if opened.run != remembered.run:
        raise ValueError(f"{where} is of run {opened.run}")
    return opened


def _is_history(opened: Opened, begun: Mapping[str, Sequence[str]]) -> bool:
    """Whether a run was undone to its first state, whatever the plan says by now."""
    migration = MIGRATIONS.get(opened.migration)
    return migration is not None and is_undone(opened, migration, begun)


def _ignore(_: str) -> None:
    pass
