"""What commands cost against the number of hosts: rows of tests/results, for docs/benchmarks.md."""

from dataclasses import dataclass

from support.results import Results

QUICK = "quick"  # calls of which the time alone counts


@dataclass(frozen=True, slots=True)
class Grown:
    """One call of one command for ``members`` and ``light`` hosts.

    ``memory_mb`` is the most that its process had (RSS), ``openings`` how many connections it was opening at
    once; ``connections`` and ``turns`` were seen on the wire.
    """

    command: str
    members: int
    light: int
    turn: int
    machine: str
    load: float
    exit_code: int
    wall_s: float
    cpu_s: float
    memory_mb: float
    openings: int
    connections: int
    turns: int

    @property
    def key(self) -> tuple[str, str]:
        return f"{self.command} {self.members} {self.light:03}", f"{self.turn:02}"


RESULTS = Results("growth", Grown, compared=())
