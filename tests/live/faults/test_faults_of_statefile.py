"""What a run goes on from is not as it was: the plan, a certificate, or the state file itself."""

import shutil
from pathlib import Path

import pytest
from live.faults.record import Case, case, succeed
from live.faults.strikes import job_under_way
from live.stories import orchestrator, restarts, run_and_kill, state_file

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning import credentials
from orchestrator.lab.provisioning.plan_copy import PLAN

RESUME = "resume"
REFUSED_THEN_DONE = ((5, 0),)
REFUSED = "refused, nothing is changed; put back as it was, the run goes on"


def refused(under_way: Case, *reported: str) -> None:
    """Have a resume be refused with these words, before any member is restarted."""
    starts = restarts(under_way.lab)
    done = under_way.run("run", PLAN, "--resume")
    assert [] == [words for words in (*reported, "nothing was changed") if words not in done.stderr], (
        done.stderr
    )
    assert starts == restarts(under_way.lab)


@pytest.mark.timeout(900)
def test_what_a_run_goes_on_from_is_not_as_it_was(lab: Lab, tmp_path: Path) -> None:
    authority = credentials.write_certificates(lab.cluster)
    succeed(orchestrator(lab, "run", PLAN, "--yes", "--until", "staged"))

    plan = lab.plan.read_text()
    with case(lab, "the plan was edited", RESUME, exits=REFUSED_THEN_DONE, expected=REFUSED) as under_way:
        lab.plan.write_text(plan.replace("client_cert_auth: true", "client_cert_auth: false"))
        refused(under_way, "plan.yaml (or a certificate that it names) was changed", "Put the plan")
        lab.plan.write_text(plan)
        under_way.run("run", PLAN, "--resume", "--until", "proven")

    pki, kept = lab.cluster.tls.ca.parent, tmp_path / "kept"
    shutil.copytree(pki, kept)
    with case(
        lab, "a certificate was renewed", RESUME, exits=REFUSED_THEN_DONE, expected=REFUSED
    ) as under_way:
        member = lab.cluster.member("server2")
        authority.issue(member.name, credentials.alternatives(member)).write(member.certificate, member.key)
        refused(
            under_way,
            "Put the plan and its files back",
            "keep them in the tls.directory",
            "(now: /etc/etcd2)",
        )
        shutil.copytree(kept, pki, dirs_exist_ok=True)
        under_way.run("run", PLAN, "--resume", "--until", "accepting")

    path = state_file(lab)
    torn = "its torn last line is dropped with a warning, and the run goes on"
    with case(lab, "the state file's last line is torn", RESUME, exits=((0,),), expected=torn) as under_way:
        path.write_bytes(path.read_bytes()[:-10])
        done = under_way.run("run", PLAN, "--resume", "--until", "bridged")
        assert "warning: plan.yaml.state.jsonl: dropped a torn last line of" in done.stderr

    whole = path.read_bytes()
    with case(
        lab, "a line of the state file is corrupted", RESUME, exits=REFUSED_THEN_DONE, expected=REFUSED
    ) as under_way:
        lines = whole.splitlines(keepends=True)
        lines[4] = lines[4].replace(b'"event":"', b'"event":"\x00', 1)
        path.write_bytes(b"".join(lines))
        refused(under_way, "plan.yaml.state.jsonl:5: not an event", "put the file back as it was")
        assert b"".join(lines) == path.read_bytes()
        path.write_bytes(whole)
        under_way.run("run", PLAN, "--resume", "--until", "switched")

    rebuilt = "a plain run is refused and names 'recover', which writes it anew; then the run goes on"
    with case(lab, "the state file is deleted", RESUME, exits=((5, 0, 0),), expected=rebuilt) as under_way:
        path.unlink()
        starts = restarts(lab)
        plain = under_way.run("run", PLAN, "--yes")
        assert "orchestrator recover plan.yaml" in plain.stderr
        under_way.run("recover", PLAN)
        under_way.run("run", PLAN, "--resume")
        assert starts == restarts(lab), "a step that was done was done again"

    back = "'recover' writes it anew, and the way back is whole"
    with case(lab, "the state file is deleted", "rollback", exits=((0, 0),), expected=back) as under_way:
        path.unlink()
        under_way.run("recover", PLAN)
        under_way.run("rollback", PLAN, "--yes")


@pytest.mark.timeout(900)
def test_killed_in_a_job_and_the_state_file_lost(lab: Lab) -> None:
    expected = "'recover' takes the killed run's locks over; its steps in doubt are looked at, and it goes on"
    with case(
        lab, "killed (SIGKILL), and its state file is deleted", "accept", exits=((0, 0),), expected=expected
    ) as under_way:
        run_and_kill(lab, job_under_way(lab, "accept"), "run", PLAN, "--yes")
        state_file(lab).unlink()
        under_way.run("recover", PLAN)
        under_way.run("run", PLAN, "--resume")
        assert dict.fromkeys(("server1", "server2", "server3"), 2) == restarts(lab)
