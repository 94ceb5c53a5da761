"""Clients on hosts that are no members: moved before http is closed, given back, whatever happens between."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from engine.moving import NEW, OLD, CrashError, Walk, begun, contents

from orchestrator.commands import files, own_files, recall
from orchestrator.errors import OrchestratorError, RefusedError, StoppedError
from orchestrator.etcd import saving
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import MakeDirectory, ReplaceFile, Write
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Target
from orchestrator.report import status
from orchestrator.session import Session

APPS = ("app1", "app2")


def elsewhere(folder: Path, *on: str) -> Walk:
    return begun(folder, elsewhere=APPS, on=on or APPS)


def rounds(walk: Walk) -> list[str]:
    return [stage.round for stage in walk.there.stages]


def test_clients_elsewhere_are_moved_one_by_one_before_http_is_closed_and_given_back(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    first = deepcopy(walk.files)
    assert rounds(walk)[-4:] == ["bridge", "move-clients-elsewhere", "switch", "seal"]
    walk.go(walk.there, until="bridged")
    assert [OLD] * 5 == contents(walk)
    walk.go(walk.there, until="calling-safely")
    assert [OLD] * 3 + [NEW] * 2 == contents(walk)
    each = ("pause", "try-restart patroni.service", "resume")
    assert [f"{name} {what}" for name in APPS for what in each] == walk.world.began
    walk.go(walk.there)
    states = walk.event_log.progress.states
    assert {"sealed", "calling-safely"} == set(states.values())
    assert {"calling-safely"} == {states[name] for name in APPS}
    walk.go(walk.back)
    assert first == walk.files
    assert {} == walk.world.kept


def test_a_clients_host_takes_no_other_step(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    steps = [step for stage in walk.there.stages for step in stage.steps if step.host in APPS]
    assert ["move-clients-elsewhere/app1", "move-clients-elsewhere/app2"] == [step.id for step in steps]
    walk.go(walk.there)
    jobs = [job for job in walk.world.performed if job.host in APPS]
    assert [True] * 2 == [isinstance(job.operations[0], ReplaceFile) for job in jobs]


def test_a_client_on_members_and_elsewhere_takes_both_rounds(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path, "server2", "app1", "app2")
    assert rounds(walk)[-4:] == ["move-clients", "move-clients-elsewhere", "switch", "seal"]
    walk.go(walk.there)
    assert [OLD, NEW, OLD, NEW, NEW] == contents(walk)


@pytest.mark.parametrize("way", ["there", "back"])
def test_wherever_a_run_ends_it_goes_on_from_there(tmp_path: Path, way: str) -> None:
    walk = elsewhere(tmp_path)
    walk.go(walk.there, until="bridged")
    before = deepcopy(walk.files)
    ends: dict[str, tuple[Callable[[Walk], None], str]] = {
        "there": (lambda one: one.go(one.there, until="calling-safely"), NEW),
        "back": (lambda one: one.go(one.back, until="calling"), OLD),
    }
    if way == "back":
        walk.go(walk.there, until="calling-safely")
    go, content = ends[way]
    counted = walk.struck(-1)
    go(counted)
    strikes = [number for number, name in enumerate(counted.moments) if "app1" in name]
    assert len(strikes) > 5
    for strike in strikes:
        one = walk.struck(strike)
        with suppress(CrashError):
            go(one)
        one.strike = -1
        go(one)
        assert contents(one)[3:] == [content] * 2, counted.moments[strike]
        hooks = {f"{name} {word}" for name in APPS for word in ("pause", "resume")}
        assert hooks <= set(one.world.began[len(walk.world.began) :]), counted.moments[strike]
        if way == "back":
            assert before == one.files


def test_after_a_crash_in_the_middle_of_a_step_a_rollback_gives_everything_back(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    first = deepcopy(walk.files)
    walk.go(walk.there, until="bridged")
    counted = walk.struck(-1)
    counted.go(counted.there, until="calling-safely")
    for strike in [number for number, name in enumerate(counted.moments) if "app2" in name]:
        one = walk.struck(strike)
        with suppress(CrashError):
            one.go(one.there, until="calling-safely")
        one.strike = -1
        one.go(one.back)
        assert first == one.files, counted.moments[strike]


def test_a_client_that_is_not_well_stops_the_run_before_the_next_host(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    walk.world.unwell = {"app1"}
    with pytest.raises(OrchestratorError, match="patroni is not well, says its command 'healthy': no leader"):
        walk.go(walk.there)
    assert [NEW, OLD] == contents(walk)[3:]
    walk.world.unwell = set()
    walk.go(walk.back)
    assert [OLD] * 2 == contents(walk)[3:]


def test_a_client_that_fails_later_holds_up_no_member(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    walk.go(walk.there, until="calling-safely")
    walk.world.unwell = {"app1"}
    walk.go(walk.there)
    assert {"sealed"} == {walk.event_log.progress.states[name] for name in walk.world.hosts}


def test_no_client_is_moved_while_a_member_is_not_healthy(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    walk.go(walk.there, until="bridged")
    walk.world.hosts["server3"].is_running = False
    with pytest.raises(OrchestratorError, match="server3 is not healthy"):
        walk.go(walk.there)
    assert [OLD] * 2 == contents(walk)[3:]


def test_a_change_by_hand_there_is_named_and_stays(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    walk.go(walk.there, until="calling-safely")
    host = walk.world.clients["app2"]
    path = next(iter(host.files))
    host.files[path] = (f"{NEW}# by hand\n", *host.files[path][1:])
    for runbook in (walk.there, walk.back):
        with pytest.raises(StoppedError, match=f"manual change found: app2: .*{path} is not as the plan"):
            walk.go(runbook)
    assert f"{NEW}# by hand\n" == contents(walk)[4]


def test_the_guides_strategy_has_no_step_for_them(tmp_path: Path) -> None:
    walk = begun(tmp_path, elsewhere=APPS, on=APPS, strategy="guide")
    assert not [step for stage in walk.there.stages for step in stage.steps if step.host in APPS]


def session(walk: Walk, folder: Path, strategy: str = "bridge") -> Session:
    return Session(folder / "plan", folder / "state", walk.cluster, MIGRATIONS[strategy], (), walk.world)


def test_files_and_status_show_a_clients_host(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    shown = files.reported(session(walk, tmp_path), "app1")
    assert shown.startswith("app1 stands in calling.\n\nfrom calling-safely on:\n  replace /etc/patroni/")
    facts = gather(walk.cluster, walk.world.look)
    assert {"app1", "app2"} == set(facts.clients)
    walk.go(walk.there)
    app = Target(walk.cluster, facts, walk.cluster.clients.hosts[0])
    progress = walk.event_log.progress
    (seen,) = status.observe(walk.there, walk.world, progress, [app])
    assert ("app1", "198.18.0.121", "calling-safely", "") == (
        seen.member,
        seen.address,
        seen.state,
        seen.remark,
    )
    assert status.judge((seen,), progress, walk.there.finals) is None


def test_nothing_is_kept_there_but_what_tells_of_the_run(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    target = Target(walk.cluster, gather(walk.cluster, walk.world.look), walk.cluster.clients.hosts[0])
    kept = list(saving.surroundings(target, "ab12cd34", "{}"))
    assert [MakeDirectory, MakeDirectory, Write] == [type(one) for one in kept]


def test_a_run_goes_on_with_the_clients_hosts_with_which_it_began(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    facts = gather(walk.cluster, walk.world.look)
    clients = walk.cluster.clients.model_copy(update={"hosts": walk.cluster.clients.hosts[:1]})
    walk.cluster = walk.cluster.model_copy(update={"clients": clients})
    with pytest.raises(RefusedError, match="and the run began with app1, app2, server1"):
        recall.compile_there(session(walk, tmp_path), facts)


def test_no_own_files_of_etcds_are_looked_for_there(tmp_path: Path) -> None:
    walk = elsewhere(tmp_path)
    facts = gather(walk.cluster, walk.world.look)
    targets = [Target(walk.cluster, facts, host) for host in walk.cluster.hosts]
    assert {"server1", "server2", "server3"} == set(own_files.places(session(walk, tmp_path), targets))
