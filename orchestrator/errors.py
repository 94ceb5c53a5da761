"""Every error an operator can meet: one class for each decision it asks for, with its exit code."""

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


class UsageError(OrchestratorError):
    """The command line asks for something that does not fit together."""

    exit_code = 64


class RunInterruptedError(OrchestratorError):
    """The operator interrupted the run between two steps; it can be resumed."""

    exit_code = 130


class RunTerminatedError(RunInterruptedError):
    """The same, by SIGTERM."""

    exit_code = 143
