"""How an etcd is configured on its host, whatever its settings come from."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install.unit import Unit
from orchestrator.etcd.settings import Settings
from orchestrator.etcd.stages import Stage
from orchestrator.host.checks import Remark
from orchestrator.host.operations import Operation, Write
from orchestrator.host.questions import Answers, Fact


class Install(Protocol):
    """One host's etcd: what it runs with, and how that is changed for its next start and changed back."""

    @property
    def running(self) -> Fact[Process]:
        """What runs now."""
        ...

    @property
    def next_start(self) -> Fact[Unit]:
        """What the next start would use."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that may be put on the host to configure etcd."""
        ...

    @property
    def copies(self) -> tuple[str, ...]:
        """Those of them that are configuration files of etcd."""
        ...

    @property
    def drop_ins(self) -> tuple[str, ...]:
        """Those of them that systemd reads as parts of the unit."""
        ...

    @property
    def final(self) -> Settings:
        """Every setting that the host ends with."""
        ...

    @property
    def directories(self) -> tuple[str, ...]:
        """The directories that hold these files."""
        ...

    def files(self, *stages: Stage) -> tuple[Write, ...]:
        """The files that hold the settings of these stages."""
        ...

    def put(self, stage: Stage) -> Iterable[Operation]:
        """Set a stage's settings for the next start."""
        ...

    def take_away(self, stage: Stage) -> Iterable[Operation]:
        """Have the next start be as if the stage's settings had never been set."""
        ...

    def clear(self) -> Iterable[Operation]:
        """Leave no directory behind that was not there."""
        ...

    def copied(
        self, drop_ins: str, folder: str, differing: Settings, neutral: Settings
    ) -> tuple[tuple[Write, ...], tuple[str, ...], Settings]:
        """What gives a copy of the unit every final setting, and these others where they cannot be the same.

        ``drop_ins`` takes drop-ins, whose specifiers are still those of the unit, ``folder`` other files.
        ``neutral`` are values for settings that must have no effect wherever they are set. Returns the
        files, lines of a last drop-in, and the variables that have to be set behind all others.
        """
        ...

    def only(
        self, *stages: Stage, are_edited: bool = False
    ) -> tuple[Fact[Any], Callable[[Answers], Iterable[Remark]]]:
        """Whether just the files of these stages lie there: what to ask, and what is not so.

        ``are_edited`` is whether the operator's own files have their edits, where the plan wants any.
        """
        ...
