"""The lab itself: its hosts are real, its faults bite, nothing leaves it, and nothing of it stays."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from live.conftest import CHECKOUT, THREE_MEMBERS, ClusterHosts, booted

from orchestrator.lab.clients import local_clients
from orchestrator.lab.clients.local_clients import LocalClient
from orchestrator.lab.hosts import host, journald, link_faults
from orchestrator.lab.lifecycle import manifest
from orchestrator.lab.lifecycle.lab import Lab, down
from orchestrator.lab.machine import cgroups, network, processes
from orchestrator.lab.machine.programs import LabError, wait_until
from orchestrator.lab.proof import evidence
from orchestrator.lab.proof.access import Reception, request
from orchestrator.lab.proof.probers import RunningProber, RunningProbers
from orchestrator.lab.proof.rehearsal import rehearse
from orchestrator.lab.proof.rendering import render
from orchestrator.lab.provisioning.initial_settings import Extra

OTHER = f"o{CHECKOUT}"  # a lab that the test boots by itself

SIX = """
cluster: six
service: kv
accept_downtime: true
members:
  - name: one
    address: "2001:db8::1"
    certificate: /nowhere/one.pem
    ssh: {host: 192.0.2.7, port: 2222}
ssh: {user: admin, identity_file: /nowhere/key, known_hosts: /nowhere/known_hosts, become: sudo}
tls:
  ca: /nowhere/ca
  certificate: "/nowhere/{name}"
  key: "/nowhere/{name}.key"
  client_certificate: /nowhere/client
  client_key: /nowhere/client.key
  directory: /etc/kv
ports: {client: 3379, peer: 3380, local: 4002}
"""

GUIDE = """
cluster: guide
service: etcd2
members:
  - {name: server1, address: 198.18.0.101}
  - {name: server2, address: 198.18.0.102}
  - {name: server3, address: 198.18.0.103}
proxies:
  - {name: client1, address: 198.18.0.201, certificate: /nowhere/client1.pem}
watch: [fleet, flanneld]
tls:
  ca: /nowhere/ca
  certificate: "/nowhere/{name}"
  key: "/nowhere/{name}.key"
  client_certificate: /nowhere/client
  client_key: /nowhere/client.key
  directory: /etc/etcd2
"""


def what_is_left(prefix: str) -> list[str]:
    namespaces = [f"{prefix}-{name}" for name in ("bastion", "server1", "server2", "server3", "client1")]
    left = [name for name in namespaces if network.exists(name)]
    left += [f"process {pid}" for name in namespaces for pid in processes.supervisors(name)]
    left += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/{prefix}/" in line]
    left += [str(group) for name in namespaces for group in cgroups.paths(name) if group.exists()]
    left += [str(path) for path in (manifest.default_directory(prefix) / "hosts").glob("*")]
    left += [str(path) for path in host.PROPAGATED.glob(f"{prefix}-*")]
    left += ["record"] if manifest.exists(prefix) else []
    links = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    return left + [line for line in links.splitlines() if line.startswith(("host", "veth"))]


def test_three_real_hosts_form_a_cluster_on_plain_http(cluster_hosts: ClusterHosts) -> None:
    lab = cluster_hosts.lab
    listed = lab.host("server2").run(["etcdctl", "member", "list", "-w", "json"]).stdout
    expected = {f"server{n}": [f"http://198.18.0.10{n}:2380"] for n in (1, 2, 3)}
    assert expected == {each["name"]: each["peerURLs"] for each in json.loads(listed)["members"]}
    for each in lab.hosts:
        state = each.run(["systemctl", "is-active", "etcd2", "ssh"]).stdout.split()
        assert ["active", "active"] == state
        assert "" == each.run(["systemctl", "--failed", "--no-legend"]).stdout


def test_the_guides_file_configures_the_member(cluster_hosts: ClusterHosts) -> None:
    path = "/run/systemd/system/etcd2.service.d/20-cloudinit.conf"
    found = cluster_hosts.lab.host("server1").run(["grep", "ETCD_LISTEN_CLIENT_URLS", path]).stdout
    assert found == 'Environment="ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379"\n'


def test_every_host_has_a_control_group_of_its_own(cluster_hosts: ClusterHosts) -> None:
    for each in cluster_hosts.lab.hosts:
        pid = each.run(["systemctl", "show", "--property=MainPID", "--value", "etcd2"]).stdout.strip()
        groups = [path / "payload/system.slice/etcd.service" for path in cgroups.paths(each.namespace)]
        inhabitants = [(group / "cgroup.procs").read_text().split() for group in groups]
        assert [each.run(["cat", "/proc/1/comm"]).stdout] == ["systemd\n"]
        assert {inner_pid(outer) for listed in inhabitants for outer in listed} == {pid}


def inner_pid(outer: str) -> str:
    status = Path(f"/proc/{outer}/status").read_text()
    return next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))


def test_the_bastion_reaches_members_by_the_plans_addresses(in_bastion: ClusterHosts) -> None:
    for member in in_bastion.cluster.members:
        assert Reception.ANSWERED is request(member.address, 2379, None)


def test_a_program_runs_on_the_bastion_in_the_labs_directory(cluster_hosts: ClusterHosts) -> None:
    lab = cluster_hosts.lab
    code = "import os, socket; print(os.getcwd()); socket.create_connection(('198.18.0.103', 22))"
    assert f"{lab.directory}\n" == lab.run([sys.executable, "-c", code]).stdout


def test_nothing_leaves_the_lab(cluster_hosts: ClusterHosts) -> None:
    lab = cluster_hosts.lab
    own = subprocess.run(["ip", "-j", "addr"], capture_output=True, text=True, check=True).stdout
    addresses = [
        info["local"] for link in json.loads(own) if link["ifname"] != "lo" for info in link["addr_info"]
    ]
    for namespace in (lab.bastion, *(each.namespace for each in lab.hosts)):
        shown = subprocess.run(
            ["ip", "-n", namespace, "-j", "link"], capture_output=True, text=True, check=True
        )
        names = {link["ifname"] for link in json.loads(shown.stdout)}
        assert names <= {"lo", "br0", "eth0", "host0", "host1", "host2"}
        with network.entered(namespace):
            for address in ("192.0.2.1", *addresses):
                with pytest.raises(OSError):  # noqa: PT011 - which way it fails is the kernel's affair
                    socket.create_connection((address, 80), timeout=0.3)


def test_only_one_lab_of_a_name_is_up(cluster_hosts: ClusterHosts) -> None:
    with pytest.raises(LabError, match="up already"):
        Lab.up(THREE_MEMBERS, prefix=cluster_hosts.lab.prefix)
    assert cluster_hosts.lab == Lab.find(cluster_hosts.lab.prefix)


def test_a_cut_link_separates_one_host_until_it_is_fixed(lab: Lab) -> None:
    away = lab.host("server1")
    link_faults.cut_link(away)
    with lab.in_bastion():
        assert Reception.UNREACHABLE is request(away.entry.address, 2379, None)
        assert Reception.ANSWERED is request("198.18.0.102", 2379, None)
    link_faults.restore_link(away)
    lab.wait_until_healthy()


def test_killed_connections_are_gone_and_come_back_as_others(lab: Lab) -> None:
    each = lab.host("server2")
    before = peer_connections(each)
    killed = link_faults.kill_connections(each, 2380)
    assert killed == len(before) > 0
    lab.wait_until_healthy()
    assert not before & peer_connections(each)


def peer_connections(each: host.Host) -> set[str]:
    listed = each.run(["ss", "-tnH", "state", "established", "( sport = :2380 or dport = :2380 )"]).stdout
    return {" ".join(line.split()[-2:]) for line in listed.splitlines()}


def test_a_delay_slows_a_host_down_or_the_kernel_cannot(lab: Lab) -> None:
    each = lab.host("server3")
    try:
        link_faults.delay(each, 200)
    except LabError as error:
        assert "sch_netem" in str(error)  # noqa: PT017 - both are right, it depends on the kernel
        return
    with lab.in_bastion():
        began = time.monotonic()
        request(each.entry.address, 2379, None)
    assert time.monotonic() - began > 0.2
    link_faults.delay(each, 0)


def test_a_rebooted_host_comes_back_with_its_configuration(lab: Lab) -> None:
    each = lab.host("server3")
    before = journald.starts(each)
    host.reboot(each)
    lab.wait_until_healthy()
    paths = each.run(["systemctl", "show", "--property=DropInPaths", "--value", "etcd2"]).stdout
    assert "/run/systemd/system/etcd2.service.d/20-cloudinit.conf\n" == paths
    assert before + 1 == journald.starts(each)


def test_a_host_without_power_is_down_until_it_boots_again(lab: Lab) -> None:
    each = lab.host("server1")
    host.kill(each)
    with pytest.raises(LabError, match="server1 is down"):
        each.run(["true"])
    host.boot(each)
    lab.wait_until_healthy()


def test_the_prober_loses_nothing_and_sees_the_stall_of_a_cut_link(lab: Lab) -> None:
    prober = RunningProber.start(lab)
    prober.wait_for_writes()
    calm = prober.stop()
    assert (0, 0, 0, 0) == (calm.failed, calm.lost, calm.failed_reads, calm.wrong_reads)
    assert calm.acknowledged >= 5 * calm.took_s, "it writes all the while, if not as fast on a busy machine"
    prober = RunningProber.start(lab)
    prober.wait_for_writes()
    link_faults.cut_link(lab.host("server1"))
    prober.wait_for_writes()
    link_faults.restore_link(lab.host("server1"))
    report = prober.stop()
    assert (0, 0) == (report.failed, report.lost)
    assert report.longest_stall_s > max(0.5, calm.longest_stall_s)
    assert report.failovers > 0


def test_the_prober_ends_when_its_parent_does(lab: Lab) -> None:
    prober = RunningProber.start(lab)
    prober.wait_for_writes(for_s=0.1)
    assert prober.process.stdin is not None
    prober.process.stdin.close()
    assert 0 == prober.process.wait(timeout=30)


@pytest.mark.usefixtures("base_system")
def test_down_twice_leaves_nothing() -> None:
    with booted(OTHER) as lab:
        assert lab.plan.exists()
    assert [] == what_is_left(OTHER)
    down(OTHER)
    assert lab.plan.exists()


@pytest.mark.usefixtures("base_system")
@pytest.mark.parametrize("after_s", [0.4, 0.6, 0.8, 1.0, 1.4])
def test_a_start_that_is_killed_half_way_can_be_cleared_away(after_s: float) -> None:
    down(OTHER)
    starting = [
        "import time",
        "from pathlib import Path",
        "from orchestrator.lab.lifecycle.lab import Lab",
        f"Lab.up(Path({str(THREE_MEMBERS)!r}), prefix={OTHER!r})",
        "time.sleep(9)",
    ]
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", "\n".join(starting)], timeout=after_s, check=True)
    down(OTHER)
    assert [] == what_is_left(OTHER)


@pytest.mark.usefixtures("base_system")
def test_a_start_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: host.Host) -> None:
        raise LabError("no boot today")

    down(OTHER)
    monkeypatch.setattr(host, "boot", fail)
    with pytest.raises(LabError, match="no boot today"):
        Lab.up(THREE_MEMBERS, prefix=OTHER)
    assert [] == what_is_left(OTHER)


@pytest.mark.usefixtures("base_system")
def test_ipv6_sudo_and_a_plans_own_names_and_ports(tmp_path: Path) -> None:
    plan = tmp_path / "six.yaml"
    plan.write_text(SIX)
    with booted(OTHER, plan) as lab:
        (member,) = lab.cluster.members
        assert ("2001:db8::1", 2222, "kv") == (member.ssh.host, member.ssh.port, member.service)
        assert "active\n" == lab.host("one").run(["systemctl", "is-active", "kv"]).stdout
        assert "root admin\n" == log_in(lab, "sudo -n id -un | tr '\\n' ' '; id -un")


def test_the_labs_own_key_and_known_hosts_open_every_host(cluster_hosts: ClusterHosts) -> None:
    assert "server1\n" == log_in(cluster_hosts.lab, "hostname")


def log_in(lab: Lab, script: str) -> str:
    ssh = lab.cluster.members[0].ssh
    with lab.in_bastion(), paramiko.SSHClient() as client:
        client.load_host_keys(str(ssh.known_hosts))
        client.connect(
            ssh.host,
            ssh.port,
            ssh.user,
            key_filename=str(ssh.identity_file),
            allow_agent=False,
            look_for_keys=False,
        )
        _, output, _ = client.exec_command(script, timeout=20)
        return output.read().decode()


@pytest.mark.usefixtures("base_system")
def test_a_rehearsal_of_nothing_proves_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    down(OTHER)
    command, closing = ["sh", "-c", "pwd; echo hello >&2"], ["echo", "server1 stands"]
    outcome = rehearse(THREE_MEMBERS, command, closing=closing, prefix=OTHER, log=tmp_path / "log")
    assert 1 == outcome.exit_code
    assert f"{manifest.default_directory(OTHER)}\nhello\n" == (tmp_path / "log").read_text()
    assert ("", "") == capfd.readouterr()
    assert render(outcome).startswith("server1 stands\n\nmember ")
    assert "server2 is registered for peers as http://198.18.0.102:2380" in render(outcome)
    assert (0, 0, "alive") == (outcome.probe.failed, outcome.probe.lost, outcome.probe.lease)
    assert [0, 0, 0] == [member.restarts for member in outcome.members]
    assert [] == what_is_left(OTHER)


@pytest.fixture
def guide(base_system: Path, tmp_path: Path) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    """The guide's cluster: three members, local clients on each, and a proxy on a host of its own."""
    plan = tmp_path / "guide.yaml"
    plan.write_text(GUIDE)
    with booted(OTHER, plan, Extra(proxies={"ETCD_PROXY_REFRESH_INTERVAL": "2000"})) as lab:
        yield lab
    assert [] == what_is_left(OTHER)


def test_a_proxy_passes_writes_and_reads_on(guide: Lab) -> None:
    (client,) = guide.proxies
    assert client.entry.certificate.is_relative_to(guide.directory)
    url = "http://127.0.0.1:2379/v2/keys/greeting"
    client.run(["curl", "--silent", "--fail", "--request", "PUT", "--data", "value=hello", url])
    for each in (*guide.members, client):
        assert (
            "hello"
            == json.loads(each.run(["curl", "--silent", f"{url}?quorum=true"]).stdout)["node"]["value"]
        )
    expected = tuple(f"http://{each.entry.address}:2380" for each in guide.members)
    assert expected == evidence.peer_urls(client, guide.data_directory(client))
    (found,) = evidence.of_proxies(guide, {"client1": 1})
    assert (Reception.ANSWERED, Reception.ANSWERED) == (found.on_host[2379], found.from_outside[2379])
    assert 0 == found.restarts


def test_every_way_into_the_cluster_has_a_prober(guide: Lab) -> None:
    probers = RunningProbers.start(guide)
    try:
        probers.wait_for_writes()
        main, single = probers.stop()
    finally:
        probers.kill()
    assert ["client1", "server1", "server2", "server3"] == list(single)
    for report in (main, *single.values()):
        assert (0, 0, 0, 0) == (report.failed, report.lost, report.failed_reads, report.wrong_reads)
        assert report.acknowledged > 10
    assert main.acknowledged > 50 * main.took_s
    assert "alive" == main.lease


def test_local_clients_move_to_the_local_port_and_notice_every_restart(guide: Lab) -> None:
    each = guide.host("server2")
    assert {("active", True, 0, 0)} == {
        summary(client) for client in local_clients.states(each, guide.cluster)
    }
    assert {"2379"} == watched_ports(each)
    open_local_port(each)
    wait_until(lambda: watched_ports(each) == {"4001"}, "they watch through port 4001", timeout_s=60)
    wait_until(
        lambda: all(client.is_well for client in local_clients.states(each, guide.cluster)),
        "they are well again",
        timeout_s=60,
    )
    for client in local_clients.states(each, guide.cluster):
        assert client.state == "active"
        assert client.errors_before + client.errors_after > 0
        assert client.last_error_s is not None


def summary(client: LocalClient) -> tuple[str, bool, int, int]:
    return client.state, client.is_well, client.errors_before, client.errors_after


def watched_ports(each: host.Host) -> set[str]:
    reported = each.run(["pgrep", "--list-full", "curl"], check=False).stdout
    return set(re.findall(r":(\d+)/v3/watch", reported))


def open_local_port(each: host.Host) -> None:
    """Do the guide's first step on one host."""
    folder, urls = "/etc/systemd/system/etcd2.service.d", "http://0.0.0.0:2379,http://127.0.0.1:4001"
    each.run(["mkdir", folder])
    text = f"[Service]\nEnvironment=ETCD_LISTEN_CLIENT_URLS={urls}\n"
    each.run(["sh", "-c", 'printf %s "$1" > "$2"', "sh", text, f"{folder}/25-insecure_localhost.conf"])
    each.run(["systemctl", "daemon-reload"])
    each.run(["systemctl", "restart", "etcd2"])
