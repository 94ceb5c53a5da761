"""The same by hand: every job as shell commands for its host, in order, with what has to hold behind each."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.etcd import api, endpoints
from orchestrator.plan.facts import Target
from orchestrator.remote.script import PATH
from orchestrator.report.review import by_eye, shell, wording
from orchestrator.report.review.markdown import fenced, plain
from orchestrator.report.review.model import Review, ReviewedJob, ReviewedRound

BASTION = "bastion"
_SNAPSHOT = "/root/etcd-before-https.db"
_FIRST = """\
# The same by hand

For when this program is not there. Every block says where it is pasted: on this machine (`bastion`), or as root on the host that it names.
The order is the whole point: never begin a block before the one above has ended with `ok`, and never go on behind one that has not.
A block may be pasted again. Nothing of it is in a state file, and `status` says where every host stands.
"""  # noqa: E501 -- a line is a sentence


def rendered(review: Review, targets: Sequence[Target]) -> str:
    """Return the commands in Markdown; ``targets`` are all hosts, members first."""
    return "\n".join(_lines(review, {target.name: target for target in targets})) + "\n"


def _lines(review: Review, targets: Mapping[str, Target]) -> Iterable[str]:
    yield _FIRST
    first = next(iter(targets.values()))
    if review.direction == "forward" and review.jobs:
        yield from _backup(first)
    for round_ in review.rounds:
        yield f"## By hand: round {round_.name}"
        yield ""
        if any(job.radius and job.radius.role == "member" for job in round_.jobs):
            yield "One member at a time, and only while every other one is healthy; whoever leads goes last."
            yield ""
        if round_.first:
            clients = (
                "no client may speak plain http to a port that it closes (ss -tn shows who is connected)"
            )
            yield f"Before it begins {clients}: {plain(', '.join(round_.first))}."
            yield ""
        for job in round_.jobs:
            yield from _job(job, round_, targets[job.host], review.always)
        if round_.name == "prove":
            yield from _proof(round_, targets)


def _backup(first: Target) -> Iterable[str]:
    yield "## By hand: a backup"
    yield ""
    runs = api.of(first).backup(first, _SNAPSHOT, endpoints.as_found(first))
    yield from _block(first.name, [line for run in runs for line in shell.commands(run)])


def _job(job: ReviewedJob, round_: ReviewedRound, target: Target, always: Sequence[str]) -> Iterable[str]:
    yield f"### By hand: {job.number}. {plain(wording.title(job, round_.name))}"
    yield ""
    if job.radius:
        yield f"{plain(wording.radius(job.radius))}."
        yield ""
    if job.successor:
        yield f"Only if {plain(job.host)} leads now; else leave this out, and take it before the leader."
        yield ""
    for action in job.actions:
        if carried := shell.brought(action.operation, target):
            yield from _block(BASTION, carried)
    lines = [line for action in job.actions for line in shell.commands(action.operation)]
    if lines:
        yield from _block(job.host, lines)
    gates = (*job.gates, *(each for each in always if each not in job.gates))
    if job.gates:
        yield from _gates(job, target, gates)


def _gates(job: ReviewedJob, target: Target, gates: Sequence[str]) -> Iterable[str]:
    seen = [*by_eye.commands(target, gates)]
    if seen:
        yield "Then this has to hold:"
        yield ""
        yield from _block(job.host, seen)
    unseen = by_eye.left(target, gates)
    if unseen:
        named = plain(", ".join(unseen))
        yield f"The program looks for this too, and there is no short command for it: {named}."
        yield ""


def _proof(round_: ReviewedRound, targets: Mapping[str, Target]) -> Iterable[str]:
    yield "Within a minute of the first of these, each trial has to be reached over TLS from all others:"
    yield ""
    for job in round_.jobs:
        yield from _block(job.host, [*by_eye.trials_reached(targets[job.host])])


def _block(where: str, lines: Iterable[str]) -> Iterable[str]:
    """Yield a block to paste: a shell of its own, so that what fails ends the block and not the login."""
    yield f"On {plain(where)}:" if where == BASTION else f"On {plain(where)}, as root:"
    yield ""
    yield from fenced((f"( set -eu; PATH={PATH}", *lines, "echo ok )"), f"sh {where}")
    yield ""
