"""Where each member is seen to stand, also while hosts do not answer."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.etcd.gather import gather
from orchestrator.host.lock import Holder
from orchestrator.host.questions import Answers, Question
from orchestrator.plan.facts import Target
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report import status
from orchestrator.runbook.model import Runbook

AWAY = HostUnreachableError("server3", "198.18.0.103:22: timed out")
SHUT = LoginRefusedError("server3", "sudo refused admin")


class Watched(World):
    """A world that was walked to some state, of which hosts may stop to answer."""

    error: Exception | None = None

    def walk(self, until: str) -> None:
        self.event_log = MemoryEventLog()
        self.runbook: Runbook = compiled(self.cluster, self)
        self.facts = gather(self.cluster, self.look)
        run(self.runbook, LiveExecutor(self), self.event_log, context(self.cluster), until=until)

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        if self.error and any(question.host == "server3" for question in asked):
            raise self.error
        return super().look(asked)

    def seen(self) -> list[tuple[str | None, str, str]]:
        """State seen, state recorded and remark of every member, looked at anew."""
        targets = [Target(self.cluster, self.facts, host) for host in self.cluster.hosts]
        found = status.observe(self.runbook, self, self.event_log.progress, targets)
        return [(one.state, one.recorded, one.remark) for one in found]


def walked(folder: Path, until: str) -> Watched:
    world = Watched(make_cluster(folder))
    world.walk(until)
    return world


STATES = ["staged", "proven", "accepting", "bridged", "switched", "sealed"]


@pytest.mark.parametrize("state", STATES)
def test_every_member_is_seen_where_it_is_recorded(tmp_path: Path, state: str) -> None:
    assert [(state, state, "")] * 3 == walked(tmp_path, state).seen()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("error", [AWAY, SHUT])
def test_a_host_that_does_not_answer_hides_no_other(tmp_path: Path, state: str, error: Exception) -> None:
    world = walked(tmp_path, state)
    world.error = error
    *others, away = world.seen()
    assert (None, state, str(error)) == away
    assert {(state, state)} == {other[:2] for other in others}
    assert {remark for _, _, remark in others} <= {"", "as far as can be seen without server3"}


def test_what_hands_have_done_is_seen_while_another_host_is_away(tmp_path: Path) -> None:
    world = walked(tmp_path, "switched")
    del world.hosts["server1"].files["/etc/etcd2/ca.pem"]
    world.error = AWAY
    (state, recorded, remark), other, _ = world.seen()
    assert ("switched", None) == (recorded, state)
    assert "ca.pem is missing" in remark
    assert "as far as can be seen without server3" in remark
    assert other[0] == "switched"


def test_a_member_that_stands_elsewhere_says_why_it_is_not_where_it_is_recorded(tmp_path: Path) -> None:
    world = walked(tmp_path, "switched")
    progress = world.event_log.progress
    world.event_log.progress = replace(progress, states={**progress.states, "server2": "sealed"})
    _, (state, recorded, remark), _ = world.seen()
    assert ("switched", "sealed") == (state, recorded)
    assert remark.startswith("the state file says sealed: ")
    assert "server1 sees peer URLs http://" in remark


def test_programs_get_the_same_as_people_with_the_exit_code(tmp_path: Path) -> None:
    world = walked(tmp_path, "staged")
    world.error = AWAY
    targets = [Target(world.cluster, world.facts, host) for host in world.cluster.hosts]
    progress = world.event_log.progress
    seen = status.observe(world.runbook, world, progress, targets)
    anna = Holder(
        "ab12cd34", "1", "bastion1", "/srv/plan.yaml.state.jsonl", "anna@bastion1", "10:00 UTC", "run"
    )
    locks: dict[str, Holder | str | None] = {
        "server1": anna,
        "server2": anna,
        "server3": "no route to host",
        "client1": None,
    }
    error = status.judge(seen, progress, {})
    told = json.loads(status.as_json(seen, progress, world.runbook, error, locks))

    assert (1, 4, True) == (told["format"], told["exit_code"], told["is_under_way"])
    assert ["staged", "staged", None] == [host["state"] for host in told["hosts"]]
    assert [False, False, True] == [host["is_silent"] for host in told["hosts"]]
    holder = {
        "run": "ab12cd34",
        "who": "anna@bastion1",
        "since": "10:00 UTC",
        "doing": "run",
        "state_file": "/srv/plan.yaml.state.jsonl",
        "hosts": ["server1", "server2"],
    }
    assert ([holder], {"server3": "no route to host"}) == (told["locks"], told["locks_unread"])
