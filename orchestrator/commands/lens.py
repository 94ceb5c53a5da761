"""``certs --show``: each certificate of a plan against every URL and source address in use; makes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from orchestrator.commands import recall
from orchestrator.commands.status import read_progress
from orchestrator.errors import HostUnreachableError, LoginRefusedError, RefusedError
from orchestrator.etcd import settings, stages
from orchestrator.etcd.checks.site import assumed
from orchestrator.etcd.facts import routes
from orchestrator.etcd.gather import targets_of
from orchestrator.host.questions import Fact
from orchestrator.output import err, out
from orchestrator.plan.facts import Facts, Target
from orchestrator.plan.model import Member
from orchestrator.remote.each_host import Heard, ask_each
from orchestrator.report.lens import Holder, Use, report
from orchestrator.session import Session


def show(session: Session) -> None:
    """Print it; a host that cannot be asked is named, and its URLs are taken from the plan."""
    facts = _facts(session)
    members = targets_of(session.cluster, facts)
    asked = {target.name: routes.of(target) for target in members}
    heard = ask_each(session.hosts, (fact.question for fact in asked.values()))
    holders = [_member(target, asked[target.name], heard) for target in members]
    holders += [Holder(proxy.name, "proxy", proxy.certificate) for proxy in session.cluster.proxies]
    tls = session.cluster.tls
    holders.append(Holder("orchestrator", "client", tls.client_certificate))
    out(*(f"{line}\n" for line in report(holders, tls.ca, datetime.now(UTC), Path.cwd())), end="")
    out(
        f"A name that is missing: {session.command('certs', '--renew', '--san', 'HOST=NAME')}, or your own CA"
    )


def _facts(session: Session) -> Facts:
    """Return what a run began with, else what the hosts say now, else what the plan makes one expect."""
    progress = read_progress(session)
    if progress.opened is not None:
        return progress.opened.facts
    try:
        return recall.read_facts(session)
    except (HostUnreachableError, LoginRefusedError, RefusedError) as error:
        err(f"note: URLs are taken from the plan, for the hosts did not say them: {error}")
        api: Literal["v2", "v3"] = "v2" if session.cluster.api == "v2" else "v3"
        return assumed(session.cluster, api)


def _member(target: Target, asked: Fact[routes.Routes], heard: Heard) -> Holder:
    member = target.etcd
    uses, unknown = list(_urls(target)), ""
    try:
        seen = asked.read(heard.answers)
        uses += [
            Use(source, f"it dials {', '.join(peers)} from there") for source, peers in seen.sources.items()
        ]
    except (LookupError, ValueError) as error:
        reason = heard.errors.get(target.name, error)
        unknown = f"from which addresses it dials its peers: {getattr(reason, 'reason', reason)}"
    role = "member" if isinstance(member, Member) else "proxy"
    return Holder(target.name, role, member.certificate, tuple(dict.fromkeys(uses)), unknown)


def _urls(target: Target) -> Iterator[Use]:
    for urls, who in (
        (settings.peers_https(target), "peers dial"),
        (stages.advertised_clients(target), "clients dial"),
    ):
        for url in urls:
            yield Use((urlsplit(url).hostname or "").removesuffix("."), f"{who} {url}")
