"""The ways to real hosts: OpenSSH's configuration, and jump hosts whose own keys are checked."""

from pathlib import Path
from typing import Any

import pytest
from live.conftest import ClusterHosts

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.operations import Job, JobResult, Run
from orchestrator.host.questions import HttpProbe, Script
from orchestrator.plan.model import Cluster, Ssh
from orchestrator.remote.route import route, settled, ways_of
from orchestrator.remote.ssh import SshHosts

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("in_bastion")]

# the environments of the script and of the shell that it is asked of are bare: who is at sshd's other end?
CAME_FROM = """
pid=$$
while [ "$(cat /proc/$pid/comm)" != sshd ]; do pid=$(awk '/^PPid:/ {print $2}' /proc/$pid/status); done
ss --no-header --tcp --numeric --processes state established |
  awk -v by="pid=$pid," 'index($0, by) && $3 ~ /:22$/ { sub(/:[0-9]*$/, "", $4); print $4 }'
"""


class Bastion:
    """The bastion's own SSH files, and plans that say little else."""

    def __init__(self, hosts: ClusterHosts, folder: Path) -> None:
        self.lab = hosts.lab
        self.names = [member.name for member in hosts.cluster.members]
        self.addresses = [member.address for member in hosts.cluster.members]
        self.ssh = hosts.cluster.members[0].ssh
        self.config = folder / "config"
        self._cluster = hosts.cluster

    def write(self, text: str) -> None:
        """Write the configuration, behind what makes the lab's keys known."""
        common = (
            f"IdentityFile {self.ssh.identity_file}\nIdentitiesOnly yes\nIdentityAgent none\n"
            f"UserKnownHostsFile {self.ssh.known_hosts}\n"
        )
        self.config.write_text(f"{text}\nHost *\n{common}")

    def cluster(self, *reached: str, **ssh: object) -> Cluster:
        """The lab's cluster by a plan that names addresses, and what is given here."""
        members = tuple(
            member.model_copy(update={"ssh": self.plan(host, **ssh)})
            for member, host in zip(self._cluster.members, reached or self.addresses, strict=True)
        )
        return self._cluster.model_copy(update={"members": members})

    def plan(self, host: str, **ssh: object) -> Ssh:
        defaults: dict[str, Any] = {
            "port": 22, "user": "root", "become": "none", "identity_file": None, "known_hosts": Path("none"),
            "jump": None, "host_key": None, "config": self.config,
        }  # fmt: skip
        return Ssh.model_construct({"config", *ssh}, host=host, **(defaults | ssh))

    def came_from(self, cluster: Cluster) -> list[str]:
        """By which address each host is reached."""
        questions = [Script(name, CAME_FROM) for name in self.names]
        with SshHosts(cluster) as hosts:
            answers = hosts.look(questions)
            self.jumps = len(hosts._ways._jumps)
        return [answers[question].text.strip() for question in questions]


@pytest.fixture
def bastion(in_bastion: ClusterHosts, tmp_path: Path) -> Bastion:
    return Bastion(in_bastion, tmp_path)


def test_aliases_includes_and_matches_lead_to_the_hosts(bastion: Bastion, tmp_path: Path) -> None:
    one, two, three = bastion.addresses
    (tmp_path / "more").write_text(f"Host db_two\n  HostName {two}\n  User root\n")
    bastion.write(
        f'Include "{tmp_path}/more"\nHost db-one\n  HostName {one}\nMatch originalhost db-three exec "true"\n'
        f"  HostName {three}\nMatch all\n"
    )
    named = bastion.cluster("db-one", "db_two", "db-three")
    cluster = settled(named, ways_of(named))
    assert 1 == len(set(filter(None, bastion.came_from(cluster))))
    assert ["root", "root", "root"] == [member.ssh.user for member in cluster.members]


def test_what_the_plan_says_beats_the_configuration(bastion: Bastion) -> None:
    bastion.write(
        "Host 198.18.*\n  User nobody\n  Port 1\n  ProxyJump nowhere.invalid\n  IdentityFile /nowhere\n"
    )
    said = {"user": "root", "port": 22, "jump": "none", "identity_file": bastion.ssh.identity_file}
    assert 1 == len(set(filter(None, bastion.came_from(bastion.cluster(**said)))))
    refused = pytest.raises(HostUnreachableError, match=r"jump host nowhere.invalid: nowhere.invalid:22: ")
    with SshHosts(bastion.cluster(**{**said, "jump": None})) as hosts, refused:
        hosts.look([Script(bastion.names[0], "true")])


def test_hosts_behind_a_jump_host_share_one_connection_to_it(bastion: Bastion) -> None:
    bastion.write("")
    one, two, three = bastion.addresses
    came = bastion.came_from(bastion.cluster(one, two, three, jump=f"root@{one}"))
    assert ([one] * 2, 1) == (came[1:], bastion.jumps)


def test_several_jump_hosts_are_taken_one_behind_the_other(bastion: Bastion) -> None:
    one, two, three = bastion.addresses
    bastion.write(f"Host last\n  HostName {three}\n  ProxyJump second\nHost second\n  HostName {two}\n")
    cluster = bastion.cluster("last", "last", "last", jump=f"root@{one},root@second")
    assert ([two] * 3, 2) == (bastion.came_from(cluster), bastion.jumps)
    bastion.write(
        f"Host last\n  HostName {three}\n  ProxyJump second\n"
        f"Host second\n  HostName {two}\n  User root\n  ProxyJump root@{one}\n"
    )
    found = route("h", bastion.plan("last"))
    assert str(found) == f"root@{three}:22 via root@{one}:22, root@{two}:22"
    named = bastion.cluster("last", "last", "last")
    again = settled(named, ways_of(named))
    assert f"root@{one}:22,root@second:22" == again.members[0].ssh.jump
    assert str(route("h", again.members[0].ssh)) == str(found)
    assert [two] * 3 == bastion.came_from(again)


def test_steps_and_probes_work_behind_jump_hosts(bastion: Bastion) -> None:
    bastion.write("")
    one, two, three = bastion.addresses
    cluster = bastion.cluster(one, two, three, jump=f"root@{one},root@{two}")
    health = HttpProbe(bastion.names[2], "http://127.0.0.1:2379/health")
    with SshHosts(cluster) as hosts:
        assert JobResult(0, "0\n") == hosts.perform(Job("ways-1", bastion.names[2], (Run(("id", "-u")),), 10))
        assert hosts.look([health])[health].stdout.startswith("200\n")


def test_the_key_of_every_host_on_the_way_is_checked(bastion: Bastion, tmp_path: Path) -> None:
    one, two, three = bastion.addresses
    lines = bastion.ssh.known_hosts.read_text().splitlines(keepends=True)
    cluster = bastion.cluster(one, two, three, jump=f"root@{one},root@{two}")
    for strange in (0, 1):
        known = tmp_path / f"known-{strange}"
        known.write_text("".join(line for number, line in enumerate(lines) if number != strange))
        bastion.config.write_text(f"UserKnownHostsFile {known}\nIdentityFile {bastion.ssh.identity_file}\n")
        with SshHosts(cluster) as hosts, pytest.raises(LoginRefusedError) as refused:
            hosts.look([Script(bastion.names[2], "true")])
        assert f"jump host {bastion.addresses[strange]}: " in str(refused.value)
        assert f"{known} does not know this host" in str(refused.value)


def test_a_jump_host_that_may_not_forward_and_one_that_cannot_connect_are_named(bastion: Bastion) -> None:
    bastion.write("")
    one, two, three = bastion.addresses
    host = bastion.lab.hosts[0]
    refused = pytest.raises(HostUnreachableError, match=f"root@{one}:22 cannot connect to {three}:1")
    with SshHosts(bastion.cluster(one, two, three, jump=f"root@{one}", port=1)) as hosts, refused:
        hosts.look([Script(bastion.names[2], "true")])
    place = host.root / "etc/ssh/sshd_config.d/odd.conf"
    place.write_text("AllowTcpForwarding no\n")
    host.run(["sh", "-c", "systemctl reload ssh; sleep 0.3"])
    try:
        forbidden = pytest.raises(LoginRefusedError, match=f"may not dial {two}:22: sshd_config there has to")
        with SshHosts(bastion.cluster(one, two, three, jump=f"root@{one}")) as hosts, forbidden:
            hosts.look([Script(bastion.names[1], "true")])
    finally:
        place.unlink()
        host.run(["sh", "-c", "systemctl reload ssh; sleep 0.3"])


def test_jump_hosts_in_a_circle_are_named(bastion: Bastion) -> None:
    bastion.write("Host server\n  ProxyJump round.invalid\nHost round.invalid\n  ProxyJump server\n")
    with pytest.raises(
        LoginRefusedError, match=r"lead in a circle, by way of round\.invalid: correct ProxyJump"
    ):
        route("h", bastion.plan("server"))


def test_a_jump_host_that_comes_back_is_connected_to_anew(bastion: Bastion) -> None:
    bastion.write("")
    one, two, three = bastion.addresses
    with SshHosts(bastion.cluster(one, two, three, jump=f"root@{one}")) as hosts:
        question = Script(bastion.names[2], CAME_FROM)
        assert hosts.look([question])[question].text.strip() == one
        (jump,) = hosts._ways._jumps.values()
        before = jump.last
        bastion.lab.hosts[0].run(["sh", "-c", "pkill -KILL -f '^sshd: [a-z]+'"])
        assert hosts.look([question])[question].text.strip() == one
        assert jump.last is not before


def test_a_proxy_command_is_run(bastion: Bastion) -> None:
    one, two, three = bastion.addresses
    bastion.write(
        f"Host gate\n  HostName {one}\n  User root\n  ProxyCommand none\n"
        f"Host *\n  ProxyCommand ssh -F {bastion.config} -W [%h]:%p gate\n"
    )
    assert [one] * 3 == bastion.came_from(bastion.cluster(one, two, three))
