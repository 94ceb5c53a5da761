"""Faults that are over by themselves, and heal by themselves or by a resume: what each does to a lab."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.lab.hosts import host as hosts
from orchestrator.lab.hosts import link_faults
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import LabError

FROZEN_S, CUT_S, DEAF_S, UNPLUGGED_S = 5, 10, 5, 20
KILL_RUN = "kill-orchestrator"
_SESSIONS = 'pgrep -P "$(systemctl show --property=MainPID --value ssh)"'


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault by its name; ``strike`` is told the host at work. Without one the run itself is killed."""

    name: str
    what: str
    strike: Callable[[Lab, Host], object] | None = None


def signal_etcd(host: Host, name: str) -> None:
    """Send a signal to a host's etcd."""
    host.run(["systemctl", "kill", "--kill-who=main", f"--signal={name}", host.unit])


def kill_another_etcd(lab: Lab, working: Host) -> None:
    """Kill the etcd of the first member that is not at work, if there is another one."""
    others = [host for host in lab.members if host != working]
    signal_etcd(next(iter(others), working), "SIGKILL")


def freeze_etcd(host: Host) -> None:
    """Let a host's etcd say nothing for a while."""
    signal_etcd(host, "SIGSTOP")
    time.sleep(FROZEN_S)
    signal_etcd(host, "SIGCONT")


def cut_all_peer_connections(lab: Lab) -> None:
    """Break them all at both ends at the same time, nearly; LabError if there are none."""
    port = lab.cluster.ports.peer
    if not sum(link_faults.kill_connections(host, port) for host in lab.hosts):
        raise LabError(f"no host has a connection of port {port} that could be cut")


def cut_link_for_a_while(host: Host) -> None:
    """Pull a host's cable, and put it back."""
    link_faults.cut_link(host)
    time.sleep(CUT_S)
    link_faults.restore_link(host)


def kill_sessions(host: Host, first: str = ":") -> None:
    """Kill the processes that sshd has for its connections, behind another command."""
    host.run(["sh", "-c", f"sessions=$({_SESSIONS}); {first}; kill -KILL $sessions"])


def stop_sshd_for_a_while(host: Host) -> None:
    """Stop a host's sshd with its connections, and start it again."""
    kill_sessions(host, "systemctl stop ssh")
    time.sleep(DEAF_S)
    host.run(["systemctl", "start", "ssh"])


def unplug_bastion_for_a_while(lab: Lab) -> None:
    """Let whatever the bastion sends get lost, and then no more."""
    for host in lab.hosts:
        link_faults.hide_from_bastion(host)
    time.sleep(UNPLUGGED_S)
    for host in lab.hosts:
        link_faults.show_to_bastion(host)


# fmt: off
FAULTS: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in (
    Fault(KILL_RUN,         "the orchestrator is killed (SIGKILL)"),
    Fault("kill-etcd",      "the etcd of a member that is not at work is killed (SIGKILL)",
          kill_another_etcd),
    Fault("freeze-etcd",    f"etcd is frozen for {FROZEN_S} s on the host at work",
          lambda _, host: freeze_etcd(host)),
    Fault("reboot",         "the host at work is rebooted", lambda _, host: hosts.reboot(host)),
    Fault("cut-link",       f"the link of the host at work is down for {CUT_S} s",
          lambda _, host: cut_link_for_a_while(host)),
    Fault("cut-peers",      "all peer connections are cut at once",
          lambda lab, _: cut_all_peer_connections(lab)),
    Fault("kill-ssh",       "the SSH connections to the host at work are killed",
          lambda _, host: kill_sessions(host)),
    Fault("stop-sshd",      f"sshd is stopped for {DEAF_S} s on the host at work",
          lambda _, host: stop_sshd_for_a_while(host)),
    Fault("unplug-bastion", f"the bastion reaches no host for {UNPLUGGED_S} s",
          lambda lab, _: unplug_bastion_for_a_while(lab)),
)})
# fmt: on
