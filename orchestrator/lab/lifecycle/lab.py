"""The lab: the hosts that a plan names, booted on this machine, with a bastion to reach them from."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import orchestrator
from orchestrator import commandline
from orchestrator.lab.clients import local_clients
from orchestrator.lab.hosts import base_system, etcd_programs, host
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle import authentication, forming, manifest, readiness, restoring
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError, require, run, run_attached
from orchestrator.lab.provisioning import (
    addressing,
    as_found,
    credentials,
    furnishing,
    initial_settings,
    login,
    plan_copy,
    private_copy,
)
from orchestrator.plan.layout import Layout
from orchestrator.plan.model import Cluster, Proxy
from orchestrator.probe.http_session import Endpoint

PREFIX = "orc"
COPY = manifest.WORK / "data"  # of the operator's data, while a lab is made of it
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up. ``directory`` holds its plan, keys, certificates and logs.

    ``found`` is what its etcds were made of, if that was found on real hosts.
    """

    prefix: str
    directory: Path
    cluster: Cluster
    hosts: tuple[Host, ...]
    found: Layout | None = None

    @classmethod
    def up(  # noqa: PLR0913 - a plan, and named options
        cls,
        plan: Path,
        *,
        prefix: str = PREFIX,
        directory: Path | None = None,
        extra_settings: Mapping[str, str] = NOTHING,
        proxy_settings: Mapping[str, str] = NOTHING,
        etcd: str = etcd_programs.OWN,
        found: Layout | None = None,
        above: Sequence[Path] = (),
        report: Callable[[str], None] = lambda _: None,
    ) -> "Lab":
        """Boot the hosts of a plan and form their cluster on plain HTTP; a failure leaves nothing behind.

        With ``found``, their etcds are those that were found on the real hosts, started as they are there.

        ``extra_settings`` go into every member's first configuration, ``proxy_settings`` into every proxy's,
        such as ``ETCD_PROXY_REFRESH_INTERVAL``. ``etcd`` is a version, or a directory with etcd and etcdctl.
        Trees ``above`` lie over the base system and its etcd, the uppermost first. ``report`` gets a sentence
        about anything that takes long.
        """
        check_machine()
        etcd_programs.check(etcd)
        with manifest.held(prefix):
            check_free(prefix)
            private_copy.clear(COPY)
            root = base_system.ensure(report)
            folder = manifest.prepared(directory or manifest.default_directory(prefix))
            trees = (*above, *etcd_programs.layers(etcd, root, folder, report))
            known = login.given(found.snapshot if found else None)
            cluster = plan_copy.copy(
                plan,
                folder,
                found.addresses if found else addressing.NONE_FOUND,
                known.user if known else "",
            )
            lab = replace(cls._of(prefix, folder, cluster), found=found)
            _check_names(lab)
            manifest.write(manifest.Manifest(prefix=prefix, directory=folder, hosts=tuple(_places(lab))))
            try:
                _start(lab, trees, initial_settings.Extra(extra_settings, proxy_settings), report)
            except BaseException:
                manifest.erase(prefix)
                raise
        return lab

    @classmethod
    def find(cls, prefix: str = PREFIX) -> "Lab":
        """Return the lab that is up."""
        found = manifest.read(prefix)
        if found is None:
            raise LabError(f"no lab is up; start one with: {commandline.command('lab', 'up')} PLAN")
        return cls._of(prefix, found.directory, plan_copy.read(found.directory / plan_copy.PLAN))

    @classmethod
    def _of(cls, prefix: str, directory: Path, cluster: Cluster) -> "Lab":
        bastion = f"{prefix}-{network.BASTION}"
        hosts = tuple(
            Host(
                entry=entry,
                namespace=f"{prefix}-{entry.name}",
                bastion=bastion,
                port=network.port_of(index),
                directory=directory / "hosts" / entry.name,
                console=directory / "logs" / f"{entry.name}.console.log",
            )
            for index, entry in enumerate(cluster.etcd_hosts)
        )
        if bastion in {each.namespace for each in hosts}:
            raise LabError(f"the lab cannot boot a host named {network.BASTION!r}: that is where clients run")
        return cls(prefix, directory, cluster, hosts)

    @property
    def members(self) -> tuple[Host, ...]:
        """The members' hosts."""
        return tuple(each for each in self.hosts if not isinstance(each.entry, Proxy))

    @property
    def proxies(self) -> tuple[Host, ...]:
        """The proxies' hosts."""
        return tuple(each for each in self.hosts if isinstance(each.entry, Proxy))

    @property
    def taken(self) -> frozenset[network.Address]:
        """Every address that a host has."""
        found = self.found.addresses if self.found else addressing.NONE_FOUND
        chosen = addressing.of(self.cluster, found)
        return frozenset(address for addresses in chosen.values() for address in addresses)

    @property
    def bastion(self) -> str:
        """The bastion's network namespace."""
        return f"{self.prefix}-{network.BASTION}"

    @property
    def plan(self) -> Path:
        """The lab's own copy of the plan."""
        return self.directory / plan_copy.PLAN

    def host(self, name: str) -> Host:
        """Return the host of that name."""
        return next(each for each in self.hosts if each.name == name)

    def data_directory(self, host: Host) -> str:
        """Return where etcd keeps its files on a host."""
        if self.found:
            return self.found.hosts[host.name].data
        return initial_settings.data_directory(self.cluster, host.entry)

    def wait_until_healthy(self, *, timeout_s: float = 60.0) -> None:
        """Wait until every host takes SSH connections, and members, proxies and local clients are at work."""
        for each in self.hosts:
            readiness.wait(each, self.cluster, timeout_s=timeout_s)

    def in_bastion(self) -> AbstractContextManager[None]:
        """Move the calling thread into the bastion's network, and back afterwards."""
        return network.entered(self.bastion)

    def command(self, argv: Sequence[str], *, namespace: str | None = None) -> list[str]:
        """Return the command that runs a program on the bastion's network, or in another namespace."""
        return ["nsenter", f"--net={network.NAMED / (namespace or self.bastion)}", "--", *argv]

    def environment(self) -> dict[str, str]:
        """Return the environment of a program on the bastion: ours, and it can import this very package."""
        home = str(Path(orchestrator.__file__).parent.parent)
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH")))),
        }

    def run(
        self, argv: Sequence[str], *, check: bool = True, timeout_s: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the bastion, in the lab's directory, and return what it printed."""
        return run(
            self.command(argv), check=check, timeout_s=timeout_s, cwd=self.directory, env=self.environment()
        )

    def execute(self, argv: Sequence[str], *, log: Path | None = None) -> int:
        """Run a program on the bastion, in the lab's directory, at this terminal; return its exit code.

        With ``log``, what it prints goes there instead.
        """
        return run_attached(self.command(argv), cwd=self.directory, env=self.environment(), log=log)

    def down(self) -> None:
        """End the lab: its processes, mounts, namespaces and hosts. Its plan and logs stay to be read."""
        down(self.prefix)


def down(prefix: str = PREFIX) -> None:
    """End the lab of that prefix, however far it came, and make sure that nothing of it is left."""
    with manifest.held(prefix):
        manifest.erase(prefix)
    private_copy.clear(COPY)


def check_free(prefix: str = PREFIX) -> None:
    """Refuse to begin where a lab of that prefix is up."""
    if manifest.exists(prefix):
        raise LabError(f"a lab is up already; end it with: {commandline.command('lab', 'down')}")


def _start(
    lab: Lab, trees: Sequence[Path], extra: initial_settings.Extra, report: Callable[[str], None]
) -> None:
    found = lab.found
    addresses = addressing.of(lab.cluster, found.addresses if found else addressing.NONE_FOUND)
    keys = credentials.write(lab.cluster)
    snapshot = found.snapshot if found else None
    who = login.write(lab.cluster, login.given(snapshot))
    network.make(lab.bastion, {each.namespace: addresses[each.name] for each in lab.hosts})
    for each in lab.hosts:
        host.mount(each, trees)
        furnishing.furnish(each, lab.cluster, keys, found.names if found else furnishing.NO_NAMES)
        if found:
            for missing in as_found.lay(each, found.hosts[each.name], found.store):
                report(f"{each.name}: not there in the lab: {missing}")
        else:
            first = initial_settings.of(lab.cluster, each.entry, extra)
            furnishing.configure(each, initial_settings.drop_in(first))
    if found:
        forming.form(lab.members, lab.proxies, found, who)
    else:
        report(f"The hosts have etcd {etcd_programs.version(lab.hosts[0].root)}.")
    for each in lab.members:
        local_clients.install(each, lab.cluster)
    for each in lab.hosts:
        host.boot(each)
    lab.wait_until_healthy(timeout_s=60.0 + restoring.patience_s(snapshot))
    if snapshot:
        report(restoring.compare(lab.members, lab.cluster, snapshot))
    if who and not found:
        with lab.in_bastion():
            authentication.turn_on(Endpoint("http", lab.members[0].address, lab.cluster.ports.client), who)


def _places(lab: Lab) -> list[manifest.Place]:
    return [manifest.Place(namespace=each.namespace, directory=each.directory) for each in lab.hosts]


def _check_names(lab: Lab) -> None:
    for namespace in (lab.bastion, *(each.namespace for each in lab.hosts)):
        if network.exists(namespace):
            raise LabError(f"there is a network namespace {namespace} already, and it is not the lab's")


def check_machine() -> None:
    """Refuse a machine that cannot carry a lab."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes network namespaces, mounts and whole hosts")
    require("systemd-nspawn", "ip", "ss", "mount", "umount", "nsenter", "setsid", "chroot")
