"""``unlock``, and the hosts' locks: seen from here, held, reported, and taken away when a person says so."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from orchestrator import bastion
from orchestrator.errors import HostUnreachableError, LoginRefusedError, RefusedError
from orchestrator.host import names
from orchestrator.host.lock import Holder
from orchestrator.output import out
from orchestrator.remote.host_locks import HostLocks, locked, seen, take_away
from orchestrator.session import Session
from orchestrator.text import shown

Locks = Mapping[str, Holder | str | None]


def look(session: Session) -> Locks:
    """Look who holds each host's lock; changes nothing."""
    return seen(session.hosts, [host.name for host in session.cluster.hosts])


def refuse_rivals(session: Session, run: str) -> None:
    """Refuse before anybody reads a review if another run has a lock; taking the locks decides later."""
    for host, holder in look(session).items():
        if isinstance(holder, Holder) and holder.run != run:
            raise locked(host, holder, session.unlock_command)


@contextmanager
def held(
    session: Session, run: str, doing: str, warn: Callable[[str], None], *, absent_ok: bool
) -> Iterator[HostLocks]:
    """Hold the lock of every host, see HostLocks.held; the state file has to be open under its own lock."""
    hosts = [host.name for host in session.cluster.hosts]
    locks = HostLocks(session.hosts, hosts, _holder(session, run, doing), session.unlock_command)
    with session.moment.orderly(), locks.held(absent_ok=absent_ok, warn=warn):
        yield locks


def _holder(session: Session, run: str, doing: str) -> Holder:
    """Describe this process as the holder of a lock."""
    user, host = bastion.user_name(), bastion.host_name()
    return Holder(
        run=run,
        number=str(time.time_ns() // 1000),
        bastion=f"{host} {bastion.machine_id()}".rstrip(),
        state=str(session.state.resolve()),
        who=f"{user}@{host}, process {os.getpid()}",
        since=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        doing=doing,
    )


def held_lines(found: Locks) -> list[str]:
    """Tell each holder once, with the hosts that it holds."""
    holders = dict.fromkeys(holder for holder in found.values() if isinstance(holder, Holder))
    return [f"locked by {holder}: {', '.join(_held_by(found, holder))}" for holder in holders]


def _shown(session: Session, found: Locks) -> str:
    """Tell of every host who holds its lock, and how each run's locks are taken away."""
    width = max(map(len, found))
    lines = [f"{host.ljust(width)}  {_reported(holder)}" for host, holder in found.items()]
    runs = dict.fromkeys(holder.run for holder in found.values() if isinstance(holder, Holder))
    lines += [f"only if its process has ended: {session.unlock_command(run)}" for run in runs]
    return "\n".join(lines)


def report(session: Session) -> None:
    """Print who holds the locks; HostUnreachableError behind that if a host could not be asked."""
    found = look(session)
    out(_shown(session, found))
    unseen = [(host, why) for host, why in found.items() if isinstance(why, str)]
    if unseen:
        raise HostUnreachableError(*unseen[0])


def unlock(session: Session, run: str, *, confirm: Callable[[str], bool] | None) -> str:
    """Take one run's locks away, and no other's; returns what to tell.

    RefusedError if the run holds none, or if the person says no. HostUnreachableError once the others are
    unlocked, if a host could not be asked or reached.
    """
    found = look(session)
    ours = [host for host, holder in found.items() if isinstance(holder, Holder) and holder.run == run]
    unseen = {host: why for host, why in found.items() if isinstance(why, str)}
    if not ours and not unseen:
        name = shown(run, quote="")
        raise RefusedError(f"nothing was changed: run {name} holds no lock\n{_shown(session, found)}")
    holders = held_lines({host: found[host] for host in ours})
    if ours and confirm is not None and not confirm("\n".join((*holders, "Has that process ended?"))):
        raise RefusedError("nothing was changed: you said no")
    freed, job_id = [], names.of_unlock(secrets.token_hex(4))
    session.moment.change(f"locks may have been taken away already; see: {session.unlock_command('')}")
    for host in ours:
        try:
            result = take_away(session.hosts, host, run, job_id)
        except (HostUnreachableError, LoginRefusedError) as error:
            unseen[host] = error.reason
            continue
        if result.output.startswith("released"):
            freed.append(host)
        else:
            unseen[host] = result.output.strip().partition("\n")[0]
    reported = f"run {shown(run, quote='')}: unlocked {', '.join(freed) or 'no host'}"
    if unseen:
        host, why = next(iter(unseen.items()))
        others = f" (so do {', '.join(list(unseen)[1:])})" if len(unseen) > 1 else ""
        raise HostUnreachableError(
            host, f"{why}; its lock stays as it is{others}. {reported}. Again: {session.unlock_command(run)}"
        )
    return reported


def _held_by(found: Locks, holder: Holder) -> list[str]:
    return [host for host, other in found.items() if other == holder]


def _reported(holder: Holder | str | None) -> str:
    if isinstance(holder, str):
        return f"cannot be asked: {holder}"
    return f"locked by {holder}" if holder else "free"
