"""The faults of a rehearsal: which ones are wanted, and in which rounds of the plan they strike."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import commandline, output
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.lab.proof.fault_cases import Turn
    from orchestrator.plan.layout import Layout


def fault_names() -> list[str]:
    """Return the names of all faults."""
    from orchestrator.lab.faults.strikes import FAULTS  # noqa: PLC0415 -- the lab is imported where it is needed

    return [*FAULTS]


@dataclass(frozen=True, slots=True)
class Tour:
    """A rehearsal with faults. ``names`` are those that are wanted in each round; without any, random ones.

    ``arguments`` go to each run.
    """

    turns: "tuple[Turn, ...]"
    names: tuple[str, ...]
    seed: int
    arguments: tuple[str, ...]

    def go(
        self, plan: Path, *, keep: bool, etcd: str | None, found: "Layout | None", given: Sequence[str]
    ) -> int:
        """Rehearse, and return the exit code; ``given`` are the options of the command line beside ours."""
        from orchestrator.lab.proof.fault_tour import run_tour  # noqa: PLC0415 -- see above

        output.err(f"To repeat this: {self.again(plan, given)}")
        return run_tour(
            plan,
            self.turns,
            self.names,
            seed=self.seed,
            keep=keep,
            etcd=etcd,
            found=found,
            arguments=self.arguments,
        )

    def again(self, plan: Path, given: Sequence[str]) -> str:
        """Return the command that does the very same once more."""
        named = (word for name in self.names for word in ("--fault", name))
        words = (*given, *named, "--faults", str(self.seed), *self.arguments)
        return commandline.command("rehearse", commandline.argument(plan), *words)


def tour_of(plan: Path, further: Sequence[str], *, wanted: bool, named: Sequence[str]) -> Tour | None:
    """Return the rehearsal with faults that is wanted, if one is; ``further`` may begin with its seed."""
    if not wanted and not named:
        return None
    from orchestrator.lab.proof.fault_cases import Turn  # noqa: PLC0415 -- the lab is imported where it is needed
    from orchestrator.lab.provisioning.plan_copy import rehearsed  # noqa: PLC0415 -- see above
    from orchestrator.migrations.table import hosts_of  # noqa: PLC0415 -- only where it is needed
    from orchestrator.session import unconnected  # noqa: PLC0415 -- only where it is needed

    unknown = [name for name in named if name not in fault_names()]
    if unknown:
        raise UsageError(f"--fault {unknown[0]}: the faults are {', '.join(fault_names())}")
    seed, rest = _seed(further) if wanted else (None, tuple(further))
    if "--until" in " ".join(rest):
        raise UsageError("--faults and --fault take every round, one after the other; leave --until out")
    session = unconnected(plan, None)
    session = replace(session, cluster=rehearsed(session.cluster))
    turns = tuple(
        Turn(one.name, one.target.name, len(hosts_of(session.cluster, one.role))) for one in session.rounds
    )
    return Tour(turns, tuple(named), secrets.randbelow(10_000) if seed is None else seed, rest)


def _seed(further: Sequence[str]) -> tuple[int | None, tuple[str, ...]]:
    """Take the seed off what stands behind the options, if there is one."""
    first, *rest = further or ("",)
    return (int(first), tuple(rest)) if first.isascii() and first.isdigit() else (None, tuple(further))
