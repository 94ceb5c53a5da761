"""A host's etcd as its facts have it: each setting goes where etcd would find it, by drop-ins of ours.

A stage's drop-in holds Environment= lines, names a file for EnvironmentFile=, or restates ExecStart=,
whichever its settings need. What is replaced as a whole (a command, a configuration file) holds the stages
before it too, so that taking the last one away brings back what was before it.
"""

import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from orchestrator.etcd import effective, files
from orchestrator.etcd.facts import process
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.files import Lying
from orchestrator.etcd.install import config_file, drop_ins, environment_file, flags, systemd_env, unit
from orchestrator.etcd.settings import Settings
from orchestrator.etcd.stages import CERTIFICATES, CLOSED, HTTPS, LOCAL_PORT, OVERLAP, Stage, stages_of
from orchestrator.host.checks import Remark
from orchestrator.host.operations import MakeDirectory, Operation, RemoveDirectory, Write
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Configuration, Source, Target

Carrier = Literal["line", "file", "flag", "key"]
_LINES_ALONE = Source()
_STAGES = (LOCAL_PORT, CERTIFICATES, OVERLAP, HTTPS, CLOSED)  # whose files a host may have


class Composed:
    """A host whose etcd has its settings from variables, flags or a configuration file, or from several."""

    def __init__(self, target: Target, directory: str = "", copies: str = "") -> None:
        self._target = target
        self._directory = directory or drop_ins.directory(target.etcd)
        self._copies = copies  # where copies of a configuration file lie, if not beside it
        self._source = target.found.source or _LINES_ALONE

    @property
    def running(self) -> Fact[Process]:
        """What runs now."""
        return process.running(self._target)

    @property
    def next_start(self) -> Fact[unit.Unit]:
        """What the next start would use."""
        return unit.of(self._target)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file of ours, whatever the host's role."""
        return tuple(path for stage in _STAGES for path in self._paths(stage))

    @property
    def copies(self) -> tuple[str, ...]:
        """Those of them that are configuration files of etcd."""
        return tuple(self._copy_path(stage) for stage in _STAGES) if self._source.configuration else ()

    @property
    def drop_ins(self) -> tuple[str, ...]:
        """Those of them that systemd reads as parts of the unit."""
        return tuple(map(self.path, _STAGES))

    @property
    def directories(self) -> tuple[str, ...]:
        """Where they lie."""
        configuration = self._source.configuration
        return (self._directory, *((posixpath.dirname(configuration.path),) if configuration else ()))

    def path(self, stage: Stage) -> str:
        """Where the drop-in of a stage lies."""
        return f"{self._directory}/{drop_ins.NAMES[stage.name]}.conf"

    @property
    def final(self) -> Settings:
        """Every setting that the host ends with, by the names of their variables."""
        stages = stages_of(self._target)
        return {name: value for stage in stages for name, value in stage.of(self._target).items()}

    def carrier(self, name: str) -> Carrier:
        """Where etcd gets a setting: where it got it before, or else where it gets its others."""
        source = self._source
        if source.configuration and name != effective.CONFIG_FILE:
            return "key"
        if name in source.flags:
            return "flag"
        if name in source.filed:
            return "file"
        if self._target.found.environment.get(name):
            return "line"
        return "flag" if source.flags else "file" if source.filed else "line"

    @property
    def first(self) -> Mapping[str, str]:
        """What our drop-ins set, each with the path of the first of them that sets it."""
        stages = reversed(stages_of(self._target))
        return {
            name: self.path(stage) for stage in stages if stage.of(self._target) for name in self._own(stage)
        }

    def files(self, *stages: Stage) -> tuple[Write, ...]:
        """The files of these stages, a drop-in behind those that it names; none for one that sets nothing."""
        return tuple(file for stage in stages for file in self._files(stage))

    def put(self, stage: Stage) -> Iterable[Operation]:
        """Put the stage's files there."""
        for file in self.files(stage):
            yield MakeDirectory(self._directory)
            yield file

    def take_away(self, stage: Stage) -> Iterable[Operation]:
        """Have there be what was there before the first change; a drop-in goes before what it names."""
        ours = {file.path: file for file in self.files(stage)}
        for path in reversed(self._paths(stage)):
            yield from files.undone(self._target, path, ours.get(path))

    def clear(self) -> Iterable[Operation]:
        """Remove the directory of the drop-ins, if it was not there."""
        if self._directory in self._target.found.missing_directories:
            yield RemoveDirectory(self._directory)

    def copied(
        self, directory: str, folder: str, differing: Settings, neutral: Settings
    ) -> tuple[tuple[Write, ...], tuple[str, ...], Settings]:
        """What gives a copy of the unit every final setting, and others where it cannot have the same."""
        copy, source = Composed(self._target, directory, folder), self._source
        stages = stages_of(self._target)
        files, final = copy.files(*stages), copy._up_to(stages[-1])
        if source.configuration:
            path = f"{folder}/{posixpath.basename(source.configuration.path)}"
            keys = {**copy._by("key", final), **differing}
            files = (*files, _copy(source.configuration, path, keys, without=neutral))
            differing = {effective.CONFIG_FILE: path}
        flagged = copy._by("flag", final)  # also those that are flags only since we added them
        names = {*source.flags, *flagged}
        given = {name: value for name, value in {**neutral, **differing}.items() if name in names}
        lines = copy._command({**flagged, **given}) if given else ()
        return files, lines, {name: value for name, value in differing.items() if name not in given}

    def only(
        self, *stages: Stage, are_edited: bool = False
    ) -> tuple[Fact[Mapping[str, Lying]], Callable[[Answers], Iterable[Remark]]]:
        """Whether just the files of these stages lie there, and those of theirs as they were, or edited."""
        wanted = self.files(*stages)
        others = [path for path in self.paths if path not in {file.path for file in wanted}]
        own = (file.path for file in self._target.found.own_files)
        lying = files.lying(self._target, (*self.paths, *own))

        def judge(answers: Answers) -> Iterable[Remark]:
            found = lying.read(answers)
            yield from files.differences(wanted, found)
            yield from files.changes(self._target, others, found)
            yield from files.own(self._target, found, are_edited=are_edited)

        return lying, judge

    def _paths(self, stage: Stage) -> tuple[str, ...]:
        """Where files of a stage may lie, the drop-in last."""
        source = self._source
        return (
            *((self._copy_path(stage),) if source.configuration else ()),
            *((self._variables_path(stage),) if source.filed else ()),
            self.path(stage),
        )

    def _variables_path(self, stage: Stage) -> str:
        return f"{self._directory}/{drop_ins.NAMES[stage.name]}.env"

    def _copy_path(self, stage: Stage) -> str:
        configuration = self._source.configuration
        if configuration is None:
            return ""
        path = config_file.sibling(configuration.path, drop_ins.NAMES[stage.name])
        return f"{self._copies}/{posixpath.basename(path)}" if self._copies else path

    def _files(self, stage: Stage) -> Iterable[Write]:
        if not stage.of(self._target):
            return
        if self._source.configuration:
            keys = self._by("key", self._up_to(stage))
            yield _copy(self._source.configuration, self._copy_path(stage), keys)
        filed, flagged = self._by("file", self._own(stage)), self._by("flag", self._own(stage))
        lines = systemd_env.lines(self._by("line", self._own(stage)))
        if filed:
            yield Write(self._variables_path(stage), environment_file.text(filed))
            lines = (*lines, f"EnvironmentFile={drop_ins.escaped(self._variables_path(stage))}")
        if flagged:
            lines = (*lines, *self._command(self._by("flag", self._up_to(stage))))
        yield Write(self.path(stage), drop_ins.text(lines))

    def _command(self, given: Settings) -> tuple[str, ...]:
        return ("ExecStart=", f"ExecStart={flags.restated(self._source.command, given)}")

    def _own(self, stage: Stage) -> Settings:
        """What a stage sets; with a configuration file, which one of them."""
        selected = {effective.CONFIG_FILE: self._copy_path(stage)} if self._source.configuration else {}
        return {**stage.of(self._target), **selected}

    def _up_to(self, stage: Stage) -> Settings:
        """What a stage and those before it set."""
        stages = stages_of(self._target)
        before = stages[: stages.index(stage) + 1] if stage in stages else (stage,)
        return {name: value for each in before for name, value in self._own(each).items()}

    def _by(self, carrier: Carrier, wanted: Settings) -> Settings:
        return {name: value for name, value in wanted.items() if self.carrier(name) == carrier}


def _copy(theirs: Configuration, path: str, keys: Settings, without: Collection[str] = ()) -> Write:
    """Make a copy of a configuration file with other settings; whoever could read it can read the copy."""
    text = config_file.changed(theirs.text, keys, without)
    return Write(path, text, theirs.mode, theirs.owner, theirs.group)
