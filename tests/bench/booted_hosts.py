"""Hosts of clients beside a lab's: each a whole system of its own, with its files, systemd and sshd.

They are booted as the lab's hosts are, but run no etcd: what a plan changes on them is theirs alone, so a run
can move clients there. Whoever ends the lab ends them too: its manifest names them.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Address

from bench import light_hosts
from bench.light_hosts import FILE, NEW_CONTENT, PORTS_FROM, SERVICE, UNIT, HostBeside

from orchestrator.lab.hosts import base_system, host
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle import manifest
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network, processes
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import furnishing
from orchestrator.lab.provisioning.credentials import HostKeys

FIRST, NAME = IPv4Address("198.18.8.1"), "app"
OLD, NEW = "ENDPOINTS=http\n", "ENDPOINTS=https\n"
BOOTING_AT_ONCE = 4


def boot(lab: Lab, count: int) -> tuple[HostBeside, ...]:
    """Boot that many beside the hosts of a lab, each with a client, and let the lab's plan move those."""
    booted = tuple(HostBeside(lab.prefix, NAME, FIRST, number) for number in range(count))
    if booted:
        hosts = [_host(lab, each) for each in booted]
        _note(lab, hosts)
        light_hosts.join(lab.bastion, booted)
        keys = _keys(lab, booted)
        with ThreadPoolExecutor(BOOTING_AT_ONCE) as pool:
            for done in [pool.submit(_start, lab, each, keys) for each in hosts]:
                done.result()
        (lab.directory / NEW_CONTENT).write_text(NEW)
    lab.plan.write_text(light_hosts.planned(lab.plan.read_text(), booted))
    return booted


def end(booted: Sequence[HostBeside]) -> None:
    """End all of them at once; the lab's own end, host by host, looks through all processes for each."""
    wanted = {argument for each in booted for argument in processes.boot_arguments(each.namespace)}
    running = []
    for path in processes.PROC.glob("[0-9]*"):
        with suppress(OSError):
            if len(wanted & set((path / "cmdline").read_text(errors="replace").split("\0"))) == 2:
                running.append(int(path.name))
    processes.end(running, grace_s=0)  # their supervisors, without which a host dies


def holding(lab: Lab, booted: Sequence[HostBeside], text: str) -> int:
    """Count the hosts whose client's file holds that, and whose client is at work."""
    asked = ["sh", "-ec", f"cat {FILE}; systemctl is-active {UNIT}"]
    said = (_host(lab, each).run(asked, check=False).stdout for each in booted)
    return sum(each == f"{text}active\n" for each in said)


def _host(lab: Lab, booted: HostBeside) -> Host:
    """Return it as a host of the lab: a member's entry in the plan, but for its name and address."""
    entry = lab.members[0].entry
    ssh = entry.ssh.model_copy(update={"host": booted.address})
    return Host(
        entry=entry.model_copy(update={"name": booted.name, "address": booted.address, "ssh": ssh}),
        namespace=booted.namespace,
        bastion=lab.bastion,
        port=network.port_of(PORTS_FROM + booted.number),
        directory=lab.directory / "hosts" / booted.name,
        console=lab.directory / "logs" / f"{booted.name}.console.log",
    )


def _note(lab: Lab, hosts: Sequence[Host]) -> None:
    """Write them into the lab's manifest, so that they end with it, whatever happens here."""
    known = manifest.read(lab.prefix)
    if known is None:
        raise LabError("the lab is not up")
    more = (manifest.Place(namespace=each.namespace, directory=each.directory) for each in hosts)
    manifest.write(known.model_copy(update={"hosts": (*known.hosts, *more)}))


def _keys(lab: Lab, booted: Sequence[HostBeside]) -> HostKeys:
    """Give all of them a member's host key, and have the bastion know it at each address."""
    member = lab.members[0]
    light_hosts.make_known(member, booted)
    identity = member.entry.ssh.identity_file
    if identity is None:
        raise LabError("the lab's plan names no ssh.identity_file")
    own = (member.root / "etc/ssh/ssh_host_ed25519_key").read_text()
    public = identity.with_name(f"{identity.name}.pub").read_text().strip()
    return HostKeys(public, {each.name: own for each in booted})


def _start(lab: Lab, each: Host, keys: HostKeys) -> None:
    """Boot one, with its client, and wait until its sshd answers."""
    host.mount(each, (base_system.ensure(),))
    furnishing.furnish(each, lab.cluster, keys)
    units = each.root / "etc/systemd/system"
    furnishing.write(units / f"{UNIT}.service", SERVICE)
    (units / f"multi-user.target.wants/{UNIT}.service").symlink_to(f"../{UNIT}.service")
    furnishing.write(each.root / FILE.removeprefix("/"), OLD)
    host.boot(each)
    host.wait_for_ssh(each, timeout_s=120.0)
