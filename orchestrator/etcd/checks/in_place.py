"""Whether a host's own files say what ours do, so that ours can go: ``persist: in_place``."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from orchestrator.etcd import install
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.checks.settled import of_process, running_with
from orchestrator.etcd.install import next_start
from orchestrator.etcd.stages import stages_of
from orchestrator.host.checks import Check, Predicate, Remark, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target
from orchestrator.text import shown


@gate
def own_files_edited(target: Target) -> Check:
    """The running process has the final settings, and its next start would have them without ours too.

    One with a configuration file reads ours: what it runs with is seen in that file alone, and theirs may go
    back to what it said.
    """
    installed = install.of(target)
    running, copies = installed.running, installed.copies
    runs = running_with(target, installed.final, *stages_of(target), are_edited=True)
    asked, alone = _without_ours(target)

    def reads_ours(answers: Answers) -> Iterable[Remark]:
        file = running.read(answers).configuration
        if copies and file not in copies:
            yield wrong(f"runs with {shown(file)}, and not with ours")

    return replace(
        runs,
        facts=tuple(dict.fromkeys((*runs.facts, *asked))),
        predicate=_together(runs.predicate, reads_ours, alone),
        manual_changes=_together(runs.manual_changes, alone),
    )


@gate
def running_from_own_files(target: Target) -> Check:
    """No file of ours configures etcd any more, and its next start has the final settings that it runs with.

    Whoever writes the operator's files may write them anew by now, as long as they say the same: that one was
    changed by hand counts only where a run would write over it.
    """
    installed = install.of(target)
    runs, (lying, of_files) = installed.running, installed.only(are_edited=True)
    asked, alone = _without_ours(target)
    own = {file.path for file in target.found.own_files}

    def of_ours(answers: Answers) -> Iterable[Remark]:
        return (remark for remark in of_files(answers) if remark.path not in own)

    judge = _together(of_process(runs, installed.final), of_ours, alone)
    return Check(target.name, (runs, lying, *asked), judge, _together(of_files, alone))


def _without_ours(target: Target) -> tuple[tuple[Fact[Any], ...], Predicate]:
    return next_start.looked_at(target, lambda read, texts: next_start.without_ours(target, read, texts))


def _together(*predicates: Predicate | None) -> Predicate:
    return lambda answers: (remark for each in predicates if each for remark in each(answers))
