"""--output json: the state file's events as lines on standard output; people are told on standard error."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.fake_program import called, command, environment
from support.terminals import full_pipe
from support.waiting import until

from orchestrator.engine import state_file
from orchestrator.report.event_lines import LINE, schema

RUN = ("run", "plan.yaml", "--yes", "--output", "json")


def told(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The lines of standard output, each of which has to be what the schema says."""
    lines = done.stdout.splitlines()
    for line in lines:
        LINE.validate_json(line)
        fits(json.loads(line), schema())
    return [json.loads(line) for line in lines]


def fits(value: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """What a reader of the schema would ask of a line, as far as it says which fields there are."""
    shapes = [known["$defs"][one["$ref"].rpartition("/")[2]] for one in known["anyOf"]]
    (shape,) = (one for one in shapes if set(one["required"]) <= set(value) <= set(one["properties"]))
    if "event" in value:
        names = shape["properties"]["event"]["discriminator"]["mapping"]
        event = known["$defs"][names[value["event"]["event"]].rpartition("/")[2]]
        assert set(event["required"]) <= set(value["event"]) <= set(event["properties"])


def test_a_run_prints_the_events_of_its_state_file_and_nothing_else(tmp_path: Path) -> None:
    done = called(tmp_path, *RUN)
    lines = told(done)
    assert 0 == done.returncode, done.stderr
    events, _ = state_file.read(tmp_path / "plan.yaml.state.jsonl")
    assert [event.model_dump(mode="json") for event in events] == [line["event"] for line in lines]
    assert {(1, "three-members", events[0].run)} == {  # type: ignore[union-attr]
        (line["format"], line["cluster"], line["run"]) for line in lines
    }
    assert "Migration bridge" in done.stderr
    assert "done: server1 sealed" in done.stderr
    assert " step 18 of 18: seal/server3 (switched to sealed)" in done.stderr


def test_a_resume_prints_what_it_adds(tmp_path: Path) -> None:
    called(tmp_path, "run", "plan.yaml", "--yes", "--until", "staged")
    before, _ = state_file.read(tmp_path / "plan.yaml.state.jsonl")
    resumed = told(called(tmp_path, "run", "plan.yaml", "--resume", "-o", "json"))
    events, _ = state_file.read(tmp_path / "plan.yaml.state.jsonl")
    added = [event.model_dump(mode="json") for event in events[len(before) :]]
    assert added == [line["event"] for line in resumed if line["event"]["event"] != "waiting"]
    assert ("run_began", True) == (resumed[0]["event"]["event"], resumed[0]["event"]["is_resumed"])


def test_watch_prints_the_same_of_a_run_that_is_over(tmp_path: Path) -> None:
    run = told(called(tmp_path, *RUN))
    watched = told(called(tmp_path, "watch", "plan.yaml", "-o", "json"))
    assert [line["event"] for line in run][1:] == [line["event"] for line in watched], "from where it began"


def test_a_reader_that_reads_nothing_stops_nothing(tmp_path: Path) -> None:
    with full_pipe() as writing:
        done = subprocess.run(
            command(tmp_path, *RUN),
            cwd=tmp_path,
            env=environment(),
            stdout=writing,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
    assert 0 == done.returncode


def test_another_output_is_refused(tmp_path: Path) -> None:
    for verb in ("run", "rollback", "watch"):
        done = called(tmp_path, verb, "plan.yaml", "-o", "yaml")
        assert (64, "error: --output yaml: there is text and json\n") == (done.returncode, done.stderr)


def test_the_schema_is_printed(tmp_path: Path) -> None:
    done = called(tmp_path, "schema", "events")
    assert schema() == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--canary", "server9"), "--canary server9: the plan's members are server1, server2, server3"),
        (("--soak", "10m"), "--soak says how long a canary is watched: name it with --canary MEMBER"),
        (("--canary", "server1", "--soak", "long"), "--soak: 'long' is not a duration"),
        (("--step",), "--step asks before each step, and there is no terminal to ask at: leave it out"),
    ],
    ids=["stranger", "alone", "no time", "nobody"],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = called(tmp_path, "run", "plan.yaml", "--yes", *arguments)
    assert (64, f"error: {reason}") == (done.returncode, done.stderr.rstrip().partition(": write one")[0])


def test_the_review_shows_the_canary_first(tmp_path: Path) -> None:
    done = called(tmp_path, "run", "plan.yaml", "--dry-run", "--canary", "server2", "--soak", "10m")
    accepts = [line for line in done.stdout.splitlines() if ": accept" in line]
    assert "server2" in accepts[0], accepts


def test_watch_follows_a_run_that_is_under_way(tmp_path: Path) -> None:
    run = subprocess.Popen(
        command(tmp_path, "run", "plan.yaml", "--yes", job_s=0.2),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((tmp_path / "plan.yaml.state.jsonl").exists)
        watched = called(tmp_path, "watch", "plan.yaml")
        assert 0 == run.wait(60)
    finally:
        run.kill()
        run.wait()
    assert 0 == watched.returncode, watched.stderr
    assert " step 18 of 18: seal/server3 (switched to sealed)" in watched.stderr
    assert "finished; 18 steps taken in " in watched.stderr


def test_watch_without_a_state_file_says_so(tmp_path: Path) -> None:
    done = called(tmp_path, "watch", "plan.yaml")
    assert 64 == done.returncode
    assert "plan.yaml.state.jsonl: there is no state file: no run has begun" in done.stderr


def test_ctrl_c_ends_watch_and_leaves_the_run_alone(tmp_path: Path) -> None:
    run = subprocess.Popen(
        command(tmp_path, "run", "plan.yaml", "--yes", job_s=1.0),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until((tmp_path / "plan.yaml.state.jsonl").exists)
    watch = subprocess.Popen(
        # a test run in the background of a script is started with SIGINT ignored, and so would this be
        ["env", "--default-signal=INT", *command(tmp_path, "watch", "plan.yaml")],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watch.stderr is not None
        assert watch.stderr.readline()
        watch.send_signal(signal.SIGINT)
        assert 130 == watch.wait(60)
        assert 0 == run.wait(60)
    finally:
        for process in (watch, run):
            process.kill()
            process.communicate()


def test_watch_needs_no_certificate_and_no_key(tmp_path: Path) -> None:
    hosts = "".join(f"  - {{name: server{n}, address: 198.18.0.10{n}}}\n" for n in (1, 2, 3))
    pair = "certificate: '{name}.pem', key: '{name}.key', client_certificate: c.pem, client_key: c.key"
    tls = f"tls: {{ca: ca.pem, {pair}, directory: /etc/etcd2}}\n"
    called(tmp_path, *RUN)
    for file in tmp_path.glob("*.pem"):
        file.unlink()
    (tmp_path / "plan.yaml").write_text(f"cluster: three-members\nmembers:\n{hosts}{tls}")
    words = ["-m", "orchestrator", "watch", "plan.yaml"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr
    assert "finished; 18 steps taken in " in done.stderr
