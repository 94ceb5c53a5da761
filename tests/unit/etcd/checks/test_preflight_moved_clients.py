"""Clients that the plan moves are looked at first: whether they are well later says nothing otherwise."""

import base64
from pathlib import Path

import pytest
from support.sites import judged, make_site

from orchestrator.etcd.facts.watched import HEALTHY, UNITS
from orchestrator.host.questions import Answer
from orchestrator.plan.model import Clients
from orchestrator.plan.sections import ClientFile, ClientUnit

FILE = ClientFile(path="/etc/patroni/config.yml", content=Path("patroni/{name}.yml"))
PATRONI = ClientUnit(unit="patroni", on=("server1",), files=(FILE,), healthy="patronictl list")
WELL, UNWELL = Answer(0, ""), Answer(1, "", "no leader")


def reported(load: str, active: str, journal: str = "") -> Answer:
    encoded = base64.b64encode(journal.encode()).decode()
    return Answer(0, f"unit patroni LoadState={load} ActiveState={active} {encoded}\nknown patroni2\n")


@pytest.mark.parametrize(
    ("unit", "command", "verdict", "evidence"),
    [
        (reported("loaded", "active"), WELL, "pass", "patroni: active and well"),
        (reported("loaded", "active", "error: no\n"), WELL, "warn", "patroni.service reports errors already"),
        (reported("loaded", "active"), UNWELL, "fail", "not well, says its command 'healthy': no leader"),
        (reported("loaded", "failed"), WELL, "fail", "patroni.service is failed"),
        (reported("not-found", "inactive"), WELL, "fail", "no unit patroni.service; there is patroni2"),
        (Answer(0, "known patroni2\n"), WELL, "fail", "cannot tell: 0 of 1 units"),
    ],
)  # fmt: skip
def test_moved_clients(tmp_path: Path, unit: Answer, command: Answer, verdict: str, evidence: str) -> None:
    site = make_site(tmp_path, clients=Clients(units=(PATRONI,)))
    one = judged("moved clients", site, {UNITS: unit, HEALTHY: command})[0]
    assert (verdict, True) == (one.verdict, evidence in one.evidence), one
    assert "(watch)" not in one.fix


def test_nothing_is_asked_if_nobody_is_moved(tmp_path: Path) -> None:
    (one,) = judged("moved clients", make_site(tmp_path), {})
    assert ("pass", "cluster", "the plan names no client to move") == (one.verdict, one.where, one.evidence)
