"""Faults for rehearsals: a cut link, a deaf host, killed connections, a slow link."""

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError, run


def cut_link(host: Host) -> None:
    """Take a host off the network, as when its cable is pulled: it keeps its address."""
    run(["ip", "-n", host.bastion, "link", "set", host.port, "down"])


def restore_link(host: Host) -> None:
    """Put a host back on the network."""
    run(["ip", "-n", host.bastion, "link", "set", host.port, "up"])


def hide_from_bastion(host: Host) -> None:
    """Let whatever the bastion sends to a host get lost, without a word; other hosts still reach it."""
    address = [host.address, "dev", network.BRIDGE]
    nobody = ["lladdr", "02:00:00:00:00:00", "nud", "permanent"]
    run(["ip", "-n", host.bastion, "neighbour", "replace", *address, *nobody])


def show_to_bastion(host: Host) -> None:
    """Let the bastion reach a host again."""
    run(["ip", "-n", host.bastion, "neighbour", "delete", host.address, "dev", network.BRIDGE])


def kill_connections(host: Host, port: int) -> int:
    """Break every established TCP connection from or to a port, at one host's end; return how many."""
    chosen = ["state", "established", f"( sport = :{port} or dport = :{port} )"]
    killed = run(["ss", "--net", host.namespace, "--kill", "--tcp", "--numeric", "--no-header", *chosen])
    return len(killed.stdout.splitlines())


def delay(host: Host, milliseconds: int) -> None:
    """Slow down everything that a host sends; 0 takes the delay away again. The kernel needs sch_netem."""
    root = ["dev", network.PORT, "root"]
    if milliseconds == 0:
        run(["tc", "-n", host.namespace, "qdisc", "delete", *root], check=False)
        return
    netem = ["netem", "delay", f"{milliseconds}ms"]
    done = run(["tc", "-n", host.namespace, "qdisc", "replace", *root, *netem], check=False)
    if done.returncode != 0:
        raise LabError(f"this machine's kernel cannot delay packets (sch_netem): {done.stderr.strip()}")
