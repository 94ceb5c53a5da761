"""The members as etcd has them registered: against the plan, against their listeners, and as each sees it."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from orchestrator.etcd import api, settings
from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.asking import gate
from orchestrator.etcd.checks import fixes
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import peering, process
from orchestrator.etcd.facts.members import readable
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Subject
from orchestrator.plan.model import Host

HALF_SECURED = (
    "not supported: a cluster in which some listeners speak https already; 'gate: running with http' says "
    "which, and how they come to speak http again"
)


def _registered(
    subject: Subject,
    peer_urls: tuple[str, ...],
    client_urls: tuple[str, ...] | None,
    viewers: tuple[Subject, ...] | None = None,
) -> Check:
    views = {viewer.name: api.of(subject).members(viewer) for viewer in viewers or subject.everyone}

    def judge(answers: Answers) -> Iterable[Remark]:
        for viewer, view in views.items():
            try:
                found = view.read(answers).get(subject.member.id)
            except ValueError as error:
                yield wrong(f"{viewer} cannot tell: {error}")
                continue
            if found is None:
                yield wrong(f"{viewer} knows no member {subject.member.id}")
                continue
            if set(found.peer_urls) != set(peer_urls):
                yield wrong(f"{viewer} sees peer URLs {_list(found.peer_urls)}, not {_list(peer_urls)}")
            if client_urls is not None and set(found.client_urls) != set(client_urls):
                yield wrong(f"{viewer} sees client URLs {_list(found.client_urls)}, not {_list(client_urls)}")

    return Check(subject.name, tuple(views.values()), judge)


def _list(urls: Iterable[str]) -> str:
    return ",".join(urls) or "none"


@gate(fix="run the command that the check 'registry' prints for this member")
def registered_with_http(subject: Subject) -> Check:
    """Every member sees this one's peer URLs as they were, and with the scheme that it listens with: http.

    The registry says what others dial, the process what answers: only both together tell who finds whom.
    """
    registered = _registered(subject, settings.peers_http(subject), None)
    runs = process.running(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        yield from registered.predicate(answers)
        urls, running = settings.peers_http(subject), runs.read(answers)
        unspoken = peering.unspoken(urls, running.environment)
        if unspoken:
            listens = _list(settings.current(running.environment, settings.LISTEN_PEER))
            yield wrong(f"registered with {_list(unspoken)}, and listens with {listens}")

    return Check(subject.name, (*registered.facts, runs), judge)


@gate
def registered_with_both_schemes(subject: Subject) -> Check:
    """Every member sees this one's peer URLs in both schemes: a dialler finds the one that answers."""
    return _registered(subject, settings.peers_both(subject), None)


@gate
def registered_with_https_only(subject: Subject) -> Check:
    """Every member sees this one's peer and client URLs in https only."""
    return _registered(subject, settings.peers_https(subject), settings.advertised_clients(subject))


@gate
def registered_for_peers_with_https(subject: Subject) -> Check:
    """Every member sees this one's peer URLs in https only; what clients are told is another matter."""
    return _registered(subject, settings.peers_https(subject), None)


@gate
def registering_itself_with_https(subject: Subject) -> Check:
    """The member itself sees its URLs in https only; others may be cut off and not know it yet."""
    urls = settings.advertised_clients(subject)
    return _registered(subject, settings.peers_https(subject), urls, (subject,))


@gate
def advertising_https(subject: Subject) -> Check:
    """Clients that ask the registry are told https URLs."""
    return _registered(subject, settings.peers_both(subject), settings.advertised_clients(subject))


def registry(site: Site) -> Iterable[Check]:
    """Ask each member for its registry, and compare it with the plan."""
    views = {one.name: api.of(one).members(one) for one in site.members}
    selves = {one.name: api.of(one).status(one) for one in site.members}
    processes = {one.name: process.running(one) for one in site.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        ids = {name: one.id for name, one in readable(selves, answers).items()}
        seen = {name: views[name].read(answers) for name in ids}
        running = {name: runs.read(answers) for name, runs in processes.items()}
        troubles = (
            *(compare(site, seen, ids) if seen else (wrong("no member tells its registry"),)),
            *schemes(site, seen, ids, running),
            *(
                remark
                for name, view in seen.items()
                if ids[name] in view
                for remark in _nowhere(site.cluster.member(name), view[ids[name]])
            ),
        )
        yield from troubles
        if not troubles:
            yield fine(", ".join(f"{name} is {id_}" for name, id_ in ids.items()))

    if views:
        yield Check(CLUSTER, (*views.values(), *selves.values(), *processes.values()), judge)


def schemes(
    site: Site,
    seen: Mapping[str, Mapping[str, Registered]],
    ids: Mapping[str, str],
    running: Mapping[str, process.Process],
) -> Iterable[Remark]:
    """Compare the scheme that each member is registered with, by its own view, with its listeners'."""
    interface = api.APIS[site.facts.api]
    for name, view in seen.items():
        member, environment = view.get(ids[name]), running[name].environment
        if member is None or not running[name].pid:
            continue  # 'compare' and 'quorum' say so
        unspoken = peering.unspoken(member.peer_urls, environment)
        if not unspoken:
            continue
        listens = ", ".join(settings.current(environment, settings.LISTEN_PEER))
        told = (
            f"{name} is registered with {', '.join(member.peer_urls)}, and listens on {listens}: "
            "after its next restart the others could not find it"
        )
        is_http = all(url.startswith("http://") for url in peering.spoken(unspoken, environment))
        mend = f"on {name}: {peering.command(interface, member.id, member.peer_urls, environment)}"
        yield wrong(told, mend if is_http else HALF_SECURED)


def compare(
    site: Site, seen: Mapping[str, Mapping[str, Registered]], ids: Mapping[str, str]
) -> Iterable[Remark]:
    """Compare the registry with the plan: each member by its own ID, or by its address if it is not known."""
    viewer, view = next(iter(seen.items()))
    for each, other in seen.items():
        if other != view:
            yield wrong(
                f"{each} and {viewer} do not see the same registry", "let the members become healthy first"
            )
    by_id = {id_: name for name, id_ in ids.items()}
    by_address = {member.address: member.name for member in site.cluster.members if member.name not in ids}
    met: set[str] = set()
    for id_, member in view.items():
        urls = ", ".join(member.peer_urls)
        hosts = [urlsplit(url).hostname or "" for url in member.peer_urls]
        unasked = (by_address[host] for host in hosts if host in by_address)
        name = by_id.get(id_) or next(unasked, None)
        if name is None:
            yield wrong(
                unplanned(member, urls),
                f"add it to the plan, or, if it is gone for good: etcdctl member remove {id_}",
            )
            continue
        met.add(name)
        yield from _entry(site, name, member, urls)
    for planned in site.cluster.members:
        if planned.name not in met:
            told = ids.get(planned.name, "ID unknown")
            yield wrong(f"the plan has {planned.name} ({told}), the registry has not")


def unplanned(member: Registered, *details: str) -> str:
    """Say that a member is a stranger to the plan."""
    told = ", ".join((member.name or "never started", *details))
    return f"the registry has member {member.id} ({told}), the plan has not"


def learning(name: str) -> str:
    """Say that a member is none that votes."""
    return f"{name} is a learner"


def _entry(site: Site, name: str, member: Registered, urls: str) -> Iterable[Remark]:
    address, port = site.cluster.member(name).address, site.cluster.ports.peer
    if member.is_learner:
        yield wrong(learning(name), f"etcdctl member promote {member.id}, or remove it")
    if not member.name:
        yield wrong(f"{name} ({member.id}) is registered, and was never started")
    if any((urlsplit(url).hostname, urlsplit(url).port) != (address, port) for url in member.peer_urls):
        yield doubtful(
            f"{name} is registered with {urls}, and the plan has it at {address}:{port}",
            "see that the certificate names what is registered, and the plan what is true",
        )


def _nowhere(host: Host, member: Registered) -> Iterable[Remark]:
    """Complain of a member that advertises the address of no host, such as http://0.0.0.0:2379."""
    urls = [url for url in member.client_urls if settings.is_unspecified(url)]
    if urls:
        yield wrong(
            f"{host.name} advertises {', '.join(urls)}: a client that follows it dials its own host",
            f"on {host.name}: {fixes.advertise(host, member.client_urls)} (as root, one member at a time)",
        )
