"""Which layouts of which etcd were tried on real hosts: with ``--record`` the table of docs/hosts.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from support.results import Results

from orchestrator.probe.tally import ProbeReport


@dataclass(frozen=True, slots=True)
class Tried:
    """A layout on a version of etcd: served with the files that we wrote, or refused in ``check``'s words.

    ``fix`` is what it printed against that. ``cluster`` holds the layouts of all members, and the counts are
    of a client of that cluster; ``stall_s`` is the longest time without an acknowledged write.
    """

    layout: str
    etcd: str
    is_served: bool
    files: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
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


def served(etcd: str, files: Mapping[str, Iterable[str]], report: ProbeReport) -> None:
    """Note a cluster that was migrated and given back: our files by layout, and what the client saw."""
    counts = (report.acknowledged, report.failed, report.lost, round(report.longest_stall_s, 2))
    for layout, ours in files.items():
        RESULTS.add(Tried(layout, etcd, True, tuple(sorted(ours)), tuple(files), *counts))  # noqa: FBT003 - a row


def refused(layout: str, etcd: str, reported: str, fix: str) -> None:
    """Note what was refused, in whose words, and what helps."""
    RESULTS.add(Tried(layout, etcd, is_served=False, reported=reported, fix=fix))
