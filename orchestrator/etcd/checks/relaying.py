"""What a v2 proxy does: it relays reads, and it knows where the members are."""

import shlex
from collections.abc import Iterable

from orchestrator.etcd import settings, stages
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.checks.settled import running_with
from orchestrator.etcd.facts import process, proxies
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target

_RELAYED = ("/v2/stats/self", "/v2/keys/")


@gate(fix="the proxy was restarted or changed while it was looked at: check again")
def relaying_as_found(target: Target) -> Check:
    """The proxy runs with the settings from before the first change."""
    before = target.found.environment
    return running_with(target, {name: before.get(name) for name in stages.relaying(target)})


@gate
def relaying_with_certificates(target: Target) -> Check:
    """The proxy runs with its certificates, and listens on loopback only."""
    return running_with(target, stages.relaying(target), stages.RELAYING)


@gate(
    fix=(
        "systemctl status and journalctl of the proxy's unit say why it relays nothing; if it runs and "
        "answers nothing: systemctl restart of that unit"
    )
)
def relaying_reads(target: Target) -> Check:
    """A read through the proxy, and its /v2/stats/self, are answered by a member."""
    runs = process.running(target)
    urls = sorted({settings.original_url(target), stages.relaying_url(target)})
    reads = {url: [(url + path, proxies.unread(target, url + path)) for path in _RELAYED] for url in urls}

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        url = settings.loopback(settings.current(running.settings, settings.LISTEN_CLIENT)[0])
        for relayed, fact in reads.get(url, reads[stages.relaying_url(target)]):
            reason = fact.read(answers)
            if reason is not None:
                yield wrong(f"{relayed}: {reason}")

    return Check(target.name, (runs, *(fact for pairs in reads.values() for _, fact in pairs)), judge)


def _stored(member: Target, peers: tuple[str, ...]) -> Check:
    """Every proxy has stored just these peer URLs of the member, as far as they are its own.

    A proxy refreshes by itself, every 30 s by default; the gate waits for that, and no longer.
    """
    asked = [(proxy, proxies.stored(proxy)) for proxy in member.proxies]

    def judge(answers: Answers) -> Iterable[Remark]:
        for proxy, stored in asked:
            urls = stored.read(answers)
            if urls & set(settings.peers_both(member)) != set(peers):
                reported = ", ".join(sorted(urls))
                yield wrong(
                    f"{proxy.name} has not refreshed {member.name}'s peer URLs yet; it knows {reported}"
                )

    return Check(member.name, tuple(stored for _, stored in asked), judge)


def _relearn(proxy: Target) -> str:
    """Say how a proxy finds members again that it knows by http alone, which they do not speak any more.

    A member that is just starting may tell it an old list: seen once, etcd 3.4.23, as the last one switched.
    """
    service, data = proxy.etcd.service, proxy.found.environment.get("ETCD_DATA_DIR", "DATA")
    learnt = shlex.quote(f"{data}/proxy/cluster")
    return (
        f"; if that lasts, it has learnt an old list; this fixes it on its host: systemctl stop {service}; "
        f"sed -i s,http:,https:,g {learnt}; systemctl start {service}"
    )


@gate
def known_to_every_proxy_in_both_schemes(target: Target) -> Check:
    """Every proxy knows this member's peer URLs in both schemes."""
    return _stored(target, settings.peers_both(target))


@gate
def relayed_to_over_https(member: Target) -> Check:
    """Every proxy relays to this member over https, so that the next one may leave http."""
    asked = [(proxy, proxies.endpoints(proxy)) for proxy in member.proxies]

    def judge(answers: Answers) -> Iterable[Remark]:
        for proxy, endpoints in asked:
            urls = endpoints.read(answers)
            if not urls >= set(stages.advertised_clients(member)):
                reported = ", ".join(sorted(urls)) or f"nobody{_relearn(proxy)}"
                yield wrong(f"{proxy.name} does not relay to {member.name} over https yet, but to {reported}")

    return Check(member.name, tuple(endpoints for _, endpoints in asked), judge)


@gate
def known_to_every_proxy_in_https(target: Target) -> Check:
    """Every proxy knows this member's peer URLs in https only."""
    return _stored(target, settings.peers_https(target))
