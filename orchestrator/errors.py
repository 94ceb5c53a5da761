"""Every error an operator can meet: one class for each decision it asks for, with its exit code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar


class OrchestratorError(Exception):
    """Something an operator can act on; anything else that is raised is our bug."""

    exit_code: ClassVar[int] = 1


class PlanInvalidError(OrchestratorError):
    """The plan has faults: a line for each, ``FILE:LINE:COLUMN: where: what, and the fix``."""

    exit_code = 3

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class HostUnreachableError(OrchestratorError):
    """A host cannot be reached at this moment: looking again later may help."""

    exit_code = 4

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class LoginRefusedError(OrchestratorError):
    """A host was reached, but trust, login or sudo failed: looking again will not help."""

    exit_code = 4

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class RefusedError(OrchestratorError):
    """A gate refused before anything was changed."""

    exit_code = 5


class LockedError(OrchestratorError):
    """Another run holds the state file or the hosts."""

    exit_code = 6


class StoppedError(OrchestratorError):
    """The run stopped, the cluster is healthy, and the run can be resumed."""

    exit_code = 7


class UnwritableError(StoppedError):
    """The state file cannot be written, so nothing more is begun: what is not noted is looked at later."""


class PersonNeededError(OrchestratorError):
    """The run stopped, and the cluster is not seen to be healthy: a person has to look now."""

    exit_code = 9

    def __init__(self, message: str, checks: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.checks = checks  # names of those by which the cluster is not seen to be healthy


class UsageError(OrchestratorError):
    """The command line asks for something that does not fit together."""

    exit_code = 64


class RunInterruptedError(OrchestratorError):
    """The operator interrupted the run between two steps; it can be resumed."""

    exit_code = 130


class RunTerminatedError(RunInterruptedError):
    """The same, by SIGTERM."""

    exit_code = 143


def checks_behind(error: BaseException) -> tuple[str, ...]:
    """Return the names of the checks that an error stands for, and those that it was raised from."""

    def each(link: BaseException | None) -> Iterator[str]:
        while link is not None:
            yield from getattr(link, "checks", ())
            for one in link.exceptions if isinstance(link, ExceptionGroup) else ():
                yield from each(one)
            link = link.__cause__

    return tuple(dict.fromkeys(each(error)))


@dataclass(frozen=True, slots=True)
class Ending:
    """What an exit code says, what is true now, whether that may stay, and what to do, in order."""

    meaning: str
    now: str
    overnight: str
    then: tuple[str, ...] = ()


_NOTHING = "Yes: nothing was changed."
_INTERRUPTED = Ending(
    "interrupted; the message says whether anything was changed",
    "A step that was under way was finished on its host, or is in doubt; the next resume looks there first.",
    "As safe as the state in which the members stand: 'status' names it, 'explain STATE' says the rest.",
    ("orchestrator status PLAN", "orchestrator run PLAN --resume", "orchestrator rollback PLAN"),
)

# Every code that the program ends with; docs/stopped.md and `explain` are made of this.
ENDINGS: Mapping[int, Ending] = MappingProxyType({
    0: Ending(
        "done, or there was nothing to do",
        "Every host stands where the command was to bring it.",
        "Yes.",
        ("orchestrator status PLAN",),
    ),
    1: Ending(
        "our bug: the traceback above the prompt belongs in a report",
        "What was begun on a host ends there by itself; the state file names the last step that began.",
        "As safe as the state in which the members stand: look first.",
        ("orchestrator status PLAN", "orchestrator run PLAN --resume"),
    ),
    2: Ending(
        "changes are pending; only a review that was asked for this code ends with it",
        "Nothing was changed.",
        _NOTHING,
        ("orchestrator run PLAN --dry-run", "orchestrator run PLAN"),
    ),
    3: Ending(
        "the plan is invalid; each fault has its line and column, and its fix",
        "No host was touched.",
        _NOTHING,
        ("orchestrator check PLAN",),
    ),
    4: Ending(
        "a host cannot be reached, refuses the login, or its key is not the known one",
        "This command has changed nothing. A run that was under way before stands where it stood.",
        "Yes, if no run is under way; otherwise as safe as the state that 'status' names.",
        ("orchestrator hostkeys PLAN", "orchestrator status PLAN", "orchestrator run PLAN --resume"),
    ),
    5: Ending(
        "refused before anything was changed; the message names every reason",
        "This command has changed nothing.",
        "Yes, if no run is under way; otherwise as safe as the state that 'status' names.",
        ("orchestrator check PLAN", "orchestrator status PLAN"),
    ),
    6: Ending(
        "another run, which the message names, holds the state file or a host's lock, or took our lock away",
        "This command changes nothing more. The other run goes on.",
        "That is for the other run to say: ask whoever it belongs to.",
        ("orchestrator unlock PLAN", "orchestrator status PLAN"),
    ),
    7: Ending(
        "the run stopped; the cluster is healthy, and the run can be resumed",
        "Every member answers a read that needs a quorum. One step may have failed or be in doubt.",
        "As safe as the state in which the members stand: with the strategy 'bridge' every state is.",
        ("orchestrator status PLAN", "orchestrator run PLAN --resume", "orchestrator rollback PLAN"),
    ),
    8: Ending(
        "kept for a run that went back by itself; no command ends with it today",
        "A rollback that you asked for ends with 0 once every host is back.",
        "Yes: every host stands where it stood before the run.",
        ("orchestrator status PLAN",),
    ),
    9: Ending(
        "a person is needed now: stopped, and the cluster is not healthy, or nobody can see whether it is",
        "The message names who is unwell or cannot be asked, and why. Nothing more is done until you say so.",
        "No. Whoever is on call has to look now.",
        (
            "orchestrator status PLAN",
            "orchestrator run PLAN --resume",
            "orchestrator rollback PLAN",
        ),
    ),
    64: Ending(
        "the command line does not fit together",
        "Nothing was begun.",
        _NOTHING,
        ("orchestrator --help",),
    ),
    130: _INTERRUPTED,
    143: _INTERRUPTED,
})  # fmt: skip
