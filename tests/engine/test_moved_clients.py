"""Clients that systemd runs on members' hosts: moved one host at a time, given back by a rollback."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from engine.moving import NEW, OLD, PATH, CrashError, Walk, begun, contents
from engine.world import World, make_cluster

from orchestrator.commands import files
from orchestrator.errors import OrchestratorError, RefusedError, StoppedError
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.report.review.operations import operation_lines
from orchestrator.runbook.compile import compile_forward
from orchestrator.session import Session


def test_clients_are_moved_before_http_is_closed_and_given_back(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    first = deepcopy(walk.files)
    assert [stage.round for stage in walk.there.stages][-4:] == ["bridge", "move-clients", "switch", "seal"]
    walk.go(walk.there, until="moved")
    assert contents(walk) == [NEW] * 3
    each = ("pause", "try-restart patroni.service", "resume")
    assert [f"server{number} {what}" for number in (1, 2, 3) for what in each] == walk.world.began
    assert {host.files[PATH][1:] for host in walk.world.hosts.values()} == {(0o640, "root", "postgres")}
    walk.go(walk.there)
    assert {"sealed"} == set(walk.event_log.progress.states.values())
    walk.go(walk.back)
    assert first == walk.files
    assert {} == walk.world.kept


def test_only_the_named_hosts_have_it_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    walk = begun(tmp_path, on=("server2",), restart="reload", before=None, after=None)
    walk.go(walk.there, until="moved")
    assert contents(walk) == [OLD, NEW, OLD]
    assert ["server2 reload patroni.service"] == walk.world.began


def test_a_client_that_has_its_new_content_already_is_left_alone(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    for host in walk.world.hosts.values():
        host.files[PATH] = (NEW, 0o640, "root", "postgres")
    facts = gather(walk.cluster, walk.world.look)
    step = compile_forward(walk.cluster, facts, MIGRATIONS["bridge"]).step("move-clients/server1")
    assert () == step.operations


def test_a_plan_without_such_clients_has_no_such_round(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    runbook = compile_forward(cluster, gather(cluster, World(cluster).look), MIGRATIONS["bridge"])
    assert "move-clients" not in [stage.round for stage in runbook.stages]
    assert ("bridged", "switched") == (
        runbook.step("switch/server1").source,
        runbook.step("switch/server1").target,
    )


@pytest.mark.parametrize("way", ["there", "back"])
def test_wherever_a_run_ends_it_goes_on_from_there(tmp_path: Path, way: str) -> None:
    walk = begun(tmp_path)
    first = deepcopy(walk.files)
    walk.go(walk.there, until="bridged")
    at_bridged = deepcopy(walk.files)
    ends: dict[str, tuple[Callable[[Walk], None], str]] = {
        "there": (lambda one: one.go(one.there, until="moved"), NEW),
        "back": (lambda one: one.go(one.back, until="bridged"), OLD),
    }
    if way == "back":
        walk.go(walk.there, until="moved")
    go, content = ends[way]
    counted = walk.struck(-1)
    go(counted)
    assert first != at_bridged
    for strike in _of_one_host(counted.moments):
        one = walk.struck(strike)
        with suppress(CrashError):
            go(one)
        one.strike = -1
        go(one)
        assert contents(one) == [content] * 3, counted.moments[strike]
        # the file alone says nothing of what the client runs with: each has read it anew, to the end
        hooks = [
            word for host in ("server1", "server2", "server3") for word in (f"{host} pause", f"{host} resume")
        ]
        assert set(hooks) <= set(one.world.began[len(walk.world.began) :]), counted.moments[strike]
        if way == "back":
            assert at_bridged == one.files


def _of_one_host(moments: list[str]) -> Iterable[int]:
    return (number for number, name in enumerate(moments) if "server1" in name)


def test_a_client_that_is_not_well_stops_the_run_before_the_next_host(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    walk.world.unwell = {"server1"}
    with pytest.raises(OrchestratorError, match="patroni is not well, says its command 'healthy': no leader"):
        walk.go(walk.there, until="moved")
    assert contents(walk) == [NEW, OLD, OLD]
    walk.world.unwell = set()
    walk.go(walk.back)
    assert contents(walk) == [OLD] * 3


def test_a_change_by_hand_behind_the_step_is_named_and_stays(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    walk.go(walk.there, until="moved")
    host = walk.world.hosts["server1"]
    host.files[PATH] = (f"{NEW}# by hand\n", *host.files[PATH][1:])
    for runbook in (walk.there, walk.back):
        with pytest.raises(StoppedError, match=f"manual change found: server1: .*{PATH} is not as the plan"):
            walk.go(runbook)
    assert f"{NEW}# by hand\n" == contents(walk)[0]


def test_what_differs_is_shown_without_secrets_and_only_what_everybody_may_read(tmp_path: Path) -> None:
    shown = _shown(begun(tmp_path, 0o644))
    assert [
        "  | @@ -2 +2 @@",
        "  | -protocol: http",
        "  | +protocol: https",
    ] == shown
    assert ["  | (what differs is not shown: not everybody may read the file, 0640 root:postgres)"] == _shown(
        begun(tmp_path)
    )


def _shown(walk: Walk) -> list[str]:
    operation = walk.there.step("move-clients/server1").operations[0]
    assert "hunter" not in repr(operation)
    return list(operation_lines(operation))[1:]


def test_a_content_that_was_changed_since_the_run_began_is_refused(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    facts = gather(walk.cluster, walk.world.look)
    (tmp_path / "server2.yml").write_text("anything else")
    with pytest.raises(RefusedError, match=r"server2\.yml was changed"):
        compile_forward(walk.cluster, facts, MIGRATIONS["bridge"])


def test_a_file_that_is_not_there_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    del walk.world.hosts["server3"].files[PATH]
    with pytest.raises(RefusedError, match=f"server3: client patroni: {PATH} is not there"):
        gather(walk.cluster, walk.world.look)


def test_files_tells_where_a_clients_old_and_new_content_are(tmp_path: Path) -> None:
    walk = begun(tmp_path)
    session = Session(
        tmp_path / "plan.yaml", tmp_path / "state", walk.cluster, MIGRATIONS["bridge"], (), walk.world
    )
    shown = files.reported(session, "server1")
    assert "\nfrom moved on:\n  replace /etc/patroni/config.yml (sha256 " in shown
    assert "  the new content is the plan's (clients.units)" in shown
    assert f"for root alone: /var/lib/orchestrator/replaced{PATH}" in shown
    assert "hunter" not in shown
