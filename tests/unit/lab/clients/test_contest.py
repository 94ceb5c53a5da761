"""Who holds a lock or an election meanwhile, by an etcdctl in small: a directory is the lock."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.waiting import until

from orchestrator.lab.clients import contest as contests
from orchestrator.lab.clients.contest import ELECTION, LOCK, Contest, Form
from orchestrator.lab.clients.etcdctl import UNANSWERED, Etcdctl
from orchestrator.probe.history import Event
from orchestrator.probe.way import Stage, Way

SMALL = """\
#!{python}
import os, signal, subprocess, sys, time
words = sys.argv[sys.argv.index("--endpoints") + 2:]
while words[0].startswith("-"):
    words = words[2:]
place = "{folder}/" + words[0]
key = "/mine/" + str(os.getpid())
def leave(*_):
    sys.exit(1)
signal.signal(signal.SIGTERM, leave)
while True:
    try:
        os.mkdir(place)
        break
    except FileExistsError:
        time.sleep(0.01)
        if os.path.exists("{folder}/restarts"):
            sys.exit(open("{folder}/restarts").read())
try:
    open("{folder}/holder", "w").write(str(os.getpid()))
    if words[0] == "lock":
        environment = dict(os.environ, ETCD_LOCK_KEY=key, ETCD_LOCK_REV="7")
        subprocess.run(words[words.index("--") + 1:], env=environment)
    else:
        print(key, words[2], sep="\\n", flush=True)
        signal.pause()
finally:
    os.rmdir(place)
"""


@pytest.fixture
def etcdctl(tmp_path: Path) -> Etcdctl:
    program = tmp_path / "etcdctl"
    program.write_text(SMALL.format(python=sys.executable, folder=tmp_path))
    program.chmod(0o700)
    return Etcdctl(program, Way(lambda _: False, ("a",), 2379), "ca", "certificate", "key")


@pytest.fixture(params=[LOCK, ELECTION], ids=["lock", "election"])
def contest(
    etcdctl: Etcdctl, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Contest]:
    form: Form = request.param
    monkeypatch.setattr(contests, "QUEUEING_S", 0.3)
    made = Contest(form, etcdctl, "/mine")
    yield made
    made.end()


def tend_until(contest: Contest, holds: Callable[[], bool]) -> None:
    def is_done() -> bool:
        contest.tend()
        return holds()

    until(is_done)


def holders(contest: Contest) -> list[str]:
    return [holding.holder.split("-")[1] for holding in contest.holdings]


def events(contest: Contest) -> list[Event]:
    return [Event(number, holding.key, "") for number, holding in enumerate(contest.holdings)]


def test_one_holds_and_gives_way_once_over_https(etcdctl: Etcdctl, contest: Contest) -> None:
    tend_until(contest, lambda: contest.is_held)
    for _ in range(20):
        contest.tend()
        time.sleep(0.02)
    assert ["1"] == holders(contest)
    etcdctl.way.stage = Stage.HTTPS
    tend_until(contest, lambda: len(contest.holdings) == 2)
    assert ["1", "3"] == holders(contest)  # the second waited over http, and was ended
    contest.end()
    report = contest.report([], [])
    assert (2, 0, ()) == (report.attempts, report.failed, report.broken)
    assert report.longest_stall_s < 10


def test_who_loses_it_is_named(contest: Contest, tmp_path: Path) -> None:
    tend_until(contest, lambda: contest.is_held)
    tend_until(contest, lambda: bool(contest.holdings) and (tmp_path / "holder").exists())
    os.kill(int((tmp_path / "holder").read_text()), signal.SIGTERM)
    # the next one holds it a moment before the end of the first, which lets go of it, is seen
    tend_until(contest, lambda: len(contest.holdings) == 2 and any(one.is_lost for one in contest.holdings))
    contest.end()
    report = contest.report([], [])
    assert 1 == report.failed
    assert any(line.endswith("-1 lost it") for line in report.broken)


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        *((f"Error: rpc error: desc = {words}", 0) for words in UNANSWERED),
        ("Error: elect: session expired", 1),
    ],
    ids=["by a restart", "closing", "end", "something else"],
)
def test_who_only_waits_waits_anew_behind_a_members_restart(
    contest: Contest, tmp_path: Path, said: str, failed: int
) -> None:
    tend_until(contest, lambda: contest.is_held)
    (tmp_path / "restarts").write_text(said)
    tend_until(contest, lambda: bool(contest.count.complaints))
    (tmp_path / "restarts").unlink()
    contest.end()
    report = contest.report([], [])
    assert (1, failed) == (report.attempts, min(1, report.failed))
    assert report.complaints[0].endswith(f" ended: {said}")
    assert () == report.broken
