"""A peer that is gone without a word is noticed soon, and a slow link that loses packets is no such peer."""

import subprocess
import sys
import threading
import time

import pytest
from live.conftest import ClusterHosts
from live.stories import failure
from support.slow_link import far_away

from orchestrator.errors import HostUnreachableError
from orchestrator.host.questions import Script
from orchestrator.lab.hosts.host import Host
from orchestrator.remote.ssh import SshHosts

NOTICED_S = 15.0


def sessions(host: Host) -> list[int]:
    """The host's sshd sessions, by their ids on this machine."""
    shown = host.run(["sh", "-c", "pgrep -f '^sshd: [a-z]+'"], check=False).stdout.split()
    return [int(number) for number in shown]


def frozen(host: Host, how: str) -> None:
    host.run(["sh", "-c", f"kill -{how} {' '.join(map(str, sessions(host)))}"], check=False)


@pytest.mark.usefixtures("in_bastion")
@pytest.mark.parametrize("is_behind", [False, True])
def test_a_frozen_peer_is_noticed_in_time(cluster_hosts: ClusterHosts, *, is_behind: bool) -> None:
    lab, cluster = cluster_hosts.lab, cluster_hosts.cluster
    name, first = cluster.members[1].name, lab.hosts[0]
    jump = f"root@{cluster.members[0].address}" if is_behind else None
    reached = tuple(
        one.model_copy(update={"ssh": one.ssh.model_copy(update={"jump": jump})}) for one in cluster.members
    )
    victim = first if is_behind else lab.hosts[1]
    with SshHosts(cluster.model_copy(update={"members": reached})) as hosts:
        connection = hosts._connections[name]
        hosts.look([Script(name, "true")])
        freezing = threading.Timer(1.0, frozen, [victim, "STOP"])
        freezing.start()
        began = time.monotonic()
        try:
            words = "connection lost" if is_behind else "connection lost: no sign of life for 12 s"
            noticed = pytest.raises(HostUnreachableError, match=words)
            with noticed, connection.talk("sh", "-s") as conversation:
                conversation.say(b"sleep 60\n")
                conversation.line(60)
            took_s = time.monotonic() - began - 1.0
            if is_behind:
                (jump_host,) = hosts._ways._jumps.values()
                assert jump_host.last is not None
                jump_host.last.join(NOTICED_S - took_s)
                assert not jump_host.last.is_active()
        finally:
            freezing.join()
            frozen(victim, "KILL")
        assert hosts.look([Script(name, "echo again")])
    assert 3 < took_s < NOTICED_S


def test_a_slow_link_that_loses_packets_works(cluster_hosts: ClusterHosts) -> None:
    lab = cluster_hosts.lab
    with far_away(lab, round_trip_s=0.2, loss=0.02) as (namespace, carrier):
        command = lab.command(
            [sys.executable, "-m", "orchestrator", "check", lab.plan.name], namespace=namespace
        )
        done = subprocess.run(
            command,
            cwd=lab.directory,
            env=lab.environment(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert 0 == done.returncode, failure(done)
    assert carrier.lost > 0
