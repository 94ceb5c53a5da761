"""Settings as Environment= lines of the unit: the guide's drop-ins, each a file of ours beside theirs."""

from collections.abc import Callable, Iterable, Mapping

from orchestrator.etcd import files, process, settings
from orchestrator.etcd.files import Lying
from orchestrator.etcd.install import drop_ins, unit
from orchestrator.etcd.process import Process
from orchestrator.etcd.settings import Stage
from orchestrator.host.checks import Remark
from orchestrator.host.operations import MakeDirectory, Operation, RemoveDirectory, Write
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Subject

# The guide's names: systemd reads drop-ins in the order of their names, and the last one wins.
NAMES: Mapping[str, str] = {
    settings.LOCAL_PORT.name: "25-insecure_localhost.conf",
    settings.CERTIFICATES.name: "30-certs.conf",
    settings.HTTPS.name: "40-tls.conf",
    settings.RELAYING.name: "30-certs.conf",
}


class SystemdEnv:
    """A host whose etcd has its settings from variables that its unit sets."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._directory = drop_ins.directory(subject.host)

    @property
    def running(self) -> Fact[Process]:
        """What runs now."""
        return process.running(self._subject)

    @property
    def next_start(self) -> Fact[unit.Unit]:
        """What the next start would use."""
        return unit.of(self._subject)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every drop-in of ours, whatever the host's role."""
        return tuple(f"{self._directory}/{name}" for name in dict.fromkeys(NAMES.values()))

    @property
    def directories(self) -> tuple[str, ...]:
        """Where they lie."""
        return (self._directory,)

    def path(self, stage: Stage) -> str:
        """Where the drop-in of a stage lies."""
        return f"{self._directory}/{NAMES[stage.name]}"

    def files(self, *stages: Stage) -> tuple[Write, ...]:
        """The drop-ins of these stages; none for one that has nothing to set."""
        wanted = ((stage, stage.of(self._subject)) for stage in stages)
        return tuple(Write(self.path(stage), drop_ins.setting(each)) for stage, each in wanted if each)

    def put(self, stage: Stage) -> Iterable[Operation]:
        """Put the stage's drop-in there."""
        for file in self.files(stage):
            yield MakeDirectory(self._directory)
            yield file

    def take_away(self, stage: Stage) -> Iterable[Operation]:
        """Have there be what was there before the first change."""
        ours = next(iter(self.files(stage)), None)
        yield from files.undone(self._subject, self.path(stage), ours)

    def clear(self) -> Iterable[Operation]:
        """Remove the directory of the drop-ins, if it was not there."""
        if self._directory in self._subject.found.missing_directories:
            yield RemoveDirectory(self._directory)

    def only(self, *stages: Stage) -> tuple[Fact[Mapping[str, Lying]], Callable[[Answers], Iterable[Remark]]]:
        """Whether just the drop-ins of these stages lie there."""
        wanted = self.files(*stages)
        others = [path for path in self.paths if path not in {file.path for file in wanted}]
        lying = files.lying(self._subject, self.paths)

        def judge(answers: Answers) -> Iterable[Remark]:
            found = lying.read(answers)
            yield from files.differences(wanted, found)
            yield from files.changes(self._subject, others, found)

        return lying, judge
