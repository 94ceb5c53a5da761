"""Keeping what was there before the first change, and comparing the members' data, then and at the end."""

import secrets
from dataclasses import replace

from orchestrator.commands.comparing import DifferError, agree
from orchestrator.engine.context import RunContext
from orchestrator.engine.events import Opened, Saved
from orchestrator.engine.state_file import EventLog
from orchestrator.engine.wait import NotYetError
from orchestrator.errors import PersonNeededError, RefusedError, StoppedError
from orchestrator.etcd import restoring, saving
from orchestrator.etcd.facts.hashes import Agreement
from orchestrator.host import names, places
from orchestrator.host.operations import Job, Operation, Write
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Cluster
from orchestrator.remote.at_once import at_once
from orchestrator.remote.executor import Hosts
from orchestrator.session import Session


def keep(session: Session, hosts: Hosts, event_log: EventLog, opened: Opened, context: RunContext) -> str:
    """Compare the members' data, then save it and every host's unit; noted only when it is there.

    ``hosts`` carry our locks. Each call does it anew, for what an earlier one saved may be old by now.
    Returns the commands that put the data back. Raises RefusedError.
    """
    agreed, call = _agreed_before(session, opened, context), secrets.token_hex(4)
    text = restoring.instructions(saving.backup_target(session.cluster, opened.facts), opened.run, agreed)
    jobs = [
        _job(Target(session.cluster, opened.facts, host), opened, text, call)
        for host in session.cluster.hosts
    ]
    results = at_once(hosts.perform, jobs)
    failed = [
        f"{job.host}: {replace(result, output=result.output.partition('failed: ')[0]).last_words}"
        for job, result in zip(jobs, results, strict=True)
        if result.exit_status != 0
    ]
    if failed:
        raise RefusedError(
            "no member was changed; what is there now could not be kept:\n"
            + "\n".join(failed)
            + f"\nFix that, then start again: {session.command('run')}"
        )
    noted = saved(session.cluster, opened, agreed)
    event_log.append(noted)
    context.narrate(noted)
    return text


def saved(cluster: Cluster, opened: Opened, agreed: Agreement | None) -> Saved:
    """Make the event that tells where everything lies that a run has kept."""
    backup_target = saving.backup_target(cluster, opened.facts)
    return Saved(
        host=backup_target.name,
        directory=places.of_run(opened.run),
        data=saving.data_path(backup_target, opened.run),
        instructions=saving.instructions_path(opened.run),
        revision=agreed.revision if agreed else None,
        hash=agreed.hash if agreed else None,
    )


def compare(session: Session, opened: Opened, context: RunContext) -> str:
    """Compare the members' data once everybody stands at the end; return what to tell.

    Raises PersonNeededError if it is not the same, StoppedError if nobody can tell.
    """
    try:
        agreed = agree(session, opened.facts, context)
    except DifferError as error:
        raise PersonNeededError(
            f"the migration is complete and every member is healthy, but {error}. Reads differ by member: "
            "docs/restore.md shows how to find the wrong member and how to fix it"
        ) from error
    except NotYetError as error:
        raise StoppedError(
            f"every member stands at the end, but their data could not be compared: {error}"
        ) from error
    return agreed if isinstance(agreed, str) else f"all members hold the same data: {agreed}"


def reported(noted: Saved) -> str:
    """Say where everything lies that was there before the first change."""
    at = "" if noted.revision is None else f" (revision {noted.revision}, hash {noted.hash})"
    return (
        f"backup taken before the first change: the data on {noted.host} in {noted.data}{at}, "
        f"old unit files on every host in {noted.directory}\n"
        f"how to put the data back, command by command: {noted.instructions} on {noted.host}"
    )


def _agreed_before(session: Session, opened: Opened, context: RunContext) -> Agreement | None:
    try:
        agreed = agree(session, opened.facts, context)
    except DifferError as error:
        raise RefusedError(
            f"nothing was changed: {error}. A member has to be rebuilt first: docs/restore.md"
        ) from error
    except NotYetError as error:
        raise RefusedError(
            f"nothing was changed: the members' data could not be compared: {error}"
        ) from error
    return None if isinstance(agreed, str) else agreed


def _job(target: Target, opened: Opened, instructions: str, call: str) -> Job:
    run = opened.run
    operations: list[Operation] = [*saving.surroundings(target, run, opened.model_dump_json())]
    backup_target = saving.backup_target(target.cluster, opened.facts)
    if target.host == backup_target.host:
        operations += [
            *saving.data(backup_target, saving.data_path(backup_target, run)),
            Write(saving.instructions_path(run), instructions, 0o600),
        ]
    return Job(
        names.of_keeping(run, target.name, call),
        target.name,
        tuple(dict.fromkeys(operations)),
        saving.DEADLINE_S,
    )
