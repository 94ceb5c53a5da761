"""A client that knows http alone is served until it is cut off on purpose, and again from the way back on."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live.conftest import FRESH, booted
from live.stories import failure, first_of, orchestrator, restarts, wait_until_healthy

from orchestrator.engine.events import StepStarted, StepSucceeded
from orchestrator.lab.hosts import host as hosts
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

ASKED = "/health"
AT_ONCE = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stayer(threading.Thread):
    """Asks the first member that answers over plain http, four times a second; it fails when none does."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(daemon=True)
        self._lab = lab
        self._urls = [f"http://{host.entry.address}:2379{ASKED}" for host in lab.hosts]
        self._is_over = threading.Event()
        self.answered = 0
        self.failed_at: list[float] = []

    def run(self) -> None:
        with self._lab.in_bastion():
            while not self._is_over.wait(0.25):
                if any(map(self._is_answered, self._urls)):
                    self.answered += 1
                else:
                    self.failed_at.append(time.time())

    def _is_answered(self, url: str) -> bool:
        try:
            with AT_ONCE.open(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        self._is_over.set()
        self.join()


@contextmanager
def staying(lab: Lab) -> Iterator[Stayer]:
    client = Stayer(lab)
    client.start()
    try:
        yield client
    finally:
        client.stop()


def cut_off(lab: Lab) -> dict[str, list[str]]:
    """Addresses that the program says are cut off when http is closed, by member."""
    shown = orchestrator(lab, "clients", PLAN, "--output", "json")
    assert shown.returncode == 0, failure(shown)
    return {
        member["name"]: sorted({one["address"] for one in member["clients"] if one["is_cut_off"]})
        for member in json.loads(shown.stdout)["members"]
    }


@pytest.mark.timeout(600)
def test_who_knows_http_alone_stops_the_run_and_is_cut_off_only_on_purpose(
    base_system: Path,  # noqa: ARG001 - it has to be there
    hasty_plan: Path,
) -> None:
    with booted(FRESH, hasty_plan, etcd="3.5.30") as lab, staying(lab) as client:
        stopped = orchestrator(lab, "run", PLAN, "--yes")
        assert stopped.returncode == 7, failure(stopped)
        assert "talks plain http" in stopped.stderr
        assert "--cut-off" in stopped.stderr
        assert dict.fromkeys(restarts(lab), 1) == restarts(lab)
        (address,) = cut_off(lab)["server1"]
        assert f"{address} to server1:2379" in stopped.stderr

        hosts.reboot(lab.host("server3"))  # days may pass here, and whatever they bring
        wait_until_healthy(lab)
        status = orchestrator(lab, "status", PLAN).stdout
        assert "resting: the round 'switch' waits until clients have moved; not yet: " in status
        assert address in status
        assert [address] == cut_off(lab)["server1"]
        assert [] == client.failed_at

        cut = orchestrator(lab, "run", PLAN, "--resume", "--cut-off")
        assert cut.returncode == 0, failure(cut)
        assert "warning: cut off, as asked: " in cut.stderr
        assert address in cut.stderr
        assert client.failed_at
        answered = client.answered

        back = orchestrator(lab, "rollback", PLAN, "--yes")
        assert back.returncode == 0, failure(back)
        assert client.answered > answered
        closed, served = first_of(lab, StepStarted, "switch"), first_of(lab, StepSucceeded, "undo-switch")
        assert [] == [at for at in client.failed_at if not closed < at < served]
