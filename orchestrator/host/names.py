"""What rounds, steps and jobs are called: each name is made here, and read here; pure.

People read them in the state file and on the hosts, such as ``accept/server1`` and
``ab12cd34-accept-server1-2``. Rounds and hosts may have a ``-`` in theirs: a job's name can only be read by
whoever knows which rounds there are, and on which host it lay.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.text import shown

_COUNT = re.compile(r"(handover-)?([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Numbered:
    """What the name of a step's job says: which round it was, and the how manieth attempt or handover."""

    round: str
    number: int
    is_handover: bool


def undone(round_: str) -> str:
    """Name the round that undoes another."""
    return f"undo-{round_}"


def of_step(round_: str, host: str) -> str:
    """Name a step, e.g. accept/server1."""
    return f"{round_}/{host}"


def round_and_host(step: str) -> tuple[str, str]:
    """Return of which round and of which host a step is."""
    round_, _, host = step.partition("/")
    return round_, host


def of_attempt(run: str, round_: str, host: str, attempt: int) -> str:
    """Name a step's job: one name for each attempt, in the whole life of a run."""
    return f"{_stem(run, round_, host)}{attempt}"


def of_handover(run: str, round_: str, host: str, number: int) -> str:
    """Name the job by which a member that has to go last gives that role away."""
    return f"{_stem(run, round_, host)}handover-{number}"


def read(name: str, run: str, host: str, rounds: Iterable[str]) -> Numbered:
    """Read the name of a step's job on a host; ValueError if none of the rounds has such a job."""
    for round_ in rounds:
        stem = _stem(run, round_, host)
        counted = _COUNT.fullmatch(name, len(stem)) if name.startswith(stem) else None
        if counted:
            return Numbered(round_, int(counted[2]), is_handover=counted[1] is not None)
    raise ValueError(f"{shown(name)}: no step of run {run} has such a job")


def of_keeping(run: str, host: str, call: str) -> str:
    """Name the job that keeps what is on a host before the first change; each ``call`` does it anew."""
    return f"{run}-keep-{host}-{call}"


def of_lock(mark: str) -> str:
    """Name the job that takes a host's lock; ``mark`` is its holder's."""
    return f"lock-{_word(mark)}"


def of_release(mark: str) -> str:
    """Name the job that lets go of a host's lock."""
    return f"release-{_word(mark)}"


def of_unlock(call: str) -> str:
    """Name the job that takes somebody else's lock away."""
    return f"unlock-{call}"


def of_backup(call: str) -> str:
    """Name the job that saves a cluster's data."""
    return f"backup-{call}"


def _stem(run: str, round_: str, host: str) -> str:
    return f"{run}-{round_}-{host}-"


def _word(mark: str) -> str:
    return mark.replace(" ", "-")
