"""Finding a cluster from some of its hosts, over SSH: its members, units, settings and certificates."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from orchestrator.commands.seen_hosts import Look, Seen, called, is_a, missing, summed_up, unmatched, usable
from orchestrator.errors import RefusedError
from orchestrator.etcd import api
from orchestrator.etcd.api import Registered
from orchestrator.etcd.api.words import hindrance, wants_login
from orchestrator.etcd.checks.listeners import over_https_only
from orchestrator.etcd.checks.site import assumed
from orchestrator.etcd.checks.versions import interface
from orchestrator.etcd.facts import members, process, units
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.gather import targets_of
from orchestrator.etcd.install import detecting, unit
from orchestrator.pki import lens
from orchestrator.plan import spelling
from orchestrator.plan.discovered import Discovered
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Cluster
from orchestrator.plan.seeds import Seed
from orchestrator.remote.executor import Hosts
from orchestrator.text import escaped, shown

_CERTIFICATES = ("ETCD_TRUSTED_CA_FILE", "ETCD_CERT_FILE", "ETCD_PEER_TRUSTED_CA_FILE", "ETCD_PEER_CERT_FILE")
_NO_FILES = {
    "ca": "none",
    "certificate": "none-{name}",
    "key": "none-{name}-key",
    "client_certificate": "none-client",
    "client_key": "none-client-key",
    "directory": "/etc/etcd/pki",
}

Connect = Callable[[Sequence[Seed], Mapping[str, str]], AbstractContextManager[tuple[Cluster, Hosts]]]


def cluster_of(seeds: Sequence[Seed], services: Mapping[str, str], ssh: Mapping[str, str | int]) -> Cluster:
    """Return hosts as a cluster that can be asked; each is called as it was named."""
    return Cluster.model_validate(
        {
            "cluster": "discovered",
            "tls": _NO_FILES,
            "ssh": dict(ssh),
            "members": tuple(
                {
                    "name": name,
                    "address": f"host{number}.invalid",
                    "service": services.get(name, "etcd"),
                    "ssh": {"host": one.host, **one.way},
                }
                for number, (name, one) in enumerate(zip(names_of(seeds), seeds, strict=True))
            ),
        },
        context=Path.cwd(),
        by_alias=True,
        by_name=False,
    )


def names_of(seeds: Sequence[Seed]) -> tuple[str, ...]:
    """Return what each host is called while nothing is known of it."""
    found: list[str] = []
    for number, one in enumerate(seeds, start=1):
        name = one.name or one.host
        is_usable = usable(name) and name not in found
        found.append(name if is_usable else f"host{number}")
    return tuple(found)


def discover(seeds: Sequence[Seed], connect: Connect, service: str | None) -> Discovered:
    """Look at the hosts that were named, and at those that their registry names beside them.

    RefusedError for what no plan can be made of; HostUnreachableError or LoginRefusedError.
    """
    try:
        return _discovered(seeds, connect, service)
    except ValueError as error:
        raise RefusedError(f"no plan was written: a host's answer cannot be read: {error}") from error


def _discovered(seeds: Sequence[Seed], connect: Connect, service: str | None) -> Discovered:
    seen = _looked(seeds, connect, service)
    beside = missing(seen)
    if beside:
        seen = _looked((*seeds, *beside), connect, service)
    if lost := unmatched(seen):
        raise RefusedError(
            f"no plan was written: the registry has {', '.join(called(one) for one in lost)}, and no host "
            "that was asked is that member: name every member's host as you reach it, one after the other"
        )
    return summed_up(seen)


def _looked(seeds: Sequence[Seed], connect: Connect, service: str | None) -> Look:
    with connect(seeds, {}) as (cluster, hosts):
        asked = {host.name: units.units(host.name) for host in cluster.hosts}
        answers = hosts.look(fact.question for fact in asked.values())
        found = {name: _service(name, fact.read(answers), service) for name, fact in asked.items()}
    with connect(seeds, found) as (cluster, hosts):
        return _asked(seeds, cluster, hosts)


def _service(host: str, running: units.Running, wanted: str | None) -> str:
    """Choose the unit of a host's etcd; RefusedError if there is none, or more than one to choose from."""
    if wanted is not None:
        return wanted
    served = [name for name in running.units if is_a(spelling.service, name)]
    if len(served) == 1:
        return served[0]
    if served:
        raise RefusedError(
            f"{host}: several units run an etcd: {', '.join(served)}; each cluster has a plan of its own: "
            "say which one with --service UNIT"
        )
    others = ", ".join(shown(name) for name in (*running.units, *running.others))
    raise RefusedError(
        f"{host}: no systemd unit runs etcd as its main process"
        + (f"; one runs in {others}, which is not served" if others else "; start it first")
    )


def _asked(seeds: Sequence[Seed], cluster: Cluster, hosts: Hosts) -> Look:
    targets = targets_of(cluster, assumed(cluster, "v3"))
    facts = {target.name: (process.running(target), unit.of(target)) for target in targets}
    answers = dict(hosts.look(fact.question for pair in facts.values() for fact in pair))
    seen = []
    for seed, target in zip(seeds, targets, strict=True):
        running = facts[target.name][0].read(answers)
        if running.trouble:
            raise RefusedError(f"{target.name}: {running.trouble}: every etcd has to run for that")
        origin, notes = _origin(target, running, facts[target.name][1].read(answers))
        seen.append(Seen(seed, target, running, origin, (), notes))
    named = {
        one.target.name: units.certificates(one.target.name, paths)
        for one in seen
        if (paths := list(filter(None, dict.fromkeys(map(one.running.settings.get, _CERTIFICATES)))))
    }
    answers |= hosts.look(fact.question for fact in named.values()) if named else {}
    described = {
        name: tuple(
            f"{escaped(held.path, keep='')}: {lens.in_a_line(held.text)}" for held in fact.read(answers)
        )
        for name, fact in named.items()
    }
    seen = [replace(one, certificates=described.get(one.target.name, ())) for one in seen]
    return _registered(cluster, seen, hosts)


def _origin(target: Target, running: Process, read: unit.Unit) -> tuple[str, tuple[str, ...]]:
    try:
        source = detecting.source(target, running, read)
    except detecting.UnservedError as error:
        return "not where they can be changed", (f"{error}: {error.fix}",)
    return (detecting.described(source) if source else "") or "Environment= lines of the unit", ()


def _registered(cluster: Cluster, seen: Sequence[Seen], hosts: Hosts) -> Look:
    """Ask the members who they are, and whom they know."""
    asked = [one for one in seen if not one.is_proxy]
    if not asked:
        raise RefusedError("no host that was asked is a member: they run v2 proxies; name a member's host")
    for one in asked:
        if silent := over_https_only(one.target, one.running):
            reported, fix = silent
            raise RefusedError(
                f"no plan was written: {one.target.name}: {reported}. Where clients and peers use https "
                f"already there is nothing to migrate; where peers do not, {fix}; then draft again"
            )
    versions = {one.target.name: members.version(one.target) for one in asked}
    answers = dict(hosts.look(fact.question for fact in versions.values()))
    chosen, faults = interface(cluster, answers, versions)
    if faults:
        raise RefusedError("\n".join(faults))
    facts = assumed(cluster, chosen)
    driven = {one.target.name: replace(one.target, facts=facts) for one in asked}
    own = {
        name: (api.of(target).members(target), api.of(target).status(target))
        for name, target in driven.items()
    }
    health = [api.of(target).health(target).question for target in driven.values()]
    answers |= hosts.look((*(fact.question for pair in own.values() for fact in pair), *health))
    registry: dict[str, Registered] = {}
    found = []
    for one in seen:
        if one.target.name not in own:
            found.append(one)
            continue
        listing, status = own[one.target.name]
        try:
            registry |= listing.read(answers)
            found.append(replace(one, own=registry.get(status.read(answers).id)))
        except ValueError as error:
            why = hindrance(answers[status.question]) or hindrance(answers[listing.question]) or error
            raise RefusedError(f"{one.target.name}: its etcd does not say who it is: {why}") from error
    is_closed = any(wants_login(answers[question]) for question in health)
    version = versions[asked[0].target.name].read(answers).server
    return Look(tuple(found), registry, version, is_closed)
