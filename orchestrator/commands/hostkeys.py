"""``hostkeys``: show the key of every SSH server on the way, and write down those that are new."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator import commandline
from orchestrator.errors import LoginRefusedError
from orchestrator.migrations import MIGRATIONS
from orchestrator.output import out
from orchestrator.plan.loading import load
from orchestrator.remote.connecting import quieten_paramiko
from orchestrator.remote.host_keys import Shown, accept, look, stages
from orchestrator.remote.route import ways_of
from orchestrator.remote.unlocking import Ask, Unlocked
from orchestrator.remote.ways import Ways


def review(plan: Path, *, ask: Ask, confirm: Callable[[str], bool] | None) -> None:
    """Print every key; a new one is written down once ``confirm`` agrees, or at once if it is None.

    LoginRefusedError if one is not trusted at the end: a changed or revoked key is never written down.
    """
    quieten_paramiko()
    cluster = load(plan, MIGRATIONS, files=False).cluster
    routes = list(zip((host.name for host in cluster.hosts), ways_of(cluster), strict=True))
    unlocked = Unlocked()
    unlocked.unlock((login for _, way in routes for login in way.logins[:-1]), ask)
    ways = Ways(unlocked, time.sleep)
    refused: list[Shown] = []
    try:
        for servers in stages(routes):
            seen = look(ways, servers)
            out(_table(seen))
            new = [one for one in seen if one.is_new]
            if new and (confirm is None or confirm(_question(new))):
                _write(new)
                new = []
            refused += [*new, *(one for one in seen if not one.is_trusted and not one.is_new)]
    finally:
        ways.close()
    if refused:
        first, *more = refused
        others = f" (nor are {', '.join(one.name for one in more)})" if more else ""
        raise LoginRefusedError(first.name, f"is not trusted{others}: {first.reason}")
    out(f"every host is trusted. Next: {commandline.command('check', commandline.argument(plan))}")


def _table(seen: Sequence[Shown]) -> str:
    rows = [
        (
            one.name,
            one.login.address,
            f"{one.key.kind} {one.key.fingerprint}" if one.key else "",
            _standing(one),
        )
        for one in seen
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]))
        for row in rows
    )


def _standing(one: Shown) -> str:
    if one.key is None:
        return f"not seen: {one.reason}"
    if one.is_trusted:
        return "pinned in the plan" if one.login.host_key else "known"
    return "NEW" if one.is_new else "NOT TRUSTED"


def _question(new: Sequence[Shown]) -> str:
    files = ", ".join(dict.fromkeys(str(one.login.known_hosts[0]) for one in new))
    what = "this key" if len(new) == 1 else f"these {len(new)} new keys"
    return (
        "Compare with what this prints on the host's own console: "
        f"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\nWrite {what} into {files}?"
    )


def _write(new: Sequence[Shown]) -> None:
    try:
        accept(new)
    except OSError as error:
        raise LoginRefusedError(
            new[0].name, f"{new[0].login.known_hosts[0]} cannot be written: {error.strerror}"
        ) from error
    for one in new:
        out(f"{one.name}: written into {one.login.known_hosts[0]}")
