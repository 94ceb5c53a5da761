"""A client that uses a real cluster while it is changed, and says when that cluster served it too badly."""

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from orchestrator.probe.awake import Awake, real
from orchestrator.probe.budget import Budget, excesses, wall
from orchestrator.probe.heard import Heard, short
from orchestrator.probe.http_session import Endpoint
from orchestrator.probe.reach import Reach
from orchestrator.probe.tally import ProbeReport
from orchestrator.probe.tidy import TidyProber
from orchestrator.probe.way import Way

LOOK_S = 1.0  # between two looks at what the members serve
END_S = 10.0  # for the last operation, reading back and removing
REMOVE_S = 3.0  # of it, for removing
SILENT_S = 1.0  # of it, before somebody hears that it takes long


@dataclass(frozen=True, slots=True)
class Figures:
    """What a client went through since a time; ``lost`` is known at the end."""

    since: datetime
    operations: int
    failed: int
    lost: int
    longest_stall_s: float
    stalled_at: datetime
    failed_at: tuple[datetime, ...]


def silent(reach: Reach) -> Mapping[str, str]:
    """Return why each member that gives no answer on any of its ports gives none, by its address."""
    found = {}
    for address in reach.addresses:
        reasons = []
        for way in reversed(reach.listeners(address)):  # http last: who speaks it is waited for
            reason = reach.silence(way)
            if not reason:
                break
            reasons.append(f"{way}: {short(reason)}")
        else:
            found[address] = "; ".join(reasons)
    return found


class LiveProbe:
    """Writes, reads and keeps a lease alive through every member in turn, until it is ended.

    ``names`` are the members' by their addresses. It uses http until every member serves https, then https;
    with ``is_going_back`` http again as soon as every member serves that.
    """

    def __init__(  # noqa: PLR0913 -- named options
        self,
        reach: Reach,
        names: Mapping[str, str],
        prefix: str,
        *,
        budget: Budget,
        interval_s: float,
        is_going_back: bool = False,
        clock: Callable[[], float] = real,
    ) -> None:
        self._awake = Awake(clock)
        self._budget = budget
        self._way = Way(reach.answers, reach.addresses, reach.port, reach.extra_port)
        self._way.is_going_back = is_going_back
        self._heard = Heard(names, self._way.rank, self._awake)
        self._prober = TidyProber(
            replace(reach, way=self._way, heard=self._heard.hear),
            prefix,
            interval_s=interval_s,
            awake=self._awake,
        )
        self._stop, self._left, self._over = threading.Event(), threading.Event(), threading.Event()
        self._ending: threading.Thread | None = None
        self._is_removed = False
        self._threads: tuple[threading.Thread, ...] = ()
        self._report: ProbeReport | None = None
        self._ended: float | None = None
        self._objection = self._failure = ""
        self._failed_at: float | None = None

    def begin(self) -> str:
        """Write and read once; return why that cannot be done, or nothing."""
        threading.Thread(target=self._awake.beat_on, args=(self._over,), daemon=True, name="probe").start()
        began = self._awake()
        self._way.look()
        reason = self._prober.begin()
        return self._heard.between(began, self._awake()) if reason and self._heard else short(reason)

    def start(self) -> None:
        """Go on until the end, in threads that end with the process."""
        work = (
            self._run,
            lambda: self._prober.keep(self._left),
            lambda: self._way.follow(self._stop, LOOK_S),
        )
        self._threads = tuple(
            threading.Thread(target=self._guarded, args=(one,), daemon=True, name="probe") for one in work
        )
        for thread in self._threads:
            thread.start()

    def end(self, waiting: Callable[[float], None] = lambda _: None) -> bool:
        """Stop, read back what is kept, and remove it, within ``END_S``; return whether it is removed.

        ``waiting`` hears for how long at most, where it takes long. It may be ended twice.
        """
        if not self._ending:
            over_at = time.monotonic() + END_S
            self._prober.end_by(self._awake() + END_S, REMOVE_S)
            self._stop.set()
            self._ending = threading.Thread(target=self._leave, daemon=True, name="probe")
            self._ending.start()
            self._ending.join(SILENT_S)
            if self._ending.is_alive():
                waiting(over_at - time.monotonic())
                self._ending.join(max(0.0, over_at - time.monotonic()))
            self._ended = self._until()
        return self._is_removed

    @property
    def paused_s(self) -> float:
        """For how long this process stood still, or its machine did: that is in no figure."""
        return self._awake.paused_s

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where the members are asked now."""
        return self._way.endpoints

    @property
    def last_refusals(self) -> str:
        """What was said since its end by whoever gave no answer."""
        return self._heard.between(self._until(), self._awake())

    def objection(self) -> str:
        """Say what goes beyond the budget, for good once it did; nothing if all is within it.

        What is seen once it has failed itself is not the cluster's.
        """
        if not self._failure:
            found = excesses(self._budget, self._prober, self._heard, self._until(), self._lost)
            self._objection = self._objection or next(found, "")
        return self._objection

    @property
    def failure(self) -> str:
        """Say why it failed itself, which is nobody's fault but ours; nothing if it did not."""
        return self._failure

    def figures(self) -> Figures:
        """Return what it came to, up to now."""
        tally, lease = self._prober.tally, self._prober.lease
        stall = tally.stall(self._until())
        return Figures(
            since=wall(tally.started_at),
            operations=tally.attempts + tally.reads + lease.renewals + lease.failed_renewals,
            failed=self._prober.failed,
            lost=self._lost,
            longest_stall_s=round(stall.took_s, 3),
            stalled_at=wall(stall.at),
            failed_at=tuple(map(wall, tally.failed_at[:100])),
        )

    @property
    def _lost(self) -> int:
        return self._report.lost if self._report else 0

    def _guarded(self, work: Callable[[], object]) -> None:
        """Do what a thread is for; what fails there is a bug of ours, and is not to look like a stall."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- said by whoever asks
            self._failed_at = self._failed_at or self._awake()
            self._failure = self._failure or f"{short(str(error)) or 'no reason given'} ({_place(error)})"

    def _run(self) -> None:
        self._report = self._prober.run(self._stop)

    def _leave(self) -> None:
        """Remove the keys once nobody writes, and give the lease back once nobody keeps it alive."""
        writing, keeping = self._threads[:2] or (None, None)
        if writing:
            writing.join()
        self._is_removed = self._prober.remove()
        self._left.set()
        if keeping:
            keeping.join()
        if self._is_removed:
            self._prober.let_go()
        self._over.set()

    def _until(self) -> float:
        return self._ended or self._prober.tally.ended or self._failed_at or self._awake()


def _place(error: Exception) -> str:
    """Return where in the program something was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
