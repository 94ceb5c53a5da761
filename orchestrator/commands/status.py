"""Where a migration stands: ``status``, and what the state file tells of it."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from orchestrator.commands import keeping, locks, own_files, recall, recover
from orchestrator.engine.holding import is_in_use
from orchestrator.engine.progress import Progress
from orchestrator.engine.state_file import progress_of
from orchestrator.errors import (
    HostUnreachableError,
    LoginRefusedError,
    OrchestratorError,
    UsageError,
)
from orchestrator.output import clear, err, out
from orchestrator.plan.facts import Target
from orchestrator.remote.each_host import AskedOnce, ask_each
from orchestrator.remote.executor import refused
from orchestrator.report import status
from orchestrator.report.status import Seen
from orchestrator.runbook.model import Runbook
from orchestrator.session import Session

PAUSE_S = 2.0


def wanted(output: str) -> bool:
    """Whether JSON is wanted; UsageError for what there is not."""
    if output not in {"text", "json"}:
        raise UsageError(f"--output {output}: there is text and json")
    return output == "json"


def follow(session: Session, should_stop: Callable[[], bool], *, is_json: bool) -> None:
    """Print it anew every two seconds until Ctrl-C; what is not as it should be is said, and ends nothing."""
    while not should_stop():
        try:
            show_status(session, is_json=is_json, begin=clear)
        except OrchestratorError as error:
            err(f"exit code {error.exit_code} now: {session.spelled(str(error))}")
        time.sleep(PAUSE_S)


def show_status(session: Session, *, is_json: bool = False, begin: Callable[[], None] = lambda: None) -> None:
    """Print where every member is seen to stand; raises what is not as it should be, see ``status.judge``.

    ``begin`` is called once all hosts have answered, before the first line.
    """
    session = replace(session, hosts=AskedOnce(session.hosts))
    progress = read_progress(session)
    facts = progress.opened.facts if progress.opened else recall.read_facts(session)
    runbook = (
        recall.compile_noted(session, progress.opened)
        if progress.opened
        else recall.compile_there(session, facts)
    )
    recall.refuse_misfit(session, progress, runbook)
    hosts = (host for host in session.cluster.hosts if host.name in runbook.origins)
    targets = tuple(Target(session.cluster, facts, host) for host in hosts)
    seen = status.observe(runbook, session.hosts, progress, targets)
    error = None if is_in_use(session.state) else status.judge(seen, progress, runbook.finals)
    held = locks.look(session)
    begin()
    if is_json:
        out(status.as_json(seen, progress, runbook, error, held))
    else:
        _print(session, progress, runbook, seen, targets, held)
    if error is not None:
        raise error


def _print(
    session: Session,
    progress: Progress,
    runbook: Runbook,
    seen: Sequence[Seen],
    targets: Sequence[Target],
    held: locks.Locks,
) -> None:
    out(status.table(seen))
    for line in locks.held_lines(held):
        out(line)
    report_kept(progress)
    if progress.opened is None:
        out(f"no state file: {session.state}", *(f"\n{reported}" for reported in _forgotten(session)), "\n")
    else:
        _tell_ways(session, progress, runbook)
        _tell_rest(session, progress, runbook)
        if all(one.state == runbook.finals[one.member] for one in seen):
            _tell_own_files(session, targets)
    if is_in_use(session.state):
        out("a process is at work on it now")


def _forgotten(session: Session) -> Iterable[str]:
    """Tell of a run that the hosts remember, if they can be asked."""
    try:
        yield from filter(None, [recover.forgotten(session)])
    except (HostUnreachableError, LoginRefusedError) as error:
        yield f"cannot read whether the hosts remember a run: {error}"


def _tell_ways(session: Session, progress: Progress, runbook: Runbook) -> None:
    """Print the ways back and on, how long they are, and their commands."""
    if progress.opened and progress.opened.runbook != runbook.digest:
        out(f"{session.plan} (or a certificate that it names) was changed since the run began")
    steps = progress.steps_back(runbook.tracks)
    how = (
        f", with: {session.command('rollback')}"
        if steps
        else ": nothing was changed, or all of it was undone"
    )
    out(f"going back now: {steps} steps{how}")
    if progress.is_under_way:
        out(f"going on: {progress.steps_ahead(runbook.tracks)} steps, with: {session.resume_command}")


def _tell_rest(session: Session, progress: Progress, runbook: Runbook) -> None:
    """Print whom the next round waits for, where it waits for somebody outside."""
    standing = {progress.states.get(host, origin) for host, origin in runbook.origins.items()}
    begins = next((n for n, stage in enumerate(runbook.stages) if stage.source in standing), 0)
    following = runbook.stages[begins : begins + 3]  # clients that the plan moves itself may come first
    pending = next((stage for stage in following if stage.steps[0].before), None)
    gates = pending.steps[0].before[-1:] if pending else ()
    questions = tuple(question for gate in gates for question in gate.questions)
    if not (pending and questions and progress.is_under_way and progress.direction == "forward"):
        return
    heard = ask_each(session.hosts, questions)
    reasons = tuple(one.reason for one in refused(gates, heard.answers))
    left = f"not yet: {'; '.join(reasons)}" if reasons else "nobody is left"
    out(f"resting: the round {pending.round!r} waits until clients have moved; {left}")


def _tell_own_files(session: Session, targets: Iterable[Target]) -> None:
    """Print where http would come back from, should ours be taken away: that is no trouble yet."""
    rows = tuple(own_files.overridden(session, targets))
    if rows:
        out("own files that still say what was before the migration, and that ours override:")
        for row in rows:
            out(f"  {row}")
        out(f"what they have to say from now on: {session.command('settings')}")


def read_progress(session: Session) -> Progress:
    """Read the state file without its lock, so that a run in flight can be watched."""
    return progress_of(session.state)


def report_kept(progress: Progress) -> None:
    """Print where everything lies that was there before the first change."""
    if progress.saved:
        out(keeping.reported(progress.saved))
