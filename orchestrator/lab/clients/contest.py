"""A lock and an election, kept by etcdctl: one holds, another waits; with each new way they change places."""

import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.lab.clients.etcdctl import UNANSWERED, Etcdctl, Running
from orchestrator.lab.clients.ownership import Holding, broken
from orchestrator.probe.history import Event, Write
from orchestrator.probe.tally import ClientReport, Count

QUEUEING_S = 1.0  # a contender is in the queue by then, and a holder that is to move may give way
LOCK_HELD = re.compile(r"(\d+) (/\S+) \d+")
HOLD = 'echo "$$ $ETCD_LOCK_KEY $ETCD_LOCK_REV"; exec sleep 86400'  # printed and held until it is killed


class Contender:
    """One that wants to hold it, from its start to its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = time.monotonic()
        self.key = ""
        self.command = 0  # process of what runs while the lock is held
        self.began: float | None = None
        self.ended: float | None = None
        self.is_lost = False
        self.running: Running

    @property
    def is_there(self) -> bool:
        """Whether it holds it or waits, and was not told to give it back."""
        return self.ended is None and not self.is_lost

    @property
    def holds(self) -> bool:
        """Whether it was told that it holds it, and knows nothing else."""
        return self.is_there and self.began is not None

    @property
    def holding(self) -> Holding | None:
        """What is to be judged: None if it never held it."""
        if self.began is None:
            return None
        ended = time.monotonic() if self.ended is None else self.ended
        return Holding(self.name, self.key, self.began, ended, self.is_lost)


@dataclass(frozen=True, slots=True)
class Form:
    """What is contended for: the words for etcdctl, and how a line of it says who holds."""

    kind: str
    words: Callable[[str, str], tuple[str, ...]]
    take: Callable[[Contender, str, str], bool]


def _take_lock(one: Contender, _: str, line: str) -> bool:
    found = LOCK_HELD.fullmatch(line)
    if found:
        one.command, one.key = int(found[1]), found[2]
    return found is not None


def _take_election(one: Contender, name: str, line: str) -> bool:
    if line.startswith(f"{name}/"):
        one.key = line
    return line == one.name


LOCK = Form("etcdctl lock", lambda name, _: ("lock", "--ttl", "10", name, "--", "sh", "-c", HOLD), _take_lock)
ELECTION = Form("etcdctl elect", lambda name, who: ("elect", name, who), _take_election)


class Contest:
    """All who contend for one lock, or in one election, named by a key of etcd's."""

    def __init__(self, form: Form, etcdctl: Etcdctl, name: str) -> None:
        self.count = Count(form.kind)
        self._form = form
        self._etcdctl = etcdctl
        self._name = name
        self._all: list[Contender] = []

    @property
    def is_held(self) -> bool:
        """Whether somebody holds it now."""
        return any(one.holds for one in self._all)

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """Who held it, in the order in which they came."""
        found = (one.holding for one in self._all)
        return tuple(sorted((one for one in found if one), key=lambda one: one.began))

    def tend(self) -> None:
        """Note who has lost it, keep one waiting, and let the holder give way to one of the present way."""
        self._note_losses()
        stage, now = self._etcdctl.way.stage, time.monotonic()
        waiting = [one for one in self._all if one.is_there and not one.holds]
        fit = [one for one in waiting if one.running.stage is stage]
        for one in waiting:
            if one not in fit:
                self._release(one)
        if not fit:
            self._start()
        elif now - fit[0].started >= QUEUEING_S:
            for one in self._all:
                if one.holds and one.running.stage is not stage:
                    self._release(one)

    def report(self, events: Sequence[Event], writes: Sequence[Write]) -> ClientReport:
        """Judge who held it, and return that; a stall is a time in which nobody did."""
        holdings = self.holdings
        own = [event for event in events if event.key.startswith(f"{self._name}/")]
        found = self.count.report(broken=tuple(broken(holdings, own, writes)))
        waits = [after.began - before.ended for before, after in pairwise(holdings)]
        return found.model_copy(update={"attempts": len(holdings), "longest_stall_s": max((0.0, *waits))})

    def end(self) -> None:
        """Tell all to give it back, and wait for their ends; who waits goes first."""
        self._note_losses()
        everyone = [one for one in self._all if one.is_there]
        for one in sorted(everyone, key=lambda one: one.holds):
            self._release(one)
        for one in self._all:
            if one.is_lost:
                self._end_command(one)
            one.running.end()

    def _note_losses(self) -> None:
        """Note who has ended unasked; who holds nothing, and was at a member that restarts, comes anew."""
        for one in self._all:
            if one.is_there and one.running.has_ended:
                said, now = " ".join(one.running.said), time.monotonic()
                is_by_restart = any(words in said for words in UNANSWERED)
                one.is_lost, one.ended = one.holds or not is_by_restart, now
                note = self.count.fail if one.is_lost else self.count.complain
                note(f"{one.name} ended: {said}")

    def _start(self) -> None:
        one = Contender(f"{self._form.kind.split()[-1]}-{len(self._all) + 1}")

        def on_line(line: str) -> None:
            if one.began is None and self._form.take(one, self._name, line):
                one.began = time.monotonic()

        one.running = Running(self._etcdctl, self._form.words(self._name, one.name), on_line)
        self._all.append(one)

    def _release(self, one: Contender) -> None:
        """It believes to hold it up to now; etcdctl gives the lock back once its command has ended."""
        one.ended = time.monotonic()
        if one.command:
            self._end_command(one)
        else:
            one.running.ask_to_end()

    def _end_command(self, one: Contender) -> None:
        if one.command:
            with suppress(ProcessLookupError):
                os.kill(one.command, signal.SIGTERM)
