"""The members as etcd has them registered, against the members in the plan."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from orchestrator.etcd import api, peering, process, settings
from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.preflight import advertised
from orchestrator.etcd.preflight.members import CLUSTER, readable
from orchestrator.etcd.preflight.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers

HALF_SECURED = (
    "not supported: a cluster in which some listeners speak https already; 'gate: running with http' says "
    "which, and how they come to speak http again"
)


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
                for remark in advertised.nowhere(site.cluster.member(name), view[ids[name]])
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
        member, environment = view.get(ids[name]), running[name].settings
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
                f"the registry has member {id_} ({member.name or 'never started'}, {urls}), the plan has not",
                f"add it to the plan, or, if it is gone for good: etcdctl member remove {id_}",
            )
            continue
        met.add(name)
        yield from _entry(site, name, member, urls)
    for planned in site.cluster.members:
        if planned.name not in met:
            told = ids.get(planned.name, "ID unknown")
            yield wrong(f"the plan has {planned.name} ({told}), the registry has not")


def _entry(site: Site, name: str, member: Registered, urls: str) -> Iterable[Remark]:
    address, port = site.cluster.member(name).address, site.cluster.ports.peer
    if member.is_learner:
        yield wrong(f"{name} is a learner", f"etcdctl member promote {member.id}, or remove it")
    if not member.name:
        yield wrong(f"{name} ({member.id}) is registered, and was never started")
    if any((urlsplit(url).hostname, urlsplit(url).port) != (address, port) for url in member.peer_urls):
        yield doubtful(
            f"{name} is registered with {urls}, and the plan has it at {address}:{port}",
            "see that the certificate names what is registered, and the plan what is true",
        )
