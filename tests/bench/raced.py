"""What each contestant of the race came to: rows of tests/results, which docs/benchmarks.md is made of."""

from dataclasses import dataclass

from support.results import Results

OURS = {"bridge": "this tool, `bridge`", "guide": "this tool, `guide`"}
RIVALS = {
    "ansible": "ansible-core, the guide as a playbook",
    "pyinfra": "pyinfra, the guide as deploys",
    "shell": "OpenSSH by shell, the guide as a script",
}
FLOOR = "floor"  # six restarts and nothing else


@dataclass(frozen=True, slots=True)
class Raced:
    """One run of one contestant. ``away_s`` is how long members were away, restart by restart.

    ``clients`` are further kinds of clients, where there were any: kind, operations, failed, longest stall.
    ``waterfall`` is where the time of a run of ours went: part, seconds.
    """

    contestant: str
    turn: str
    machine: str
    load: float
    proof: tuple[str, ...]
    wall_s: float
    cpu_s: float
    memory_mb: float
    connections: int
    turns: int
    sent_bytes: int
    received_bytes: int
    restarts: int
    away_s: tuple[float, ...]
    stall_s: float
    writes: int
    failed: int
    lost: int
    failed_reads: int
    failed_renewals: int
    missed: int
    clients: tuple[tuple[str, int, int, float], ...] = ()
    waterfall: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.contestant, self.turn


RESULTS = Results("race", Raced, compared=())
