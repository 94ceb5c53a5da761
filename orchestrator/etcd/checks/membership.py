"""Who is a member: the registry against the plan."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.checks.site import Site
from orchestrator.host.checks import Remark, doubtful, wrong
from orchestrator.text import bracketed


def compare(
    site: Site, seen: Mapping[str, Mapping[str, Registered]], ids: Mapping[str, str]
) -> Iterable[Remark]:
    """Compare the registry with the plan: each member by its own ID, or by its address if it is not known."""
    viewer, view = next(iter(seen.items()))
    for each, other in seen.items():
        if other != view:
            yield wrong(
                f"{each} and {viewer} do not see the same registry", "bring the members to health first"
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
                f"add it to the plan, or, if it was decommissioned: etcdctl member remove {id_}",
            )
            continue
        met.add(name)
        yield from _entry(site, name, member, urls)
    for planned in site.cluster.members:
        if planned.name not in met:
            reported = ids.get(planned.name, "ID unknown")
            yield wrong(f"the plan has {planned.name} ({reported}), the registry has not")


def unplanned(member: Registered, *details: str) -> str:
    """Say that a member is a stranger to the plan."""
    reported = ", ".join((member.name or "never started", *details))
    return f"the registry has member {member.id} ({reported}), the plan has not"


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
            f"{name} is registered with {urls}, and the plan has it at {bracketed(address)}:{port}",
            "the certificate has to name the registered URLs, and the plan the real ones",
        )
