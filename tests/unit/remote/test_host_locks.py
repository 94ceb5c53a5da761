"""The locks, with the very scripts of the hosts: who gets one, who gives way, and who can do nothing."""

import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.holders import OURS
from unit.remote.shells import ShellChannel, shims

from orchestrator.errors import HostUnreachableError, LockedError, RefusedError
from orchestrator.host import lock, places
from orchestrator.host.lock import Holder
from orchestrator.host.operations import Job, JobResult, Run
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.remote.conversation import Conversation, converse
from orchestrator.remote.host_locks import HostLocks, seen, take_away
from orchestrator.remote.job import HOME, Performance

LATER = replace(OURS, number="2", who="root@bastion, process 10")
NAMES = ("h1", "h2", "h3")


class ShellHosts:
    """Hosts that are directories: jobs run in local shells, with their locks in these directories."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = shims(directory / "bin")
        self.away: set[str] = set()

    def kept(self, host: str) -> Path:
        return self.directory / host / "lib"

    def holder(self, host: str) -> Path:
        return self.kept(host) / "lock" / "holder"

    def perform(self, job: Job) -> JobResult:
        if job.host in self.away:
            raise HostUnreachableError(job.host, "no route")
        home = self.directory / job.host / "run"
        places = {HOME: str(home), lock.DIRECTORY: str(self.holder(job.host).parent)}
        operations = tuple(
            Run(tuple(places.get(word, word) for word in operation.argv))
            if isinstance(operation, Run)
            else operation
            for operation in job.operations
        )
        performance = Performance(replace(job, operations=operations), str(home), str(self.kept(job.host)))
        argv = ("sh", "-s", "--", *performance.arguments)
        with closing(ShellChannel(argv, self.environment)) as channel:
            return performance.hold(Conversation(channel, time.monotonic))

    def look(self, questions: Iterable[Question]) -> Answers:
        answers: dict[Question, Answer] = {}
        for question in questions:
            assert isinstance(question, Script)
            if question.host in self.away:
                raise HostUnreachableError(question.host, "no route")
            asked = replace(question, arguments=(str(self.holder(question.host)),))
            with closing(ShellChannel(("sh", "-s"))) as channel:
                answers[question] = converse(Conversation(channel, time.monotonic), [asked])[asked]
        return answers

    def locks(self, holder: Holder) -> HostLocks:
        return HostLocks(self, NAMES, holder, lambda run: f"unlock plan.yaml {run}".rstrip())

    def holders(self) -> list[str | None]:
        """The mark in each host's lock, or None."""
        found = seen(self, NAMES)
        return [one.mark if isinstance(one, Holder) else None for one in found.values()]


@pytest.fixture
def hosts(tmp_path: Path) -> ShellHosts:
    for name in NAMES:
        (tmp_path / name).mkdir()
    return ShellHosts(tmp_path)


def job(name: str, host: str, counter: Path, then: str = "true") -> Job:
    return Job(name, host, (Run(("sh", "-c", f"echo {name} >>{counter}; {then}")),), 20)


def abandoned(hosts: ShellHosts, holder: Holder) -> HostLocks:
    """The locks of a process that was killed with them."""
    locks = hosts.locks(holder)
    for name in NAMES:
        assert locks._take(name).exit_status == 0
    return locks


def lose(hosts: ShellHosts, name: str) -> None:
    hosts.away.add(name)
    raise HostUnreachableError(name, "an error of the run itself")


def test_what_a_lock_holds_is_read_back_whole() -> None:
    assert OURS == lock.read(OURS.text + "\n")
    assert lock.read("") is None
    assert lock.read(replace(OURS, state="/a\nb").text) == replace(OURS, state="/a?b")
    assert str(lock.read("nonsense")).startswith("run nonsense (?, since ?")


def test_a_lock_is_on_every_host_for_root_alone_and_leaves_no_trace(hosts: ShellHosts) -> None:
    with hosts.locks(OURS).held(absent_ok=False, warn=pytest.fail):
        assert ["ab12 1"] * 3 == hosts.holders()
        assert 0o600 == hosts.holder("h1").stat().st_mode & 0o777
    assert [None] * 3 == hosts.holders()
    assert not (hosts.directory / "h1" / "lib").exists()


def test_what_lies_beside_a_lock_stays(hosts: ShellHosts) -> None:
    backup = hosts.directory / "h1" / "lib" / "backup.db"
    backup.parent.mkdir()
    backup.touch()
    with hosts.locks(OURS).held(absent_ok=False, warn=pytest.fail):
        pass
    assert [backup] == list(backup.parent.iterdir())


RIVALS = {
    "another run": replace(OURS, run="cd34"),
    "another bastion": replace(LATER, bastion="bastion 78"),
    "another copy of the state file": replace(LATER, state="/root/copy.jsonl"),
}


@pytest.mark.parametrize("rival", RIVALS.values(), ids=RIVALS)
def test_a_rival_is_reported_who_holds_the_lock_and_nothing_is_stolen(
    hosts: ShellHosts, rival: Holder
) -> None:
    abandoned(hosts, OURS)
    with (
        pytest.raises(
            LockedError, match=r"h1 is locked by run ab12 \(root@bastion, process 9, since"
        ) as refused,
        hosts.locks(rival).held(absent_ok=True, warn=pytest.fail),
    ):
        pytest.fail("the lock was stolen")
    assert "doing run, state file /root/plan.yaml.state.jsonl" in str(refused.value)
    assert str(refused.value).endswith("unlock plan.yaml ab12")
    assert ["ab12 1"] * 3 == hosts.holders()


def test_the_same_run_on_the_same_state_file_takes_over(hosts: ShellHosts) -> None:
    abandoned(hosts, OURS)
    with hosts.locks(LATER).held(absent_ok=False, warn=pytest.fail):
        assert ["ab12 2"] * 3 == hosts.holders()


@pytest.mark.parametrize("text", ["nonsense\n", "ab12 7\n", "\n"])
def test_a_lock_that_cannot_be_read_is_somebody_s(hosts: ShellHosts, text: str) -> None:
    holder = hosts.holder("h2")
    holder.parent.mkdir(parents=True)
    holder.write_text(text)
    with pytest.raises(LockedError), hosts.locks(OURS).held(absent_ok=False, warn=pytest.fail):
        pytest.fail("the lock was stolen")
    assert text == holder.read_text()


def test_refused_at_the_second_host_the_first_is_free_again(hosts: ShellHosts) -> None:
    rival = replace(OURS, run="cd34")
    abandoned(hosts, rival)
    take_away(hosts, "h1", "cd34", "unlock-1")
    with pytest.raises(LockedError, match="h2"), hosts.locks(OURS).held(absent_ok=False, warn=pytest.fail):
        pytest.fail("the lock was stolen")
    assert [None, "cd34 1", "cd34 1"] == hosts.holders()


def test_of_runs_that_come_at_the_same_moment_one_gets_every_lock(hosts: ShellHosts) -> None:
    together, is_over = threading.Barrier(3), threading.Barrier(3)
    won: list[str] = []

    def come(run: str) -> None:
        together.wait()
        try:
            with hosts.locks(replace(OURS, run=run)).held(absent_ok=False, warn=pytest.fail):
                won.append(run)
                is_over.wait(30)  # until the others were refused
        except LockedError:
            is_over.wait(30)

    rivals = [threading.Thread(target=come, args=(run,)) for run in ("aa11", "bb22", "cc33")]
    for each in rivals:
        each.start()
    for each in rivals:
        each.join()
    assert 1 == len(won)
    assert [None] * 3 == hosts.holders()


def test_a_host_that_is_away_stops_a_new_run_and_frees_the_others(hosts: ShellHosts) -> None:
    hosts.away.add("h2")
    with (
        pytest.raises(HostUnreachableError, match="h2"),
        hosts.locks(OURS).held(absent_ok=False, warn=pytest.fail),
    ):
        pytest.fail("not every host was locked")
    hosts.away.clear()
    assert [None] * 3 == hosts.holders()


def test_a_host_that_is_away_at_first_is_locked_before_its_first_job(
    hosts: ShellHosts, tmp_path: Path
) -> None:
    hosts.away.add("h2")
    with hosts.locks(OURS).held(absent_ok=True, warn=pytest.fail) as locks:
        hosts.away.clear()
        assert ["ab12 1", None, "ab12 1"] == hosts.holders()
        assert 0 == locks.perform(job("d1", "h2", tmp_path / "count")).exit_status
        assert ["ab12 1"] * 3 == hosts.holders()


def test_a_host_that_is_away_at_the_end_is_reported_and_hides_nothing(hosts: ShellHosts) -> None:
    reported: list[str] = []
    with (
        pytest.raises(HostUnreachableError, match="of the run"),
        hosts.locks(OURS).held(absent_ok=False, warn=reported.append),
    ):
        lose(hosts, "h2")
    assert "stays on h2" in reported[0]
    hosts.away.clear()
    assert [None, "ab12 1", None] == hosts.holders()


def test_a_lock_that_cannot_be_written_refuses(hosts: ShellHosts) -> None:
    (hosts.directory / "h3" / "lib").touch()
    with (
        pytest.raises(RefusedError, match="nothing was changed: h3: its lock cannot be taken: mkdir"),
        hosts.locks(OURS).held(absent_ok=False, warn=pytest.fail),
    ):
        pytest.fail("not every host was locked")
    assert [None] * 2 == hosts.holders()[:2]


@pytest.mark.parametrize("usurper", [None, replace(OURS, run="cd34")], ids=["nobody", "another run"])
def test_a_process_whose_lock_was_taken_away_can_do_nothing(
    hosts: ShellHosts, tmp_path: Path, usurper: Holder | None
) -> None:
    old = abandoned(hosts, OURS)
    assert 0 == old.perform(job("d1", "h1", tmp_path / "count")).exit_status
    for name in NAMES:
        assert "released\n" == take_away(hosts, name, "ab12", "unlock-1").output
    if usurper:
        abandoned(hosts, usurper)

    reported = "run cd34" if usurper else "nobody holds it now"
    with pytest.raises(LockedError, match=rf"our lock was taken away, .*{reported}.*d2 did nothing there"):
        old.perform(job("d2", "h1", tmp_path / "count"))
    assert "d1\n" == (tmp_path / "count").read_text()
    assert () == old._release()
    assert [usurper.mark if usurper else None] * 3 == hosts.holders()


def test_a_job_that_was_refused_for_its_lock_may_be_done_with_a_new_one(
    hosts: ShellHosts, tmp_path: Path
) -> None:
    old = abandoned(hosts, OURS)
    take_away(hosts, "h1", "ab12", "unlock-1")
    with pytest.raises(LockedError):
        old.perform(job("d1", "h1", tmp_path / "count"))
    with hosts.locks(LATER).held(absent_ok=False, warn=pytest.fail) as locks:
        assert 0 == locks.perform(job("d1", "h1", tmp_path / "count")).exit_status
    assert "d1\n" == (tmp_path / "count").read_text()


def test_a_lock_does_not_change_hands_in_the_middle_of_a_job(hosts: ShellHosts, tmp_path: Path) -> None:
    old = abandoned(hosts, OURS)
    count = tmp_path / "count"
    worker = threading.Thread(
        target=old.perform, args=[job("d1", "h1", count, f"sleep 1; echo end >>{count}")]
    )
    worker.start()
    while not count.exists():
        time.sleep(0.01)
    assert "released\n" == take_away(hosts, "h1", "ab12", "unlock-1").output
    assert "d1\nend\n" == count.read_text()
    worker.join()


def test_a_wrong_id_takes_nothing_away(hosts: ShellHosts) -> None:
    abandoned(hosts, OURS)
    for wrong in ("ab1", "ab123", "1", "", "ab12 2"):
        assert "not held\n" == take_away(hosts, "h1", wrong, f"unlock-{len(wrong)}").output
    assert ["ab12 1"] * 3 == hosts.holders()


def test_a_step_begins_only_once_its_name_is_put_down(hosts: ShellHosts, tmp_path: Path) -> None:
    count = tmp_path / "count"
    with hosts.locks(OURS).held(absent_ok=False, warn=lambda _: None) as locks:
        for name in ("r1-stage-h1-1", "r1-prove-h1-1"):
            assert 0 == locks.perform(replace(job(name, "h1", count), step="stage/h1")).exit_status
        assert 0 == locks.perform(job("r1-keep-h1", "h1", count)).exit_status  # no step: not of the story
        begun = Path(places.begun(OURS.run, str(hosts.kept("h1"))))
        assert ["r1-stage-h1-1", "r1-prove-h1-1"] == begun.read_text().splitlines()
        assert 0o600 == begun.stat().st_mode & 0o777

        begun.rename(tmp_path / "begun")
        begun.mkdir()
        (begun / "in the way").touch()
        result = locks.perform(replace(job("r1-accept-h1-1", "h1", count), step="accept/h1"))
        assert 1 == result.exit_status
        assert "it cannot be put down that it began" in result.output
    assert 3 == len(count.read_text().splitlines())


def test_gone_on_with_a_host_without_room_is_locked_at_its_first_job_or_fails_there(
    hosts: ShellHosts, tmp_path: Path
) -> None:
    blocked = hosts.kept("h2")
    blocked.write_text("in the way")
    warnings: list[str] = []
    with hosts.locks(OURS).held(absent_ok=True, warn=warnings.append) as locks:
        assert 0 == locks.perform(job("d1", "h1", tmp_path / "count")).exit_status
        assert 0 != locks.perform(job("d2", "h2", tmp_path / "count")).exit_status
    assert ["d1"] == (tmp_path / "count").read_text().splitlines()
    assert not warnings, "what was never ours cannot stay"
