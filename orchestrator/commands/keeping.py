"""Keeping what was there before the first change, and comparing the members' data, then and at the end."""

import secrets
from concurrent.futures import ThreadPoolExecutor

from orchestrator.commands.agreeing import DifferError, agree
from orchestrator.engine.events import Opened, Saved
from orchestrator.engine.gate import NotYetError
from orchestrator.engine.journal import Journal
from orchestrator.engine.pace import Pace
from orchestrator.errors import PersonNeededError, RefusedError, StoppedError
from orchestrator.etcd import restoring, saving
from orchestrator.etcd.facts.hashes import Agreement
from orchestrator.host import names, places
from orchestrator.host.operations import Deed, Operation, Write
from orchestrator.plan.facts import Subject
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import Hosts
from orchestrator.session import Session

_AT_ONCE = 8
NO_HASH = "the v2 interface has no hash of the keys: the members' data is not compared"


def keep(session: Session, hosts: Hosts, journal: Journal, opened: Opened, pace: Pace) -> str:
    """Compare the members' data, then save it and every host's unit; noted only when it is there.

    ``hosts`` carry our locks. Each call does it anew, for what an earlier one saved may be old by now.
    Returns the commands that put the data back. Raises RefusedError.
    """
    agreed, call = _agreed_before(session, opened, pace), secrets.token_hex(4)
    text = restoring.instructions(saving.holder(session.cluster, opened.facts), opened.run, agreed)
    deeds = [
        _deed(Subject(session.cluster, opened.facts, host), opened, text, call)
        for host in session.cluster.hosts
    ]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="keep") as pool:
        receipts = list(pool.map(hosts.perform, deeds))
    failed = [
        f"{deed.host}: {receipt.output.partition('failed: ')[0].strip()[-500:]}"
        for deed, receipt in zip(deeds, receipts, strict=True)
        if receipt.exit_status != 0
    ]
    if failed:
        raise RefusedError(
            "no member was changed; what is there now could not be kept:\n"
            + "\n".join(failed)
            + f"\nMend that, then begin anew: {session.command('run')}"
        )
    noted = saved(session.cluster, opened, agreed)
    journal.append(noted)
    pace.narrate(noted)
    return text


def saved(cluster: Cluster, opened: Opened, agreed: Agreement | None) -> Saved:
    """Make the event that tells where everything lies that a run has kept."""
    holder = saving.holder(cluster, opened.facts)
    return Saved(
        host=holder.name,
        directory=places.of_run(opened.run),
        data=saving.data_path(holder, opened.run),
        instructions=saving.instructions_path(opened.run),
        revision=agreed.revision if agreed else None,
        hash=agreed.hash if agreed else None,
    )


def compare(session: Session, opened: Opened, pace: Pace) -> str:
    """Compare the members' data once everybody stands at the end; return what to tell.

    Raises PersonNeededError if it is not the same, StoppedError if nobody can tell.
    """
    try:
        agreed = agree(session, opened.facts, pace)
    except DifferError as error:
        raise PersonNeededError(
            f"every member stands at the end and is healthy, but {error}. Reads depend on who answers them: "
            "docs/restore.md says how to find out who is wrong, and how to mend it"
        ) from error
    except NotYetError as error:
        raise StoppedError(
            f"every member stands at the end, but their data could not be compared: {error}"
        ) from error
    return NO_HASH if agreed is None else f"all members hold the same data: {agreed}"


def told(noted: Saved) -> str:
    """Say where everything lies that was there before the first change."""
    at = "" if noted.revision is None else f" (revision {noted.revision}, hash {noted.hash})"
    return (
        f"kept from before the first change: the data on {noted.host} in {noted.data}{at}, "
        f"old unit files on every host in {noted.directory}\n"
        f"how to put the data back, command by command: {noted.instructions} on {noted.host}"
    )


def _agreed_before(session: Session, opened: Opened, pace: Pace) -> Agreement | None:
    try:
        return agree(session, opened.facts, pace)
    except DifferError as error:
        raise RefusedError(
            f"nothing was changed: {error}. A member has to be rebuilt first: docs/restore.md"
        ) from error
    except NotYetError as error:
        raise RefusedError(
            f"nothing was changed: the members' data could not be compared: {error}"
        ) from error


def _deed(subject: Subject, opened: Opened, instructions: str, call: str) -> Deed:
    run = opened.run
    operations: list[Operation] = [*saving.surroundings(subject, run, opened.model_dump_json())]
    holder = saving.holder(subject.cluster, opened.facts)
    if subject.host == holder.host:
        operations += [
            *saving.data(holder, saving.data_path(holder, run)),
            Write(saving.instructions_path(run), instructions, 0o600),
        ]
    return Deed(
        names.of_keeping(run, subject.name, call),
        subject.name,
        tuple(dict.fromkeys(operations)),
        saving.DEADLINE_S,
    )
