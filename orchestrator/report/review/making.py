"""Making a review of a runbook, of the jobs that a dry run noted down, and of what was seen on the hosts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from orchestrator.etcd.settings import ADVERTISE_CLIENT, current
from orchestrator.host import names
from orchestrator.host.operations import Job, Operation, Run
from orchestrator.report.review import folding, operations, settings
from orchestrator.report.review.model import (
    Action,
    Note,
    Radius,
    Review,
    ReviewedJob,
    ReviewedRound,
    Same,
    Way,
)
from orchestrator.report.review.seen import Seen, Texts
from orchestrator.report.review.settings import Turn
from orchestrator.runbook.model import Runbook, Step


def make(runbook: Runbook, jobs: Sequence[Job], seen: Seen) -> Review:
    """Return the review; ``jobs`` are those that a dry run noted down, in their order."""
    return _Making(runbook, jobs, seen).review()


class _Making:
    """The making of one review; ``_lying`` are the texts on each host as the jobs so far leave them."""

    def __init__(self, runbook: Runbook, jobs: Sequence[Job], seen: Seen) -> None:
        self._runbook, self._jobs, self._seen = runbook, jobs, seen
        self._targets = {target.name: target for target in seen.targets}
        self._lying: dict[str, Texts] = {name: dict(seen.lying.get(name, {})) for name in self._targets}
        self._turns: Mapping[str, tuple[Turn, ...]] = {
            name: settings.turns(target, runbook, jobs, goes_back=seen.goes_back)
            for name, target in self._targets.items()
            if target.runs_etcd
        }

    def review(self) -> Review:
        runbook, seen = self._runbook, self._seen
        risk = (Note("RISK", runbook.risk),) if runbook.risk and not seen.goes_back else ()
        rounds = tuple(self._rounds())
        return Review(
            cluster=runbook.cluster,
            migration=runbook.migration,
            direction="back" if seen.goes_back else "forward",
            runbook=runbook.digest,
            outline=runbook.outline,
            ways=tuple(self._ways()),
            always=tuple(_names(runbook.stages[0].steps[0], of="always")),
            rounds=rounds,
            hosts={name: self._values(name) for name in runbook.tracks},
            settings=tuple(
                one
                for name, target in self._targets.items()
                if target.runs_etcd
                for one in settings.changed(target, self._turns[name])
            ),
            notes=(*seen.notes, *risk),
            ends=tuple(self._ends()),
            lasting=(*self._one_way(), *seen.lasting),
            undoing=seen.undoing,
            times=seen.times,
            sources=seen.sources,
            assumed=seen.assumed,
        )

    def _ways(self) -> Iterable[Way]:
        """Say which way is before whom; whoever has no job left stands where it ends."""
        standing = {job.host: self._runbook.step(job.step).source for job in reversed(self._jobs)}
        ways = {host: (standing.get(host, end), end) for host, end in self._runbook.finals.items()}
        for source, end in dict.fromkeys(ways.values()):
            hosts = tuple(host for host, way in ways.items() if way == (source, end))
            yield Way(hosts, source, end, self._seen.meanings.get(end, ""))

    def _ends(self) -> Iterable[str]:
        """Say what is true at the end, for those who use the cluster."""
        ends = self._runbook.finals
        for end in dict.fromkeys(ends.values()):
            hosts = ", ".join(host for host, other in ends.items() if other == end)
            yield f"{hosts}: {self._seen.meanings.get(end) or end} ({end})."
        members = [one for one in self._seen.targets if one.name in one.facts.members]
        last = {one.name: self._turns[one.name][-1].behind for one in members if self._turns[one.name]}
        urls = [
            url for one in members if one.name in last for url in current(last[one.name], ADVERTISE_CLIENT)
        ]
        if urls:
            asked = all(final.get("ETCD_CLIENT_CERT_AUTH") == "true" for final in last.values())
            shown = ", with a certificate of the plan's CA" if asked else ""
            yield f"Clients use {', '.join(dict.fromkeys(urls))}{shown}."

    def _one_way(self) -> Iterable[str]:
        """Name the rounds that nothing undoes."""
        if self._seen.goes_back:
            return
        for stage in self._runbook.stages:
            undone = (names.of_step(names.undone(stage.round), step.host) for step in stage.steps)
            if not all(each in self._runbook.undoing for each in undone):
                yield f"the round {stage.round}"

    def _rounds(self) -> Iterable[ReviewedRound]:
        steps = {step: number for number, step in enumerate(dict.fromkeys(job.step for job in self._jobs), 1)}
        made = [
            self._job(steps[job.step], job, previous)
            for job, previous in zip(self._jobs, (None, *self._jobs), strict=False)
        ]
        for name, group in groupby(made, key=lambda job: self._runbook.step(job.step).round):
            jobs = tuple(group)
            step = self._runbook.step(jobs[0].step)
            order = next((stage.order for stage in self._runbook.stages if stage.round == name), "")
            first = tuple(dict.fromkeys(gate.name for gate in step.before))
            yield ReviewedRound(name, step.source, step.target, order, tuple(self._folded(jobs)), first)

    def _job(self, number: int, job: Job, previous: Job | None) -> ReviewedJob:
        step = self._runbook.step(job.step)
        return ReviewedJob(
            number=number,
            host=job.host,
            step=job.step,
            successor=job.successor,
            actions=tuple(self._actions(job)),
            gates=() if job.successor else tuple(_names(step, of="gates")),
            radius=self._radius(job, previous, step),
        )

    def _actions(self, job: Job) -> Iterable[Action]:
        known = self._lying.get(job.host, {})
        varied = self._varied(job)
        for place, operation in enumerate(job.operations):
            made = operations.action(operation, known)
            is_assumed = varied is not None and varied[place : place + 1] != (operation,)
            yield Action(made.operation, made.line, made.content, is_assumed)
            known = operations.after(operation, known)
        self._lying[job.host] = known

    def _varied(self, job: Job) -> tuple[Operation, ...] | None:
        if self._seen.varied is None:
            return None
        step = self._seen.varied.step(job.step)
        return step.hand_overs[job.successor] if job.successor else step.operations

    def _radius(self, job: Job, previous: Job | None, step: Step) -> Radius | None:
        target = self._targets.get(job.host)
        if target is None or not target.runs_etcd:
            return None
        unit = f"{target.etcd.service}.service"
        if not any(restarts(operation, unit) for operation in job.operations):
            return None
        handed = previous.successor if previous and previous.step == job.step else None
        turn = next((one for one in self._turns[job.host] if one.round == step.round), None)
        before, behind = (turn.before, turn.behind) if turn else (target.found.environment,) * 2
        return Radius(
            host=job.host,
            role="member" if job.host in target.facts.members else "proxy",
            members=len(target.facts.members),
            away_s=self._seen.away_s.get(job.host),
            successor=handed,
            clients=tuple(settings.clients(before, behind)),
        )

    def _folded(self, jobs: Sequence[ReviewedJob]) -> Iterable[ReviewedJob]:
        """Say of each job which earlier one of its round does the same."""
        shown: list[ReviewedJob] = []
        for job in jobs:
            same = next(filter(None, (self._same(one, job) for one in shown)), None)
            if same is None:
                shown.append(job)
                yield job
            else:
                yield replace(job, same=same)

    def _same(self, one: ReviewedJob, other: ReviewedJob) -> Same | None:
        if one.successor or other.successor:
            return None
        values = folding.same(one.actions, other.actions, self._values(one.host), self._values(other.host))
        return None if values is None else Same(one.number, one.host, values)

    def _values(self, host: str) -> folding.Values:
        target = self._targets.get(host)
        if target is None:
            return {"name": host}
        member = target.facts.members.get(host)
        own = {"name": host, "address": target.host.address}
        if member is None:
            return own
        named = {} if member.name == host else {"etcd's name": member.name}
        return {**own, "member ID": member.id, **named}


def restarts(operation: Operation, unit: str) -> bool:
    """Whether an operation restarts this unit."""
    return isinstance(operation, Run) and operation.restarts_unit and operation.argv[-1] == unit


def _names(step: Step, *, of: str) -> list[str]:
    gates = (*step.gates, *step.proof) if of == "gates" else step.always
    return [gate.name.removeprefix(f"{step.host}: ") for gate in gates]
