"""A gate reads a record that was written behind the look's beginning: who has just connected is in it."""

import os
import subprocess
import threading
from pathlib import Path

from orchestrator.etcd.facts.talkers import LOOK, Watching, read
from orchestrator.host.questions import Answer

ROW = "row 203.0.113.7 4001 http {0} {0} 1 900 1 - -"
TRIES = "100"


def uptime() -> int:
    return int(float(Path("/proc/uptime").read_text().split()[0]))


def written(record: Path, ticked: int, *rows: str) -> None:
    new = record.with_suffix(".new")
    lines = ("since 1", f"ticked {ticked}.00", "means perl", "ports 4001=http", *rows)
    new.write_text("\n".join((*lines, "")))
    new.replace(record)


def looked(folder: Path, record: Path, tries: str, state: str = "active") -> Watching:
    """Look as a host does, whose systemctl says that the watcher is in that state."""
    (folder / "systemctl").write_text(f"#!/bin/sh\necho {state}\n")
    (folder / "systemctl").chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", LOOK, "check", "watcher.service", str(record), tries],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )
    return read(Answer(0, said.stdout))


def test_who_came_since_the_last_record_is_waited_for(tmp_path: Path) -> None:
    record = tmp_path / "record"
    written(record, uptime() - 1)
    late = threading.Timer(1.5, lambda: written(record, uptime() + 1, ROW.format(uptime())))
    late.start()
    assert [] == list(looked(tmp_path, record, "0").talkers)
    assert ["203.0.113.7"] == [one.address for one in looked(tmp_path, record, TRIES).talkers]
    late.join()


def test_a_watcher_is_woken_for_it(tmp_path: Path) -> None:
    record, pipe = tmp_path / "record", tmp_path / "record.wake"
    written(record, uptime() - 1)
    os.mkfifo(pipe)

    def watch() -> None:
        pipe.read_text()
        written(record, uptime() + 1, ROW.format(uptime()))

    threading.Thread(target=watch, daemon=True).start()
    assert [] == list(looked(tmp_path, record, "0").talkers)
    assert ["203.0.113.7"] == [one.address for one in looked(tmp_path, record, TRIES).talkers]


def test_a_watcher_that_is_gone_or_writes_nothing_new_is_not_waited_for_without_end(tmp_path: Path) -> None:
    record = tmp_path / "record"
    written(record, uptime() - 1)
    (tmp_path / "sleep").write_text(f"#!/bin/sh\ntouch {tmp_path}/waited\n")
    (tmp_path / "sleep").chmod(0o755)
    assert looked(tmp_path, record, TRIES, state="failed").state == "failed"
    assert not (tmp_path / "waited").exists()
    assert looked(tmp_path, record, "3").state == "active"
    assert (tmp_path / "waited").exists()
    assert looked(tmp_path, tmp_path / "none", TRIES).watched_s == 0.0
