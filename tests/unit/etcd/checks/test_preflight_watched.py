"""Watched units are looked at before the first change: one that is not there would stop a run half-way."""

import base64
from pathlib import Path

import pytest
from support.sites import judged, make_site

from orchestrator.etcd.facts.watched import UNITS
from orchestrator.host.questions import Answer
from orchestrator.plan.model import Watch


def reported(load: str, active: str, journal: str = "") -> Answer:
    encoded = base64.b64encode(journal.encode()).decode()
    line = f"unit patronii LoadState={load} ActiveState={active} {encoded}"
    return Answer(0, f"{line}\nknown patroni\nknown ssh\n")


@pytest.mark.parametrize(
    ("answer", "verdict", "evidence"),
    [
        (reported("loaded", "active"), "pass", "patronii: active and quiet"),
        (reported("loaded", "active", "all is well\n"), "pass", "quiet"),
        (reported("loaded", "active", "error: \x1b[31mno\n"), "warn", r"any restart: error: \x1b[31mno"),
        (reported("not-found", "inactive"), "fail", "there is no unit patronii.service; there is patroni"),
        (reported("masked", "inactive"), "fail", "patronii.service is masked"),
        (reported("loaded", "failed"), "fail", "patronii.service is failed"),
        (reported("loaded", "activating"), "fail", "patronii.service is activating"),
        (Answer(0, "known patroni\n"), "fail", "cannot tell: 0 of 1 units"),
        (Answer(1, reported("loaded", "active").stdout), "fail", "cannot tell"),
    ],
)  # fmt: skip
def test_watched_units(tmp_path: Path, answer: Answer, verdict: str, evidence: str) -> None:
    site = make_site(tmp_path, watch=Watch(units=("patronii",)))
    (one,) = judged("watch", site, {UNITS: answer})
    assert (verdict, True) == (one.verdict, evidence in one.evidence), one


def test_nothing_is_asked_if_nothing_is_watched(tmp_path: Path) -> None:
    (one,) = judged("watch", make_site(tmp_path), {})
    assert ("pass", "cluster", "the plan names no unit to watch") == (one.verdict, one.where, one.evidence)


def test_a_masked_unit_is_unmasked_and_a_noisy_one_is_read(tmp_path: Path) -> None:
    site = make_site(tmp_path, watch=Watch(units=("patronii",)))
    (masked,) = judged("watch", site, {UNITS: reported("masked", "inactive")})
    assert masked.fix.startswith("systemctl unmask patronii.service && systemctl start patronii.service")
    (noisy,) = judged("watch", site, {UNITS: reported("loaded", "active", "error: no\n")})
    assert "journalctl --unit patronii.service" in noisy.fix
    assert r"errors: '(?i)\b(fatal|panic)\b'" in noisy.fix


def test_a_pattern_that_does_not_come_to_an_end_is_a_fault_with_its_fix(tmp_path: Path) -> None:
    site = make_site(tmp_path, watch=Watch(units=("patronii",), errors="(a|a)+$"))
    (one,) = judged("watch", site, {UNITS: reported("loaded", "active", "a" * 60 + "!")})
    assert "fail" == one.verdict
    assert one.evidence.startswith(
        "watch.errors of the plan takes longer than 2 s over the journal of patronii"
    )
    assert r"errors: '(?i)\b(fatal|panic)\b'" in one.fix
