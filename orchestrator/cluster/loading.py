"""From a plan file to the cluster it describes, or to every fault in it at once."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from orchestrator.cluster.checks import check, check_files, warn
from orchestrator.cluster.explaining import validate
from orchestrator.cluster.files import location
from orchestrator.cluster.hosts import HostSection
from orchestrator.cluster.model import Cluster, Host, Member, Patience, Ports, Proxy, Ssh, Tls, Watch
from orchestrator.cluster.plan import Plan
from orchestrator.cluster.sound import Sound
from orchestrator.cluster.source import read
from orchestrator.cluster.spelling import seconds
from orchestrator.errors import PlanInvalidError

H = TypeVar("H", bound=Host)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A cluster, and what is allowed in its plan and still worth a thought, a line each."""

    cluster: Cluster
    warnings: tuple[str, ...]


def load(path: Path, strategies: Collection[str], *, files: bool = True) -> Loaded:
    """Return the cluster that a plan file describes, or raise PlanInvalidError with all its faults.

    ``strategies`` are the names a plan may choose from. ``files=False`` does not ask whether the files that
    the plan names exist: a rehearsal makes its own.
    """
    source = read(path)
    plan, faults = validate(source)
    sound = Sound(source, frozenset(source.unread | faults.keys()))
    found = {*source.faults, *faults.values(), *check(sound, strategies)}
    if files:
        found.update(check_files(sound, path.parent))
    if found or plan is None:
        raise PlanInvalidError(tuple(fault.text(path) for fault in sorted(found)))
    warnings = tuple(warning.text(path) for warning in sorted(warn(sound)))
    return Loaded(resolve(plan, path.parent), warnings)


def resolve(plan: Plan, folder: Path) -> Cluster:
    """Return the cluster of a sound plan, its paths absolute and its defaults and overrides applied."""
    return Cluster(
        name=plan.cluster,
        strategy=plan.strategy,
        members=tuple(_host(Member, plan, member, folder) for member in plan.members),
        proxies=tuple(_host(Proxy, plan, proxy, folder) for proxy in plan.proxies),
        tls=Tls(
            ca=location(folder, plan.tls.ca),
            client_certificate=location(folder, plan.tls.client_certificate),
            client_key=location(folder, plan.tls.client_key),
            directory=plan.tls.directory,
            client_cert_auth=plan.tls.client_cert_auth,
            peer_cert_auth=plan.tls.peer_cert_auth,
            trust=plan.tls.trust,
        ),
        ports=Ports(client=plan.ports.client, peer=plan.ports.peer, local=plan.ports.local),
        patience=Patience(gate_s=seconds(plan.patience.gate), pause_s=seconds(plan.patience.pause)),
        watch=Watch(units=plan.watch.units, quiet_s=seconds(plan.watch.quiet), errors=plan.watch.errors),
        api=plan.api,
    )


def _host(role: type[H], plan: Plan, host: HostSection, folder: Path) -> H:
    """Return a host of that role, the plan's own settings filled in where it has none."""
    own, shared = host.ssh, plan.ssh
    identity_file = own.identity_file or shared.identity_file
    certificate, key = host.certificate or plan.tls.certificate, host.key or plan.tls.key
    return role(
        name=host.name,
        address=host.address,
        service=host.service or plan.service,
        ssh=Ssh(
            host=own.host or host.address,
            port=own.port or shared.port,
            user=own.user or shared.user,
            identity_file=location(folder, identity_file) if identity_file else None,
            known_hosts=location(folder, own.known_hosts or shared.known_hosts),
            become=own.become or shared.become,
        ),
        certificate=location(folder, certificate.replace("{name}", host.name)),
        key=location(folder, key.replace("{name}", host.name)),
    )
