"""Phases that change something: first the state file, then the hosts' locks, then what each member does."""

import os

from orchestrator import bastion
from orchestrator.commands import keeping, locks, recall
from orchestrator.commands.phases.context import Context, warn
from orchestrator.engine.events import RunBegan
from orchestrator.engine.run import run
from orchestrator.errors import RefusedError
from orchestrator.output import out
from orchestrator.remote.executor import LiveExecutor

_DOING = {"forward": "run", "back": "rollback"}


def write_header(context: Context) -> None:
    """Begin the state file: from here on a run that dies is found again by its id."""
    context.journal.forget()  # a run that was refused before its first step leaves nothing else to remember
    context.journal.append(recall.header(context.session, context.run, context.facts, context.runbook))


def lock_every_host(context: Context) -> None:
    """Take the lock of every host; nothing is begun without one of them."""
    _lock(context, absent_ok=False)


def lock_hosts_that_answer(context: Context) -> None:
    """Take the locks that can be taken now; a host that is away is waited for, and locked then."""
    _lock(context, absent_ok=True)


def look_again(context: Context) -> None:
    """Refuse if the hosts changed while a person read the review, when nobody's locks were held."""
    if recall.read_facts(context.session) != context.facts:
        raise RefusedError("nothing was changed: the hosts are not as the review showed them; run it again")


def save(context: Context) -> None:
    """Keep what is there, unless that was done or a step has begun and changed it."""
    progress = context.journal.progress
    if progress.opened and not progress.saved and not progress.attempts:
        out(keeping.keep(context.session, context.locked, context.journal, progress.opened, context.pace))


def walk(context: Context) -> None:
    """Walk every member through the runbook, under the hosts' locks."""
    journal = context.journal
    if journal.progress.opened is None:
        raise ValueError("the state file has no header")
    journal.append(
        RunBegan(
            pid=os.getpid(),
            host=bastion.host_name(),
            user=bastion.user_name(),
            runbook=context.runbook.digest,
            is_resumed=bool(journal.progress.attempts),
            direction=context.direction,
        )
    )
    run(context.runbook, LiveExecutor(context.locked), journal, context.pace, until=context.options.until)


def unlock(context: Context) -> None:
    """Let go of every lock."""
    context.held.close()


def _lock(context: Context, *, absent_ok: bool) -> None:
    held = locks.held(context.session, context.run, _DOING[context.direction], warn, absent_ok=absent_ok)
    context.locked = context.held.enter_context(held)
