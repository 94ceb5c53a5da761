"""Which layouts of which etcd were tried on real hosts: with ``--record`` the table of docs/hosts.md."""

from collections.abc import Iterable
from dataclasses import dataclass

from support.results import Results

from orchestrator.lab.clients.tally import ProbeReport


@dataclass(frozen=True, slots=True)
class Tried:
    """A layout on a version of etcd: served with the files that we wrote, or refused in ``check``'s words.

    ``fix`` is the beginning of what it printed against that. ``stall_s`` is the longest time without an
    acknowledged write.
    """

    layout: str
    etcd: str
    is_served: bool
    files: tuple[str, ...] = ()
    acknowledged: int = 0
    failed: int = 0
    lost: int = 0
    stall_s: float = 0.0
    reported: str = ""
    fix: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.layout, self.etcd


RESULTS = Results("hosts", Tried, compared=("is_served", "files"))


def served(layout: str, etcd: str, files: Iterable[str], report: ProbeReport) -> None:
    """Note a layout that was migrated and given back, with what the client saw meanwhile."""
    counts = (report.acknowledged, report.failed, report.lost, round(report.longest_stall_s, 2))
    RESULTS.add(Tried(layout, etcd, True, tuple(sorted(files)), *counts))  # noqa: FBT003 - a row of a table


def refused(layout: str, etcd: str, reported: str, fix: str) -> None:
    """Note what was refused, in whose words, and what helps."""
    RESULTS.add(Tried(layout, etcd, is_served=False, reported=reported, fix=fix))
