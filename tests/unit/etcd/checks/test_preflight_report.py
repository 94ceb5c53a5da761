"""The report of the checks, the page about them, and the scripts that they run on hosts."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.sites import make_site

from orchestrator.commands import check, preflight
from orchestrator.errors import HostUnreachableError, LoginRefusedError, RefusedError
from orchestrator.etcd import watching
from orchestrator.etcd.checks.item import Finding
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.table import ROLES
from orchestrator.output import Styled, plain
from orchestrator.plan.model import Watch
from orchestrator.report.findings import report
from orchestrator.session import Session


def finding(check: str, where: str, verdict: str, evidence: str = "seen", fix: str = "do it") -> Finding:
    assert verdict in {"pass", "warn", "fail"}
    return Finding(check, where, verdict, evidence, "because", fix)  # type: ignore[arg-type]


def test_a_report_is_grouped_by_check_with_the_worst_first() -> None:
    parts = report(
        [
            finding("ports", "server1", "pass", "free"),
            finding("ports", "server2", "fail", "taken", "stop it"),
            finding("ports", "server3", "pass", "free"),
            finding("login", "server1", "pass", "root"),
            finding("gate: x", "server1", "warn", "odd\nindeed"),
        ]
    )
    assert (
        "login    pass  server1: root\n"
        "ports    fail  server2: taken\n"
        "               fix: stop it\n"
        "               why:  because\n"
        "         pass  server1, server3: free\n"
        "gate: x  warn  server1: odd\n"
        "                 indeed\n"
        "               fix: do it\n"
        "               why:  because\n"
        "3 passed, 1 warned, 1 failed"
    ) == plain(parts)


def test_a_report_may_leave_out_what_is_well_and_counts_it_all_the_same() -> None:
    reported = plain(report([finding("login", "a", "pass"), finding("tools", "a", "warn")], passes=False))
    assert "login" not in reported
    assert reported.endswith("1 passed, 1 warned, 0 failed")


def test_colors_are_for_verdicts_and_a_host_cannot_add_its_own() -> None:
    parts = report([finding("login", "a", "fail", "\033[2J")])
    assert [Styled("fail", "red")] == [part for part in parts if isinstance(part, Styled)]
    assert "\033" not in plain(parts)


class Hosts:
    """Hosts of which each fails in its own way; the others answer everything with nothing."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        self.errors = errors

    def look(self, questions: Iterable[Question]) -> Answers:
        asked = tuple(questions)
        for question in asked:
            if question.host in self.errors:
                raise self.errors[question.host]
        return dict.fromkeys(asked, Answer(1, "", "nothing"))

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)


def session(folder: Path, errors: dict[str, Exception]) -> Session:
    site = make_site(folder)
    return Session(folder / "plan.yaml", folder / "s", site.cluster, MIGRATIONS["bridge"], (), Hosts(errors))


def test_each_host_that_cannot_be_asked_is_named_and_the_others_are_asked(tmp_path: Path) -> None:
    errors: dict[str, Exception] = {
        "server1": LoginRefusedError("server1", "sudo refused admin"),
        "server3": HostUnreachableError("server3", "198.18.0.103:22: timed out"),
    }
    found = preflight.look(session(tmp_path, errors)).findings
    logins = {one.where: (one.verdict, one.evidence) for one in found if one.check == "login"}

    assert ("fail", "sudo refused admin") == logins["server1"]
    assert ("fail", "198.18.0.103:22: timed out") == logins["server3"]
    assert "pass" == logins["server2"][0]
    assert {"server2"} == {one.where for one in found if one.check == "tools"}
    assert any("server1, server3" in one.evidence for one in found if one.check == "facts")
    assert ["pass"] == [one.verdict for one in found if one.check == "certificates"]


def test_facts_that_do_not_fit_are_findings_each(tmp_path: Path) -> None:
    found = preflight.look(session(tmp_path, {})).findings
    reported = [one.evidence for one in found if one.check == "facts"]
    why = "it does not report its version (nothing); the check 'versions' prints what to do"
    assert [f"server1: {why}", f"server2: {why}", f"server3: {why}"] == reported


def seen(check: str, verdict: str, *lost: HostUnreachableError, passes_by: bool = True) -> preflight.Looked:
    return preflight.Looked((replace(finding(check, "cluster", verdict), passes_by=passes_by),), None, lost)


LAGGING = seen("raft lag", "fail")
LOST = seen("raft lag", "fail", HostUnreachableError("server3", "timed out"))
WELL, BROKEN = seen("raft lag", "pass"), seen("disk", "fail", passes_by=False)
BOTH = preflight.Looked(LAGGING.findings + BROKEN.findings, None, ())


@pytest.mark.parametrize(
    ("looks", "pauses"),
    [
        ([WELL], []),
        ([LAGGING, WELL], [3.0]),
        ([LAGGING, LAGGING], [3.0]),  # and then it is one
        ([BROKEN], []),
        ([BOTH], []),
        ([LOST], []),
    ],
)
def test_only_what_may_be_over_in_a_moment_is_looked_at_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: list[preflight.Looked], pauses: list[float]
) -> None:
    left, slept = list(looks), list[float]()
    monkeypatch.setattr(preflight._Looking, "look", lambda _: left.pop(0))
    assert preflight.look(session(tmp_path, {}), sleep=slept.append) is looks[-1]
    assert ([], pauses) == (left, slept)


def test_a_failure_refuses_with_what_failed_and_what_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        RefusedError, match=r"nothing was changed: .*facts \(cluster\).* check again: .* check "
    ):
        check.show(session(tmp_path, {}))
    assert " failed\n" in capsys.readouterr().out


def test_before_a_run_everything_that_failed_is_reported_in_the_refusal(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        check.passed(session(tmp_path, {}))
    reported = str(refused.value)
    assert 5 == refused.value.exit_code
    assert reported.startswith("nothing was changed; the checks found:")
    for evidence in ("facts", "server2: it does not report", "tools", "fix: ", "why: ", "check again: "):
        assert evidence in reported


def test_before_a_run_a_refused_login_keeps_its_own_words_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors: dict[str, Exception] = {
        "server1": HostUnreachableError("server1", "198.18.0.101:22: timed out"),
        "server3": LoginRefusedError("server3", "its key is not the known one"),
    }
    with pytest.raises(LoginRefusedError, match="its key is not the known one") as refused:
        check.passed(session(tmp_path, errors))
    assert 4 == refused.value.exit_code
    assert "timed out" in capsys.readouterr().out


def test_gates_of_the_first_state_are_checks_by_their_own_names(tmp_path: Path) -> None:
    """The engine's world answers every gate; of the checklist's own scripts it knows the facts' alone."""
    cluster = make_cluster(tmp_path)
    site = make_site(tmp_path)
    world = World(cluster)

    class Partly:
        def look(self, questions: Iterable[Question]) -> Answers:
            return {question: self._one(question) for question in questions}

        def _one(self, question: Question) -> Answer:
            try:
                return world.look([question])[question]
            except KeyError:
                return Answer(1, "", "not in this world")

        def perform(self, job: Job) -> JobResult:
            raise AssertionError(job)

    world.hosts["server2"].environment["ETCD_LISTEN_PEER_URLS"] = "https://0.0.0.0:2380"
    opened = Session(tmp_path / "plan.yaml", tmp_path / "s", site.cluster, MIGRATIONS["bridge"], (), Partly())
    found = preflight.look(opened).findings
    gates = {(one.check, one.where): one for one in found if one.check.startswith("gate: ")}

    assert {name.name for name in site.cluster.members} == {where for _, where in gates}
    assert "pass" == gates["gate: healthy", "server2"].verdict
    refused = gates["gate: running with http", "server2"]
    assert ("fail", True) == (refused.verdict, "ETCD_LISTEN_PEER_URLS already holds" in refused.evidence)
    assert "'plaintext'" in refused.why


def scripts(folder: Path) -> dict[str, str]:
    """Every script that the checklist's own questions run, by the name of its check."""
    site = make_site(folder, "server1", "server2", "server3", watch=Watch(units=("fleet",)))
    return {
        question.script: f"{item.name} {number}"
        for item in CHECKLIST
        for examination in item.make(site)
        for number, question in enumerate(examination.questions)
        if isinstance(question, Script)
    }


def test_shellcheck_passes(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("shellcheck")
    for script, name in scripts(tmp_path).items():
        if script == watching.SCRIPT:
            continue  # it holds programs in other languages: etcd/test_watcher_book.py
        checked = subprocess.run(
            [program, "--norc", "-s", "sh", "-"], input=script, capture_output=True, text=True, check=False
        )
        assert checked.stdout == "", name


def test_each_gate_of_a_first_state_has_a_fix_of_its_own(tmp_path: Path) -> None:
    member = make_site(tmp_path).members[0]
    fixes = {
        gate.__name__: gate(member).fix
        for migration in MIGRATIONS.values()
        for role in ROLES
        for round_ in migration.rounds_of(role)[:1]
        for gate in round_.source.gates
    }
    assert [] == [name for name, fix in fixes.items() if not fix]


def test_what_is_checked_is_what_the_migration_names(tmp_path: Path) -> None:
    opened = session(tmp_path, {})
    few = tuple(item for item in opened.migration.preflight if item.name in {"tools", "clock"})
    only = replace(opened, migration=replace(opened.migration, preflight=few))
    assert {"login", "facts", "tools", "clock"} == {one.check for one in preflight.look(only).findings}
