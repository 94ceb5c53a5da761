"""The file for node_exporter: whole at every moment, for everybody to read, and never in a run's way."""

import json
import stat
import subprocess
import time
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster
from prometheus_client.parser import text_string_to_metric_families
from support.fake_program import called, command, environment
from unit.pki.pki_plans import certs, cluster_in, plan_in

from orchestrator.engine.events import Opened, RunBegan
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.gather import gather
from orchestrator.migrations import MIGRATIONS
from orchestrator.notify.metrics import expiries, of_run, rendered
from orchestrator.pki.reading import certificates
from orchestrator.remote.executor import LiveExecutor
from orchestrator.report.view import View

FILE = "etcd.prom"
Samples = dict[tuple[str, ...], float]


def started(folder: Path, *arguments: str, file: str = FILE, umask: int = 0o077) -> str:
    """Run a command of the program over fake hosts, and return what it told people."""
    (folder / "notify.json").write_text(json.dumps({"metrics_file": file}))
    done = called(folder, *arguments, umask=umask)
    assert 0 == done.returncode, done.stderr
    return done.stderr


def samples(path: Path) -> Samples:
    """Every sample: name and values of its own labels, without those that all of them have."""
    found: Samples = {}
    for family in text_string_to_metric_families(path.read_text()):
        assert family.documentation
        for sample in family.samples:
            assert "three-members" == sample.labels.pop("cluster")
            sample.labels.pop("run", None)
            name = sample.name.removeprefix("etcd_orchestrator_")
            assert name != sample.name
            found[(name, *sample.labels.values())] = sample.value
    return found


def test_a_finished_run_is_told_and_everybody_may_read_it(tmp_path: Path) -> None:
    began = time.time()
    started(tmp_path, "run", "plan.yaml", "--yes")
    told = samples(tmp_path / FILE)
    expected = {
        ("run_in_progress",): 0.0,
        ("steps",): 18.0,
        ("steps_done",): 18.0,
        ("steps_in_doubt",): 0.0,
        ("members_away",): 0.0,
        ("restarts_total",): 6.0,
        ("host_state", "server1", "sealed"): 1.0,
        ("host_state", "server1", "switched"): 0.0,
        ("run_outcome", "finished"): 1.0,
        ("run_outcome", "stopped"): 0.0,
    }
    assert expected == {name: told[name] for name in expected}
    assert began <= told[("last_event_timestamp_seconds",)] <= time.time()
    assert 0o644 == stat.S_IMODE((tmp_path / FILE).stat().st_mode)
    assert [FILE] == [path.name for path in tmp_path.iterdir() if FILE in path.name]


def test_the_way_back_counts_its_own_steps(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world, event_log = World(cluster), MemoryEventLog()
    runbook = compiled(cluster, world)
    run(runbook, LiveExecutor(world), event_log, context(cluster), until="proven")
    bridge = MIGRATIONS["bridge"].of(cluster)
    opened, *events = event_log.events
    assert isinstance(opened, Opened)
    opened = opened.model_copy(update={"facts": gather(cluster, world.look)})
    view = View.of([opened, *events], cluster, bridge)
    assert view is not None
    back = view.after(
        RunBegan(pid=1, host="b", user="u", runbook="d1" * 32, is_resumed=True, direction="back")
    )
    shown = {}
    for name, one in (("paused", view), ("back", back)):
        path = tmp_path / f"{name}.prom"
        path.write_bytes(rendered(of_run(one, 5.0, is_at_work=True)))
        shown[name] = samples(path)
    counts = [("steps",), ("steps_done",), ("run_in_progress",), ("last_event_timestamp_seconds",)]
    assert [18.0, 6.0, 0.0, 5.0] == [shown["paused"][name] for name in counts]
    assert [6.0, 0.0, 1.0, 5.0] == [shown["back"][name] for name in counts]
    assert 1.0 == shown["paused"][("run_outcome", "paused")]
    assert [("back", "bridge")] == [name[1:3] for name in shown["back"] if name[0] == "run_info"]
    assert {name[0] for name in shown["back"]}.isdisjoint({"run_outcome"}), "it has not ended"


def test_the_day_on_which_each_certificate_expires_is_told(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    certs(plan)
    cluster = cluster_in(tmp_path)
    (tmp_path / FILE).write_bytes(rendered(expiries(cluster)))
    first = cluster.members[0]
    told = {
        sample.labels["path"]: (sample.labels["host"], sample.value)
        for family in text_string_to_metric_families((tmp_path / FILE).read_text())
        for sample in family.samples
    }
    expires = certificates(first.certificate)[0].not_valid_after_utc.timestamp()
    assert (first.name, expires) == told[str(first.certificate)]
    assert "" == told[str(cluster.tls.ca)][0]
    assert len(cluster.etcd_hosts) + 2 == len(told)
    first.certificate.unlink()
    (left_out,) = expiries(cluster)
    assert len(cluster.etcd_hosts) + 1 == len(left_out.samples)


def test_a_run_under_way_is_told_while_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "notify.json").write_text(json.dumps({"metrics_file": FILE}))
    run = subprocess.Popen(
        command(tmp_path, "run", "plan.yaml", "--yes", job_s=0.2),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seen, deadline = list[Samples](), time.monotonic() + 60
        while run.poll() is None and time.monotonic() < deadline:
            if (tmp_path / FILE).exists():
                seen.append(samples(tmp_path / FILE))  # it can be read at every moment
            time.sleep(0.01)
    finally:
        run.kill()
        run.wait()
    done = [one[("steps_done",)] for one in seen if one[("run_in_progress",)]]
    assert done == sorted(done)
    assert len(set(done)) > 3, "it goes on"
    assert 1.0 in {one[("members_away",)] for one in seen}


@pytest.mark.parametrize("file", ["no/such/folder/etcd.prom", "/proc/etcd.prom"])
def test_a_file_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path: Path, file: str) -> None:
    told = started(tmp_path, "run", "plan.yaml", "--yes", file=file)
    assert 1 == told.count(": No such file or directory. The run is not affected")
    assert 1 == told.count(" events did not arrive; the state file has all")


def test_a_dry_run_writes_none(tmp_path: Path) -> None:
    started(tmp_path, "run", "plan.yaml", "--dry-run")
    assert not (tmp_path / FILE).exists()
