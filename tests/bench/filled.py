"""What a run costs with a large keyspace: rows of tests/results, which docs/benchmarks.md is made of."""

from dataclasses import dataclass

from support.results import Results

EMPTY, USED, FULL, COMPARED = "empty", "used", "full", "compared"


@dataclass(frozen=True, slots=True)
class Filled:
    """One run of a cluster that is ``empty``, ``used`` (by leases and watchers), or ``full`` (of keys too).

    ``compared`` is a full one whose plan wants the members' data compared all the same.

    ``away_s`` is how long members were away, restart by restart; ``compared_s`` how long the comparisons of
    the data took, the first and the last; ``saved_s`` how long everything was kept, and ``saving_s`` the
    snapshot alone. The stalls are the writing client's longest: in all, and while the data were compared and
    kept. ``missed``, ``repeated`` and ``silence_s`` are the watchers', ``members_mb`` is the memory of each
    member's etcd at the end.
    """

    keyspace: str
    turn: int
    machine: str
    load: float
    asked_mb: int
    database_mb: float
    filled_s: float
    proof: tuple[str, ...]
    wall_s: float
    cpu_s: float
    memory_mb: float
    process_mb: float
    snapshot_mb: float
    saved_s: float
    saving_s: float
    compared_s: tuple[float, ...]
    away_s: tuple[float, ...]
    stall_s: float
    stall_comparing_s: float
    stall_saving_s: float
    latency_ms: float
    writes: int
    failed: int
    failed_reads: int
    lost: int
    leases: int
    leases_lost: int
    watchers: int
    watchers_held: tuple[int, ...]
    streams_begun: int
    delivered: int
    missed: int
    repeated: int
    silence_s: float
    members_mb: tuple[float, ...]
    waterfall: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.keyspace, f"{self.turn:02}"


RESULTS = Results("keyspace", Filled, compared=())


def said(row: Filled) -> str:
    """Return what a run came to, for whoever watches; with its waterfall."""
    parts = (
        f"{row.keyspace} {row.turn}",
        f"load {row.load}, database {row.database_mb:.0f} MB, filled in {row.filled_s:.0f} s",
        f"wall {row.wall_s:.1f} s, away {row.away_s} s, stall {row.stall_s} s",
        f"snapshot {row.snapshot_mb:.0f} MB, {row.saving_s} of {row.saved_s} s, stall {row.stall_saving_s}",
        f"compared in {row.compared_s} s, stall {row.stall_comparing_s} s",
        f"{row.failed} + {row.failed_reads} of {row.writes} failed, {row.lost} lost, {row.latency_ms} ms",
        f"{row.leases_lost} of {row.leases} leases lost, {row.watchers_held} of {row.watchers} watchers",
        f"{row.streams_begun} streams, {row.delivered} events, {row.missed} missed, {row.repeated} twice",
        f"silence {row.silence_s} s, itself {row.process_mb} MB, members {row.members_mb} MB",
        *(f"not proved: {sentence}" for sentence in row.proof),
        *(f"{seconds:7.3f} s  {part}" for part, seconds in row.waterfall),
    )
    return "\n    ".join(parts) + "\n"
