"""Status: in which state each member is seen to stand now, beside what the state file says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.engine.progress import Progress
from orchestrator.errors import HostUnreachableError, OrchestratorError, PersonNeededError, StoppedError
from orchestrator.host.checks import Check
from orchestrator.host.lock import Holder
from orchestrator.plan.facts import Target
from orchestrator.remote.each_host import Heard, ask_each
from orchestrator.remote.executor import Hosts, refused
from orchestrator.runbook.model import Runbook

FORMAT = 1  # of the JSON


@dataclass(frozen=True, slots=True)
class Seen:
    """One member: the last state whose gates all hold, or None and why not for the recorded state.

    Without a state file (``is_noted``) that is where a run would begin.
    While some hosts do not answer, only gates that ask none of them count, and the remark says so.
    """

    member: str
    address: str
    state: str | None
    recorded: str
    remark: str
    is_silent: bool = False
    is_noted: bool = True


def observe(
    runbook: Runbook, hosts: Hosts, progress: Progress, targets: Sequence[Target]
) -> tuple[Seen, ...]:
    """Look at every member, once; changes nothing, and raises nothing for a host that does not answer."""
    every = (gate for gates in runbook.gates.values() for gate in gates)
    heard = ask_each(hosts, (question for gate in every for question in gate.questions))
    return tuple(_member(runbook, heard, progress, target) for target in targets)


def _member(runbook: Runbook, heard: Heard, progress: Progress, target: Target) -> Seen:
    name, is_noted = target.name, progress.opened is not None
    recorded = progress.states.get(name, runbook.origins[name])
    unsettled = progress.unsettled.get(name)
    remarks = []
    if unsettled:
        remarks.append(f"{unsettled.step} {'failed' if unsettled.is_failed else 'is in doubt'}")
    if name in heard.errors:
        remarks.append(str(heard.errors[name]))
        reported = "; ".join(remarks)
        return Seen(name, target.host.address, None, recorded, reported, is_silent=True, is_noted=is_noted)
    silent = {host for gate in runbook.gates[name, recorded] for host in _silent(gate, heard)}
    gates = {
        state: [gate for gate in runbook.gates[name, state] if not _silent(gate, heard)]
        for state in runbook.tracks[name]
    }
    reasons = "; ".join(map(str, refused(gates[recorded], heard.answers)))
    state = next((one for one in reversed(gates) if not refused(gates[one], heard.answers)), None)
    if state is not None and not reasons and (silent or gates[state] == gates[recorded]):
        state = recorded  # what tells the two apart cannot be seen now, but it was seen once
    if state is None:
        remarks.append(reasons)
    elif state != recorded and not unsettled:
        says = f"the state file says {recorded}" if is_noted else f"a run begins in {recorded}"
        remarks.append(": ".join(filter(None, (says, reasons if is_noted else ""))))
    if silent:
        remarks.append(f"as far as can be seen without {', '.join(sorted(silent))}")
    return Seen(name, target.host.address, state, recorded, "; ".join(remarks), is_noted=is_noted)


def _silent(gate: Check, heard: Heard) -> set[str]:
    return {question.host for question in gate.questions} & set(heard.errors)


def judge(seen: Sequence[Seen], progress: Progress, finals: Mapping[str, str]) -> OrchestratorError | None:
    """Say what is not as it has to be; None if every host stands where it should."""
    for one in seen:
        if one.is_silent:
            return HostUnreachableError(one.member, one.remark.removeprefix(f"{one.member}: "))
    if progress.opened is None and all(one.state == finals[one.member] for one in seen):
        return None  # migrated, whoever did it
    astray = [one for one in seen if one.state != one.recorded and one.member not in progress.unsettled]
    if astray:
        reported = ", ".join(
            f"{one.member} (stands in {one.state or 'no state'}: {one.remark})" for one in astray
        )
        return PersonNeededError(f"not where they should stand: {reported}")
    if progress.unsettled or (progress.is_under_way and progress.outcome != "paused"):
        doubts = ", ".join(sorted(doubt.step for doubt in progress.unsettled.values()))
        return StoppedError(f"the run has stopped in the middle{f', at {doubts}' if doubts else ''}")
    return None


def as_json(
    seen: Sequence[Seen],
    progress: Progress,
    runbook: Runbook,
    error: OrchestratorError | None,
    locks: Mapping[str, Holder | str | None],
) -> str:
    """Return where every host stands as one line of JSON; ``exit_code`` is what ``status`` ends with.

    ``locks`` are who holds each host's lock, why that could not be read, or None for nobody.
    """
    holders = dict.fromkeys(holder for holder in locks.values() if isinstance(holder, Holder))
    opened = progress.opened
    return json.dumps(
        {
            "format": FORMAT,
            "run": opened.run if opened else None,
            "outcome": progress.outcome,
            "direction": progress.direction,
            "is_under_way": progress.is_under_way,
            "steps_ahead": progress.steps_ahead(runbook.tracks),
            "steps_back": progress.steps_back(runbook.tracks),
            "exit_code": error.exit_code if error else 0,
            "hosts": [
                {
                    "name": one.member,
                    "address": one.address,
                    "state": one.state,
                    "recorded": one.recorded if one.is_noted else None,
                    "is_silent": one.is_silent,
                    "remark": one.remark,
                }
                for one in seen
            ],
            "locks": [
                {
                    "run": holder.run,
                    "who": holder.who,
                    "since": holder.since,
                    "doing": holder.doing,
                    "state_file": holder.state,
                    "hosts": [host for host, found in locks.items() if found == holder],
                }
                for holder in holders
            ],
            "locks_unread": {host: why for host, why in locks.items() if isinstance(why, str)},
        }
    )


def table(seen: Sequence[Seen]) -> str:
    """Return the members as an aligned table for people."""
    rows = [("member", "address", "stands in", "recorded", "remark")]
    rows += [
        (item.member, item.address, item.state or "?", item.recorded if item.is_noted else "-", item.remark)
        for item in seen
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4])).rstrip()
        for row in rows
    )
