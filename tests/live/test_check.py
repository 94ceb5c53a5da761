"""The checks before the first change, on real hosts: nothing is found where nothing is wrong."""

import shutil

import pytest
from live.stories import failure, fingerprint, found, orchestrator, reported, restarts, state_file

from orchestrator.commands import check
from orchestrator.errors import RefusedError
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.session import open_session


def test_a_healthy_cluster_passes_every_check_and_nothing_is_changed(lab: Lab) -> None:
    before, starts = fingerprint(lab), restarts(lab)
    findings = found(lab)

    assert [] == [one for one in findings if one.verdict != "pass"]
    before_a_rollback = {"own files"}
    assert {item.name for item in CHECKLIST} - before_a_rollback == {
        one.check for one in findings if not one.check.startswith("gate: ")
    }
    assert any(one.check.startswith("gate: ") for one in findings)
    assert before == fingerprint(lab)
    assert starts == restarts(lab)
    assert not state_file(lab).exists()


def test_planted_faults_are_all_named_in_one_report(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    one, three = lab.host("server1"), lab.host("server3")
    shutil.copy(lab.host("server2").entry.key, one.entry.key)
    one.run(["sh", "-c", "echo ETCD_CONFIG_FILE=/etc/none.yml >> /etc/default/etcd"])
    one.run(["ip", "address", "add", "198.18.0.150/32", "dev", "eth0"])
    one.run(["ip", "route", "add", "198.18.0.103/32", "dev", "eth0", "src", "198.18.0.150"])
    late = '[Service]\\nEnvironment="ETCD_PEER_CERT_FILE=/other.pem"\\n'
    folder = "/etc/systemd/system/etcd2.service.d"
    three.run(["sh", "-c", f"mkdir -p {folder} && printf '{late}' > {folder}/50-late.conf"])
    three.run(["systemctl", "daemon-reload"])
    three.run(
        ["/usr/sbin/sshd", "-o", "Port=4001", "-o", "ListenAddress=127.0.0.1:4001", "-o", "PidFile=none"]
    )
    link_faults.cut_link(lab.host("server2"))
    before, starts = fingerprint(lab), restarts(lab)

    findings = found(lab)
    assert "198.18.0.102:22" in reported(findings, "login", "server2")
    assert "server1-key.pem: is not the key of" in reported(findings, "certificates", "bastion")
    assert "/etc/default/etcd sets ETCD_CONFIG_FILE" in reported(findings, "origin", "server1")
    assert "from 198.18.0.150, which its certificate does not name" in reported(
        findings, "source addresses", "server1"
    )
    assert "50-late.conf is read after our 30-certs.conf" in reported(findings, "origin", "server3")
    assert "sshd (pid" in reported(findings, "ports", "server3")
    assert "server2 was not asked" in reported(findings, "quorum", "cluster")
    assert reported(findings, "ports", "server1", "pass")
    assert all(finding.why and finding.fix for finding in findings)

    with lab.in_bastion(), open_session(lab.plan, None) as session, pytest.raises(RefusedError) as refused:
        check.show(session)
    assert 5 == refused.value.exit_code
    assert "nothing was changed" in str(refused.value)
    assert "orchestrator check" in str(refused.value)
    assert "\033" not in capsys.readouterr().out
    assert before == fingerprint(lab)
    assert starts == restarts(lab)


def test_a_run_is_refused_by_what_a_check_finds_and_goes_on_over_a_warning(lab: Lab) -> None:
    one = lab.host("server1")
    folder = "/etc/systemd/system/etcd2.service.d"
    hasty = f"mkdir -p {folder} && printf '[Service]\\nTimeoutStartSec=20\\n' > {folder}/10-hasty.conf"
    one.run(["sh", "-c", f"{hasty} && systemctl daemon-reload"])
    shown = orchestrator(lab, "run", PLAN, "--dry-run")
    assert shown.returncode == 0, failure(shown)
    assert "systemd kills a member that has not found its peers by then" in shown.stdout
    assert "1 warned, 0 failed" in shown.stdout

    one.run(["sh", "-c", "echo ETCD_CONFIG_FILE=/etc/none.yml >> /etc/default/etcd"])
    before = fingerprint(lab)
    for options in (["--dry-run"], ["--yes"]):
        refused = orchestrator(lab, "run", PLAN, *options)
        assert refused.returncode == 5, failure(refused)
        assert "/etc/default/etcd sets ETCD_CONFIG_FILE" in refused.stderr
        assert "systemd kills a member that has not found its peers by then" in refused.stderr
        assert "Round " not in refused.stdout
    assert before == fingerprint(lab)
    assert not state_file(lab).exists()
