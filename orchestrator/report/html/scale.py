"""The time axis of a drawing: processes side by side, each to scale, and between them a gap for the pause."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.report.html.story import Process

GAP = 64.0  # however long a pause was
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 604800)
_APART = 64.0  # between two ticks, at least


@dataclass(frozen=True, slots=True)
class Stretch:
    """A process on the axis, from ``left`` to ``right``."""

    process: Process
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Where a moment of this process stands; what is outside of it stands at its edge."""
        if not self.process.took_s:
            return self.left
        share = (at - self.process.began).total_seconds() / self.process.took_s
        return self.left + (self.right - self.left) * min(max(share, 0.0), 1.0)

    def ticks(self) -> Iterator[tuple[float, float]]:
        """Where marks stand, and how many seconds after the process began that is."""
        took_s, width = self.process.took_s, self.right - self.left
        if not took_s:
            yield self.left, 0.0
            return
        step_s = next((s for s in _STEPS_S if s * width / took_s >= _APART), took_s)
        for number in range(int(took_s / step_s) + 1):
            yield self.x(self.process.began + timedelta(seconds=number * step_s)), number * step_s


def stretches(processes: Sequence[Process], left: float, width: float) -> tuple[Stretch, ...]:
    """Return each process's stretch: as wide as it was long, but never too narrow to be seen."""
    free = max(width - GAP * (len(processes) - 1), width / 2)
    gap = (width - free) / max(len(processes) - 1, 1)
    total_s = sum(process.took_s for process in processes)
    least = free * 0.2 / max(len(processes), 1)
    shares = [process.took_s / total_s if total_s else 1 / len(processes) for process in processes]
    spare = free - least * len(processes)
    found: list[Stretch] = []
    for process, share in zip(processes, shares, strict=True):
        begin = found[-1].right + gap if found else left
        found.append(Stretch(process, begin, begin + least + spare * share))
    return tuple(found)
