"""Phases that change something: first the state file, then the hosts' locks, then what each member does."""

import os

from orchestrator import bastion
from orchestrator.commands import filing, keeping, locks, recall
from orchestrator.commands.phases.call import Call, warn
from orchestrator.engine.events import RunBegan
from orchestrator.engine.run import run
from orchestrator.errors import RefusedError
from orchestrator.output import out
from orchestrator.remote.executor import LiveExecutor

_DOING = {"forward": "run", "back": "rollback"}


def write_header(call: Call) -> None:
    """Begin the state file: from here on a run that dies is found again by its id."""
    call.event_log.forget()  # a run that was refused before its first step leaves nothing else to remember
    call.record(recall.header(call.session, call.run, call.facts, call.runbook))


def lock_every_host(call: Call) -> None:
    """Take the lock of every host; nothing is begun without one of them."""
    _lock(call, absent_ok=False)


def lock_hosts_that_answer(call: Call) -> None:
    """Take the locks that can be taken now; a host that is away is waited for, and locked then."""
    _lock(call, absent_ok=True)


def look_again(call: Call) -> None:
    """Refuse if the hosts changed while a person read the review, when nobody's locks were held."""
    if recall.read_facts(call.session, overlaps=call.facts.overlaps) != call.facts:
        raise RefusedError("nothing was changed: the hosts are not as the review showed them; run it again")


def save(call: Call) -> None:
    """Keep what is there, unless that was done or a step has begun and changed it."""
    progress = call.event_log.progress
    if progress.opened and not progress.saved and not progress.attempts:
        out(keeping.keep(call.session, call.locked, call.event_log, progress.opened, call.context))


def walk(call: Call) -> None:
    """Walk every member through the runbook, under the hosts' locks."""
    event_log = call.event_log
    if event_log.progress.opened is None:
        raise ValueError("the state file has no header")
    call.record(
        RunBegan(
            pid=os.getpid(),
            host=bastion.host_name(),
            user=bastion.user_name(),
            runbook=call.runbook.digest,
            is_resumed=bool(event_log.progress.attempts),
            direction=call.direction,
        )
    )
    try:
        run(call.runbook, LiveExecutor(call.locked), event_log, call.context, until=call.options.until)
    finally:
        filing.file_by_itself(call.session, warn)


def unlock(call: Call) -> None:
    """Let go of every lock."""
    call.held.close()


def _lock(call: Call, *, absent_ok: bool) -> None:
    held = locks.held(call.session, call.run, _DOING[call.direction], warn, absent_ok=absent_ok)
    call.locked = call.held.enter_context(held)
