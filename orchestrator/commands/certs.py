"""``certs``: a CA and a key pair for everybody that a plan names, or new key pairs from the CA it has."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator import commandline
from orchestrator.engine.state_file import progress_of
from orchestrator.errors import RefusedError, UsageError
from orchestrator.migrations import MIGRATIONS
from orchestrator.pki import making
from orchestrator.pki.issuing import Terms
from orchestrator.pki.making import Made
from orchestrator.pki.tree import tree
from orchestrator.pki.wanted import extra_names
from orchestrator.plan.loading import load
from orchestrator.session import default_state

MOST_DAYS = 36_500  # a date beyond the year 9999 cannot be written


_MADE = """\
Keep the CA's key off the hosts: whoever has {ca_key} can make certificates.
Next: {next}
"""
_RENEWED = """\
The CA is the old one, and nothing was copied to any host: the hosts go on with their old files.
etcd 3.2 and later reads certificate and key again at every handshake: once both lie on a host they are in
use, without a restart. Older ones want a restart, one member at a time.
"""


def make(plan: Path, *, renew: bool, key_type: str, days: int, ca_days: int, sans: Sequence[str]) -> str:
    """Make the files that a plan names, and return what to tell about them.

    ``key_type`` is one of ``orchestrator.pki.keys.KEY_TYPES``; ``sans`` are further names, ``HOST=NAME``.
    RefusedError if a file is in the way, or if the CA to renew from cannot sign.
    """
    for option, value in (("--days", days), ("--ca-days", ca_days)):
        if not 1 <= value <= MOST_DAYS:
            raise UsageError(f"{option} {value}: write a number of days from 1 to {MOST_DAYS}")
    cluster = load(plan, MIGRATIONS, files=False).cluster
    extra = extra_names(sans, cluster)
    terms = Terms(key_type, days, datetime.now(UTC))
    if renew:
        _refuse_under_way(plan)
    try:
        made = making.renew(cluster, extra, terms) if renew else making.make(cluster, extra, terms, ca_days)
    except RefusedError as error:
        reported = commandline.spelled(str(error), commandline.of_plan(plan))
        raise RefusedError(reported) from error
    return _reported(made, _RENEWED if renew else _MADE, plan)


def _refuse_under_way(plan: Path) -> None:
    """Refuse to replace files that a run has begun with: it could neither go on with others nor back."""
    state = default_state(plan)
    if progress_of(state).is_under_way:
        on = commandline.command("run", commandline.argument(plan), "--resume")
        back = commandline.command("rollback", commandline.argument(plan))
        raise RefusedError(
            f"nothing was made: {state} holds a run that is under way, bound to the files with which it "
            f"began. First let it end, or take it back: {on} or {back}"
        )


def _reported(made: Made, closing: str, plan: Path) -> str:
    notes = "".join(f"note: {note}\n" for note in made.notes)
    following = commandline.command("run", commandline.argument(plan), "--dry-run")
    closing = closing.format(ca_key=made.ca.key_path, next=following)
    return f"{tree(made.ca, made.leaves, Path.cwd())}\n{notes}{closing}"
