"""The members as etcd has them registered: as each of them sees it, and against what they listen with."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd import api, overlap, settings, stages
from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.checks import fixes, membership
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import peering, process
from orchestrator.etcd.facts.members import readable
from orchestrator.etcd.install import unit
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target
from orchestrator.plan.model import EtcdHost

LOST = (
    "no member knows a leader, and without one etcd takes no 'member update': have them speak to each other "
    "in the scheme that they are registered with, by auto TLS, and come back to http then: docs/hosts.md"
)
REPAIR = "a run registers it with what it listens with before it does anything else, if you say so (--repair)"


def _registered(
    target: Target,
    peer_urls: tuple[str, ...],
    client_urls: tuple[str, ...] | None,
    viewers: tuple[Target, ...] | None = None,
    or_else: tuple[str, ...] = (),
) -> Check:
    views = {viewer.name: api.of(target).members(viewer) for viewer in viewers or target.everyone}
    beside = set(overlap.kept_advertised(target))  # the process's settings say whether these are there

    def judge(answers: Answers) -> Iterable[Remark]:
        for viewer, view in views.items():
            try:
                found = view.read(answers).get(target.member.id)
            except ValueError as error:
                yield wrong(f"{viewer} cannot tell: {error}")
                continue
            if found is None:
                yield wrong(f"{viewer} knows no member {target.member.id}")
                continue
            if set(found.peer_urls) not in (set(peer_urls), set(or_else or peer_urls)):
                yield wrong(f"{viewer} sees peer URLs {_list(found.peer_urls)}, not {_list(peer_urls)}")
            if client_urls is not None and set(found.client_urls) - beside != set(client_urls):
                yield wrong(f"{viewer} sees client URLs {_list(found.client_urls)}, not {_list(client_urls)}")

    return Check(target.name, tuple(views.values()), judge)


def _list(urls: Iterable[str]) -> str:
    return ",".join(urls) or "none"


@gate(fix="the member list was changed during the check: check again")
def registered_as_found(target: Target) -> Check:
    """Every member sees this one's peer URLs as they were found, or with the scheme that it listens with."""
    return _registered(target, target.member.peer_urls, None, or_else=settings.peers_before(target))


@gate(fix="run the command that the check 'registry' prints for this member")
def registered_with_http(target: Target) -> Check:
    """Every member sees this one's peer URLs as they were, and with the scheme that it listens with: http.

    The registry says what others dial, the process what answers: only both together tell who finds whom.
    """
    registered = _registered(target, settings.peers_before(target), None)
    runs = process.running(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        yield from registered.predicate(answers)
        urls, running = settings.peers_before(target), runs.read(answers)
        unspoken = peering.unspoken(urls, running.settings)
        if unspoken:
            listens = _list(settings.current(running.settings, settings.LISTEN_PEER))
            yield wrong(f"registered with {_list(unspoken)}, and listens with {listens}")

    return Check(target.name, (*registered.facts, runs), judge)


@gate
def registered_with_both_schemes(target: Target) -> Check:
    """Every member sees this one's peer URLs in both schemes: a dialler finds the one that answers."""
    return _registered(target, settings.peers_both(target), None)


@gate
def registered_with_https_only(target: Target) -> Check:
    """Every member sees this one's peer and client URLs in https only."""
    return _registered(target, settings.peers_https(target), stages.advertised_clients(target))


@gate
def registered_for_peers_with_https(target: Target) -> Check:
    """Every member sees this one's peer URLs in https only; what clients see is another matter."""
    return _registered(target, settings.peers_https(target), None)


@gate
def registering_itself_with_https(target: Target) -> Check:
    """The member itself sees its URLs in https only; others may be cut off and not know it yet."""
    urls = stages.advertised_clients(target)
    return _registered(target, settings.peers_https(target), urls, (target,))


@gate
def advertising_https(target: Target) -> Check:
    """Clients that ask the registry get https URLs."""
    return _registered(target, settings.peers_both(target), stages.advertised_clients(target))


def registry(site: Site) -> Iterable[Check]:
    """Ask each member for its registry, and compare it with the plan."""
    views = {one.name: api.of(one).members(one) for one in site.members}
    selves = {one.name: api.of(one).status(one) for one in site.members}
    processes = {one.name: process.running(one) for one in site.members}
    units = {one.name: unit.of(one) for one in site.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        known = readable(selves, answers)
        ids = {name: one.id for name, one in known.items()}
        is_led = any(one.leader != "0" for one in known.values())
        seen = {name: views[name].read(answers) for name in ids}
        running = {name: runs.read(answers) for name, runs in processes.items()}
        troubles = (
            *(membership.compare(site, seen, ids) if seen else (wrong("no member reports its registry"),)),
            *schemes(site, seen, ids, running, is_led=is_led),
            *(
                nowhere(site.cluster.member(name), member, running[name], units[name].read(answers))
                for name, view in seen.items()
                if (member := view.get(ids[name])) and any(map(settings.is_unspecified, member.client_urls))
            ),
        )
        yield from troubles
        if not troubles:
            yield fine(", ".join(f"{name} is {id_}" for name, id_ in ids.items()))

    if views:
        yield Check(CLUSTER, (*views.values(), *selves.values(), *processes.values(), *units.values()), judge)


def schemes(
    site: Site,
    seen: Mapping[str, Mapping[str, Registered]],
    ids: Mapping[str, str],
    running: Mapping[str, process.Process],
    *,
    is_led: bool,
) -> Iterable[Remark]:
    """Compare the scheme that each member is registered with, by its own view, with its listeners'."""
    interface = api.APIS[site.facts.api]
    for name, view in seen.items():
        member, environment = view.get(ids[name]), running[name].settings
        if member is None or not running[name].pid:
            continue  # 'compare' and 'quorum' say so
        unspoken = peering.unspoken(member.peer_urls, environment)
        if not unspoken:
            continue
        listens = ", ".join(settings.current(environment, settings.LISTEN_PEER))
        target = site.target(site.cluster.member(name))
        reported = (
            f"{name} is registered with {', '.join(member.peer_urls)}, and listens on {listens}: "
            "after its next restart the others could not find it"
        )
        command = peering.command(target, interface, member.id, member.peer_urls, environment)
        if is_led:
            yield doubtful(reported, f"{REPAIR}; by hand, on {name}: {command}")
        else:
            yield wrong(reported, LOST)


def nowhere(host: EtcdHost, member: Registered, running: process.Process, read: unit.Unit) -> Remark:
    """Complain of a member that advertises the address of no host, such as http://0.0.0.0:2379."""
    urls = filter(settings.is_unspecified, member.client_urls)
    return wrong(
        f"{host.name} advertises {', '.join(urls)}: a client that follows it dials its own host",
        f"on {host.name}: {fixes.advertise(host, member.client_urls, running, read)} (as root, one member "
        "at a time)",
    )
