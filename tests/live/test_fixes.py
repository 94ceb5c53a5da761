"""What check prints for hosts and members that are not well, typed on real hosts as it stands there."""

import re

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

from orchestrator.etcd.checks.item import Finding
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

ON_HOST = re.compile(r"on (server\d): (.+?)(?= \(old |; \d\. |; on server|; if it |$)")
KEY = (
    "head -c 700000 /dev/zero | tr '\\0' x | ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 put big"
)


def warned(findings: tuple[Finding, ...], check: str, where: str) -> str:
    return next(one.fix for one in findings if (one.check, one.where, one.verdict) == (check, where, "warn"))


def passes(lab: Lab) -> None:
    wait_until_healthy(lab)
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 0, failure(done)
    assert ", 0 warned, 0 failed" in done.stdout, failure(done)


def pid_of(host: Host) -> str:
    return shell(host, "systemctl show --property=MainPID --value etcd2.service").strip()


def test_what_is_printed_for_a_host_helps(lab: Lab) -> None:
    one, two, three = lab.hosts
    lab.plan.write_text(lab.plan.read_text().replace("directory: /etc/etcd2", "directory: /srv/a/etcd2"))
    shell(one, "mkdir -p /srv/a/etcd2 && chmod 700 /srv/a && mv /usr/bin/curl /usr/bin/curl.away")
    shell(two, "mkdir /srv/a && chown etcd /srv/a && mkdir /opt/etcd && mv /usr/bin/etcdctl /opt/etcd/")
    shell(two, "systemd-run --unit=old /usr/sbin/sshd -D -o Port=4001 -o ListenAddress=127.0.0.1:4001")
    shell(three, "mkdir /srv/a && mount -t tmpfs -o ro,mode=755,size=64m x /srv/a")
    written(three, f"{OURS}/15-hasty.conf", "[Service]\nTimeoutStartSec=5\n")
    shell(three, "systemctl disable etcd2 etcd && systemctl daemon-reload")

    findings = found(lab)
    assert "etcd may not enter /srv/a" == reported(findings, "directory", "server1")
    assert "curl: not found in" in reported(findings, "tools", "server1")
    assert "apt-get install curl" in carry_out(findings, "tools", "server1")
    assert "what the check 'tools' prints" in carry_out(findings, "versions", "cluster")
    assert "server1: curl is not installed, or not on PATH; the check 'tools' prints what to do" in reported(
        findings, "facts", "cluster"
    )
    assert "/srv/a is read-only, or immutable" in reported(findings, "disk", "server3")
    assert "there is no unit etcd2.service" == reported(findings, "unit", "server3")
    assert "sshd (pid" in reported(findings, "ports", "server2")

    shell(one, carry_out(findings, "directory", "server1").partition("; or")[0])
    shell(one, "mv /usr/bin/curl.away /usr/bin/curl")
    shell(two, carry_out(findings, "directory", "server2").partition("; or")[0])
    shell(two, carry_out(findings, "tools", "server2").rpartition(": ")[2].replace("/PATH/TO", "/opt/etcd"))
    stop = carry_out(findings, "ports", "server2")
    assert "old.service" in two.run(["sh", "-c", re.findall(r"systemctl status \d+", stop)[0]]).stdout
    shell(two, "systemctl stop old.service")
    shell(three, carry_out(findings, "disk", "server3").partition("; or")[0])
    assert "systemctl list-units --all '*etcd*'" in carry_out(findings, "unit", "server3")
    assert "etcd.service" in shell(three, "systemctl list-units --all '*etcd*' --no-legend")
    shell(three, "systemctl enable etcd.service")

    findings = found(lab)
    assert "TimeoutStartSec=5" in reported(findings, "unit", "server3")
    shell(three, carry_out(findings, "unit", "server3"))
    passes(lab)

    shell(
        one,
        "systemctl disable etcd2 && ln -s /lib/systemd/system/etcd.service /etc/systemd/system/etcd2.service",
    )
    shell(one, "systemctl daemon-reload")
    shell(two, "chown root: /srv/a && ln -s /nowhere /srv/a/etcd2")
    shell(three, "mkdir -p /srv/a/etcd2 && mount -t tmpfs -o mode=755,size=64m,nr_inodes=50 x /srv/a/etcd2")
    findings = found(lab)
    assert "a reboot does not start it" in reported(findings, "unit", "server1", "warn")
    assert "/srv/a/etcd2 leads nowhere" in reported(findings, "directory", "server2")
    assert "inodes left for /srv/a/etcd2, at least 100 are needed" in reported(findings, "disk", "server3")
    shell(one, warned(findings, "unit", "server1"))
    shell(two, carry_out(findings, "directory", "server2"))
    assert "/srv/a/etcd2" in shell(three, carry_out(findings, "disk", "server3").rpartition("in: ")[2])
    shell(three, "umount /srv/a/etcd2")
    passes(lab)


def test_what_is_printed_for_a_member_that_is_not_well_helps(lab: Lab) -> None:
    one, two, three = lab.hosts
    written(two, f"{OURS}/15-quota.conf", "[Service]\nEnvironment=ETCD_QUOTA_BACKEND_BYTES=4000000\n")
    shell(two, "systemctl daemon-reload && systemctl restart etcd2.service")
    shell(two, f"for round in 1 2 3 4 5 6 7 8 9; do {KEY} || true; done")
    shell(three, f"kill -STOP {pid_of(three)}")
    findings = found(lab)
    assert "an alarm is raised: server2 alarm:NOSPACE" in reported(findings, "quorum", "cluster")
    assert "server3 is not healthy" in reported(findings, "quorum", "cluster")
    assert "server3: it does not report its version" in reported(findings, "facts", "cluster")
    restart = carry_out(findings, "quorum", "cluster").rpartition(": ")[2]
    shell(three, restart)
    wait_until_healthy_but_for_the_alarm(lab)

    findings = found(lab)
    assert "'quorum' says what to do first" in carry_out(findings, "gate: serving http", "server1")
    commands = ON_HOST.findall(carry_out(findings, "quorum", "cluster"))
    assert ["server1", "server1", "server2", "server3", "server1"] == [host for host, _ in commands]
    for host, command in commands:
        shell(lab.host(host), command)
    passes(lab)
    assert "OK" in shell(one, KEY)

    shell(three, "systemctl stop etcd2.service")
    findings = found(lab)
    assert "server3: etcd2.service has no running process; the check 'unit' prints what to do" in reported(
        findings, "facts", "cluster"
    )
    assert "what the check 'unit' prints" in carry_out(findings, "quorum", "cluster")
    shell(three, carry_out(findings, "unit", "server3").partition(";")[0])
    passes(lab)


def wait_until_healthy_but_for_the_alarm(lab: Lab) -> None:
    for host in lab.hosts:
        shell(host, "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 endpoint status")
