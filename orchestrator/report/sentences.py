"""What happened, one line for each change, in words for people; pure."""

from datetime import datetime
from typing import assert_never

from orchestrator.engine.events import (
    Account,
    Event,
    HandedOver,
    Opened,
    Recovered,
    RoundBegan,
    RunBegan,
    RunEnded,
    Saved,
    StepFailed,
    StepStarted,
    StepSucceeded,
    Waiting,
)
from orchestrator.output import Part, Style, Styled
from orchestrator.report.view import View
from orchestrator.text import counted

_DOING = {"forward": "run", "back": "rollback"}


def spoken(seconds: float) -> str:
    """Return a time as a person says it: 0 s, 0.4 s, 4 s, 1 min 12 s, 2 h 5 min."""
    if 0 < seconds < 1:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def of_event(event: Event, view: View) -> tuple[Part, ...]:
    """Say what an event tells; ``view`` is the run with it, and nothing is said of what is no news."""
    if isinstance(event, HandedOver | StepStarted | StepSucceeded | StepFailed):
        return _of_step(event, view)
    match event:
        case Opened() | Recovered():
            return ()
        case Waiting():
            return waiting(event)
        case RunEnded():
            return _ended(event, view)
        case Saved():
            said = f"kept in {event.directory}: each host's unit, and the data on {event.host}"
        case RunBegan():
            said = _began(event, view)
        case RoundBegan():
            last = f", {event.last} leads" if event.last else ""
            said = f"round {event.round}: {', '.join(event.hosts)} ({event.order}{last})"
        case _:
            assert_never(event)
    return (said,)


def _of_step(event: HandedOver | StepStarted | StepSucceeded | StepFailed, view: View) -> tuple[Part, ...]:
    match event:
        case HandedOver():
            return (f"{event.host} hands the leadership over to {event.successor}",)
        case StepStarted():
            return (f"{step_of(view)}: {event.step}{_manner(event)}",)
        case StepSucceeded():
            how = "was found done" if event.is_adopted else f"done in {spoken(event.took_s)}"
            return (Styled("ok", "green"), f" {event.step} {how}: {event.host} is {event.target}")
        case StepFailed():
            return (Styled("failed", "red"), f" {event.step}: {event.reason}")


def waiting(event: Waiting) -> tuple[Part, ...]:
    """Say what does not hold yet."""
    return Styled("waiting", "yellow"), f" for: {'; '.join(event.reasons)}"


def step_of(view: View) -> str:
    """Say which step it is, of how many."""
    return f"step {view.number} of {view.total}"


def _manner(event: StepStarted) -> str:
    manner = [f"{event.source} to {event.target}"]
    if event.restarts:
        manner.append("restarts it")
    if event.attempt > 1:
        manner.append(f"attempt {event.attempt}")
    return f" ({', '.join(manner)})"


def _began(event: RunBegan, view: View) -> str:
    ahead = view.total - view.number + 1
    verb = "goes on" if event.is_resumed and event.direction == "forward" else "begins"
    return (
        f"{_DOING[event.direction]} {view.course.opened.run} {verb}: {counted(ahead, 'step')} to take, "
        f"by {event.user}@{event.host}, process {event.pid}"
    )


def _ended(event: RunEnded, view: View) -> tuple[Part, ...]:
    style: Style = "green" if event.outcome in {"finished", "paused"} else "red"
    reason = f": {event.reason}" if event.reason else ""
    return (Styled(event.outcome, style), f"{reason}; {summary(view)}")


def summary(view: View) -> str:
    """Say what a process has done, at its end."""
    began, ended = view.began, view.ended
    took = f" in {spoken(max(0.0, (ended.at - began.at).total_seconds()))}" if began and ended else ""
    longest = f", the longest {view.longest.step} with {spoken(view.longest.took_s)}" if view.longest else ""
    account = f"; {of_account(view.account)}" if view.account else ""
    return f"{counted(view.taken, 'step')} taken{took}, {counted(view.restarts, 'restart')}{longest}{account}"


def of_account(account: Account) -> str:
    """Say what the probe went through."""
    lost = f", {account.lost} lost" if account.lost else ""
    stall = account.longest_stall_s
    longest = f"{stall:.2f} s" if stall < 10 else spoken(stall)
    return f"probe: {account.failed:,} of {account.operations:,} failed{lost}, longest stall {longest}"


def quorum(view: View) -> str:
    """Say how many members are there, and how many more may go away."""
    count, away = len(view.course.members), view.away
    spare = max(0, view.can_lose)
    if view.can_lose < 0:
        return f"quorum: {count - len(away)} of {count} healthy, {_without(view)}: no quorum until then"
    if away:
        return f"quorum: {count - len(away)} of {count} healthy, {_without(view)}; can lose {spare} more"
    if view.waiting and view.flight is None:
        return f"quorum: {counted(count, 'member')}, can lose {spare} while all are healthy"
    return f"quorum: {count} of {count} healthy, can lose {spare}"


def lag(view: View) -> str:
    """Say which members were behind in raft's log when somebody last looked; nothing if nobody has."""
    if view.behind_at is None:
        return ""
    late = [f"{name} {count:,}" for name, count in view.behind.items() if count]
    seen = f"noted at {view.behind_at.astimezone():%H:%M:%S}"
    return f"raft: {', '.join(late)} entries behind ({seen})" if late else f"raft: nobody behind ({seen})"


def _without(view: View) -> str:
    names = ", ".join(view.away)
    return f"{names} restarts" if view.flight else f"{names} is not known to be back"


def waited_for(view: View, at: datetime) -> str:
    """Say in one sentence what the run is waiting for now."""
    if view.ended:
        return "nothing is under way"
    if view.waiting:
        first, *others = view.waiting
        more = f" (and {len(others)} more)" if others else ""
        since_s = age_s(view.waiting_since, at) if view.waiting_since else 0.0
        return f"waiting for {spoken(since_s)}: {first}{more}"
    if view.handing:
        return f"{view.handing.host} hands the leadership over to {view.handing.successor}, then restarts"
    if view.flight:
        return f"{view.flight.host} is being changed, then its gates are looked at"
    return "looking at every host before the next step"


def way_back(view: View) -> str:
    """Say how long the way back is."""
    steps = view.steps_back
    return f"if you go back now: {counted(steps, 'step')}" if steps else "if you go back now: nothing to undo"


def in_flight(view: View, at: datetime) -> str:
    """Say what is under way, and since when: a sign of life."""
    flight = view.flight
    step = f": {flight.step} is under way for {spoken(age_s(flight.at, at))}" if flight else ""
    return f"{step_of(view)}{step}; {waited_for(view, at)}"


def age_s(since: datetime, at: datetime) -> int:
    """How long something has lasted, in whole seconds; nothing at all if the clock was set back."""
    return max(0, int((at - since).total_seconds()))
