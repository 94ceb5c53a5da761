"""Which setting of etcd changes in which round, from what runs now to what runs at the end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.etcd import install
from orchestrator.etcd.settings import LISTEN_CLIENT, Settings, current
from orchestrator.etcd.stages import Stage, stages_of
from orchestrator.host.operations import Job, Remove, Write
from orchestrator.plan.facts import Target
from orchestrator.report.review.model import Change, Setting
from orchestrator.runbook.model import Runbook


@dataclass(frozen=True, slots=True)
class Turn:
    """A round that changes a host's settings: all of them before it and behind it."""

    round: str
    before: Settings
    behind: Settings


def turns(target: Target, runbook: Runbook, jobs: Sequence[Job], *, goes_back: bool) -> tuple[Turn, ...]:
    """Return a host's turns in the order in which its jobs bring them."""
    values = _values(target)
    found = []
    for job in jobs:
        if job.host != target.name or job.successor:
            continue
        touched = [
            stage for stage in stages_of(target) if _is_touched(target, stage, job, goes_back=goes_back)
        ]
        if touched:
            first, last = values[touched[0].name], values[touched[-1].name]
            before, behind = (last[1], first[0]) if goes_back else (first[0], last[1])
            found.append(Turn(runbook.step(job.step).round, before, behind))
    return tuple(found)


def _values(target: Target) -> Mapping[str, tuple[Settings, Settings]]:
    """Return every setting before and behind each stage."""
    now: Settings = dict(target.found.environment)
    found = {}
    for stage in stages_of(target):
        behind = {**now, **stage.of(target)}
        found[stage.name] = (now, behind)
        now = behind
    return found


def _is_touched(target: Target, stage: Stage, job: Job, *, goes_back: bool) -> bool:
    """Whether a job puts a stage's file there, or, on the way back, has it be as it was.

    The file may go on the way there too, once the operator's own say the same: that changes nothing.
    """
    files = install.of(target).files(stage)
    if not files:
        return False
    ours = files[-1]
    is_put = ours in job.operations
    is_gone = any(
        one.path == ours.path and one != ours for one in job.operations if isinstance(one, Remove | Write)
    )
    return is_gone if goes_back else is_put


def changed(target: Target, found: Sequence[Turn]) -> Iterable[Setting]:
    """Return the settings of a host that change, each with its changes."""
    names = dict.fromkeys(name for turn in found for name in (*turn.behind, *turn.before))
    for name in names:
        changes = tuple(
            Change(turn.round, turn.before.get(name), turn.behind.get(name))
            for turn in found
            if turn.before.get(name) != turn.behind.get(name)
        )
        if changes:
            yield Setting(name, target.name, changes)


def client_ports(settings: Settings) -> Mapping[int, tuple[str, ...]]:
    """Return the schemes that each client port speaks."""
    found: dict[int, tuple[str, ...]] = {}
    for url in current(settings, LISTEN_CLIENT):
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        found[port] = tuple(sorted({*found.get(port, ()), parts.scheme}))
    return found


def clients(before: Settings, behind: Settings) -> Iterable[str]:
    """Say of each client port what its clients find behind a restart."""
    old, new = client_ports(before), client_ports(behind)
    for port in sorted({*old, *new}):
        was, will = (" and ".join(each.get(port, ())) for each in (old, new))
        more = " and ".join(one for one in new.get(port, ()) if one not in old.get(port, ()))
        less = " and ".join(one for one in old.get(port, ()) if one not in new.get(port, ()))
        if was == will:
            yield f"clients on :{port} keep {was}"
        elif not was:
            yield f":{port} opens with {will}"
        elif not will:
            yield f":{port} closes ({was})"
        elif not less:
            yield f"clients on :{port} keep {was}, and find {more} too"
        else:
            yield f":{port} speaks {will} from then on, no {less}"
