"""The clients that the plan moves to https: their files, their units, and what the plan asks of them."""

from collections.abc import Iterable
from typing import Any

from orchestrator.etcd import client_units, files
from orchestrator.etcd.checks import local_clients
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import watched
from orchestrator.host.checks import Check, Predicate, Remark, changed, fine, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target


@gate
def holding_client_files(target: Target) -> Check:
    """The files of the clients that are moved hold what the plan gives them; mode and owner are as found."""
    return _holding(target, are_moved=True)


@gate(fix="the file was changed while it was looked at: check again")
def holding_client_files_as_found(target: Target) -> Check:
    """The files of the clients that are moved are as they were found before the first change."""
    return _holding(target, are_moved=False)


def _holding(target: Target, *, are_moved: bool) -> Check:
    found = target.client_files
    lying = files.lying(target, (file.path for file in found))

    def judge(answers: Answers) -> Iterable[Remark]:
        there = lying.read(answers)
        for file in found:
            now = there.get(file.path)
            if now is None:
                yield changed(file.path, "is missing")
                continue
            how = (now.file.mode, now.file.owner, now.file.group)
            if now.file.sha256 != (file.replaced_sha256 if are_moved else file.sha256):
                yield changed(file.path, f"is not as {'the plan has it' if are_moved else 'it was found'}")
            if how != (file.mode, file.owner, file.group):
                yield changed(file.path, f"is {how[0]:04o} {how[1]}:{how[2]}, which it was not")

    return Check(target.name, (lying,), judge, judge)


@gate
def client_units_active(target: Target) -> Check:
    """Clients that are moved are active, and since then their journals have stayed free of errors."""
    moved, watch = client_units.units(target), target.cluster.watch
    journals = [
        watched.since_change(target, unit.unit, tuple(file.path for file in unit.files)) for unit in moved
    ]

    def judge(answers: Answers) -> Iterable[Remark]:
        for journal in journals:
            since_s, (unit,) = journal.read(answers)
            if since_s < watch.quiet_s:
                yield wrong(f"{unit.unit}: watched for {since_s:.0f} of {watch.quiet_s:g} s")
            yield from local_clients.since(unit, watch.errors, watch.quiet_s)

    return Check(target.name, tuple(journals), judge)


@gate
def client_units_healthy(target: Target) -> Check:
    """Clients that are moved are well, as far as the plan has a command that says so."""
    facts, judge = _asked(target)
    return Check(target.name, facts, judge)


def _asked(target: Target) -> tuple[tuple[Fact[Any], ...], Predicate]:
    asked = {
        unit.unit: watched.complaint(target, unit.healthy)
        for unit in client_units.units(target)
        if unit.healthy
    }

    def judge(answers: Answers) -> Iterable[Remark]:
        for unit, fact in asked.items():
            said = fact.read(answers)
            if said:
                yield wrong(f"{unit} is not well, says its command 'healthy': {said}")

    return tuple(asked.values()), judge


def moved_clients(site: Site) -> Iterable[Check]:
    """Ask each host for the clients that will be moved there."""
    if site.cluster.clients.units:
        return map(_of_host, (*site.members, *site.clients))
    return (Check(CLUSTER, (), lambda _: (fine("the plan names no client to move"),)),)


def _of_host(target: Target) -> Check:
    names = tuple(unit.unit for unit in client_units.units(target))
    units = watched.units(target, names)
    asked, of_commands = _asked(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        found, known = units.read(answers)
        if len(found) != len(names):
            raise ValueError(f"{len(found)} of {len(names)} units were reported")
        watch = target.cluster.watch
        troubles = [
            remark
            for one in found
            for remark in local_clients.of_unit(one, watch.errors, known, "clients.units")
        ]
        troubles += of_commands(answers)
        yield from troubles
        if not troubles:
            yield fine(f"{', '.join(names)}: active and well" if names else "no client is moved here")

    return Check(target.name, (units, *asked), judge)
