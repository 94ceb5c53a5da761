"""What would make the next start fail: named by check with a fix that works as printed, or served."""

import re
import shlex
from pathlib import Path

import pytest
from live.conftest import FRESH, booted
from live.stories import (
    OURS,
    carry_out,
    failure,
    found,
    orchestrator,
    reported,
    shell,
    wait_until_healthy,
    written,
)
from support.systemd import ENVIRONMENT_FILE, READ_FROM_IT

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

PROXY = "http://user:geheim@198.18.0.1:3128"


def restarted(host: Host) -> None:
    shell(host, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")


def test_systemd_itself_reads_a_file_of_variables_as_we_do(lab: Lab) -> None:
    host = lab.host("server1")
    written(host, "etc/odd.env", ENVIRONMENT_FILE)
    unit = "[Service]\nType=oneshot\nEnvironmentFile=/etc/odd.env\nExecStart=/usr/bin/env -0\n"
    written(host, "etc/systemd/system/odd.service", unit + "StandardOutput=file:/run/odd\n")
    shell(host, "systemctl daemon-reload && systemctl start odd.service")
    pairs = (word.split("=", 1) for word in shell(host, "cat /run/odd").split("\0") if "=" in word)
    assert READ_FROM_IT == {name: value for name, value in pairs if name.startswith("ETCD_")}


def test_what_the_next_start_would_change_is_named_and_the_printed_fixes_work(lab: Lab) -> None:
    one, two, three = lab.hosts
    for host in lab.hosts:
        lines = f'[Service]\nEnvironment="HTTPS_PROXY={PROXY}" "NO_PROXY=localhost,.corp.example"\n'
        written(host, f"{OURS}/10-proxy.conf", lines)
        restarted(host)
        wait_until_healthy(lab)
    written(one, f"{OURS}/15-file.conf", "[Service]\nEnvironmentFile=/etc/missing etcd.env\n")
    written(two, f"{OURS}/15-edited.conf", '[Service]\nEnvironment="ETCD_MAX_WALS=7"\n')
    written(three, f"{OURS}/15-hidden.conf", "[Service]\nInaccessiblePaths=-/etc/etcd2\n")
    late = '[Service]\nEnvironment="ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380"\n'
    written(three, f"{OURS}/50-late.conf", late)
    unread = found(lab)
    for host in lab.hosts:
        assert "were changed since systemd read them" in reported(unread, "unit", host.name)
        shell(host, carry_out(unread, "unit", host.name).partition(";")[0])
    plan = lab.plan.read_text()
    lab.plan.write_text(f"{plan}watch: [sshd, patronii]\n")

    findings = found(lab)
    for host in lab.hosts:
        evidence = reported(findings, "http proxy", host.name)
        assert "HTTPS_PROXY is set for etcd, and NO_PROXY does not exempt server" in evidence
    assert "geheim" not in str(findings)
    assert "EnvironmentFile=/etc/missing etcd.env is not there" in reported(findings, "origin", "server1")
    assert "of ETCD_MAX_WALS" in reported(findings, "origin", "server2")
    assert "InaccessiblePaths=-/etc/etcd2 hides /etc/etcd2" in reported(findings, "sandbox", "server3")
    assert "there is no unit patronii.service" in reported(findings, "watch", "server2")
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 5, failure(done)

    for host in lab.hosts:
        shell(host, carry_out(findings, "http proxy", host.name))
    shell(one, carry_out(findings, "origin", "server1").split(", or ")[0])
    shell(two, carry_out(findings, "origin", "server2").partition(": ")[2])
    shell(three, carry_out(findings, "origin", "server3"))
    wait_until_healthy(lab)
    directory = re.search(r"tls\.directory: (\S+);", carry_out(findings, "sandbox", "server3"))
    assert directory is not None
    lab.plan.write_text(plan.replace("directory: /etc/etcd2", f"directory: {directory[1]}"))
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)


def test_a_sandbox_over_a_home_and_start_scripts_are_refused_by_name(lab: Lab) -> None:
    one, two, three = lab.hosts
    plan = lab.plan.read_text()
    lab.plan.write_text(plan.replace("directory: /etc/etcd2", "directory: /home/core/.ssl/certs"))
    written(one, f"{OURS}/15-home.conf", "[Service]\nProtectHome=yes\n")
    exports = "#!/bin/bash\nset -a\nETCD_HEARTBEAT_INTERVAL=150\nset +a\n"
    written(two, "usr/local/bin/start", f"{exports}exec /usr/bin/etcd\n", mode=0o755)
    written(three, "usr/local/bin/start", f"{exports}/usr/bin/etcd &\nwait\n", mode=0o755)
    for host in (two, three):
        notify = "Type=simple\n" if host is three else ""
        written(
            host, f"{OURS}/15-start.conf", f"[Service]\n{notify}ExecStart=\nExecStart=/usr/local/bin/start\n"
        )
    for host in lab.hosts:
        restarted(host)
        wait_until_healthy(lab)

    findings = found(lab)
    assert "ProtectHome=yes hides /home/core/.ssl/certs from etcd" in reported(findings, "sandbox", "server1")
    assert "the process has ETCD_HEARTBEAT_INTERVAL, which no line and no file" in reported(
        findings, "origin", "server2"
    )
    facts = reported(findings, "facts", "cluster")
    assert "server3: the main process of etcd2.service is /usr/bin/bash, which is not etcd" in facts

    lab.plan.write_text(plan)
    for host in (two, three):
        shell(host, f"rm /{OURS}/15-start.conf")
        restarted(host)
        wait_until_healthy(lab)
    assert [] == [one for one in found(lab) if one.verdict != "pass"]


@pytest.mark.parametrize(
    "discovery", ["ETCD_DISCOVERY=https://discovery.corp.example/0123", "ETCD_DISCOVERY_SRV=corp.example"]
)
def test_settings_that_are_left_to_etcd_are_served(lab: Lab, discovery: str) -> None:
    left_out = r"ETCD_(LISTEN_CLIENT_URLS|ADVERTISE_CLIENT_URLS|INITIAL_CLUSTER|INITIAL_CLUSTER_STATE)="
    for host in lab.hosts:
        lines = [line for line in host.drop_in.read_text().splitlines() if not re.search(left_out, line)]
        host.drop_in.write_text("\n".join([*lines, f'Environment="{discovery}"', ""]))
        restarted(host)
        wait_until_healthy(lab)

    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 0, failure(done)
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    for host in lab.hosts:
        environ = shell(host, "tr '\\0' '\\n' < /proc/$(systemctl show -p MainPID --value etcd2)/environ")
        assert "ETCD_ADVERTISE_CLIENT_URLS=https://localhost:2379" in environ.splitlines()
        assert "ETCD_INITIAL_CLUSTER=" not in environ
    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    wait_until_healthy(lab)
    for host in lab.hosts:
        environ = shell(host, "tr '\\0' '\\n' < /proc/$(systemctl show -p MainPID --value etcd2)/environ")
        assert "ETCD_LISTEN_CLIENT_URLS=" not in environ
        assert "ETCD_ADVERTISE_CLIENT_URLS=" not in environ


def test_a_single_member_gets_there_and_back(base_system: Path, tmp_path: Path) -> None:  # noqa: ARG001
    text = (Path(__file__).parents[2] / "plans" / "three-members.yaml").read_text()
    alone = [line for line in text.splitlines() if "server2" not in line and "server3" not in line]
    plan = tmp_path / "plan.yaml"
    plan.write_text("\n".join([*alone, "accept_downtime: true", ""]))
    with booted(FRESH, plan) as lab:
        for command in (["check", PLAN], ["run", PLAN, "--yes"], ["rollback", PLAN, "--yes"]):
            done = orchestrator(lab, *command)
            assert done.returncode == 0, f"{shlex.join(command)}: {failure(done)}"
        wait_until_healthy(lab)
