"""What a v2 proxy does: it relays reads, and it knows where the members are."""

import shlex
from collections.abc import Iterable

from orchestrator.cluster import foreign
from orchestrator.cluster.facts import Subject
from orchestrator.cluster.foreign import Url
from orchestrator.etcd import files, process, settings
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.etcd.gates.settled import running_with
from orchestrator.operations import Answers, Check, Knock

# Where a v2 proxy keeps the members' peer URLs (source of etcd 2.3.8 and 3.4: <data-dir>/proxy/cluster).
SCRIPT = """
pid=$(systemctl show --property=MainPID --value "$1.service")
[ "${pid:-0}" -gt 0 ] || { echo "$1.service has no running process" >&2; exit 3; }
data=$(tr '\\0' '\\n' < "/proc/$pid/environ" | sed -n 's/^ETCD_DATA_DIR=//p')
exec cat "$data/proxy/cluster"
"""


class _Stored(foreign.Shape):
    PeerURLs: list[Url]


class _Relayed(foreign.Shape):
    endpoints: list[Url]


@gate
def relaying_as_found(subject: Subject) -> Inquiry:
    """The proxy runs with the settings from before the first change."""
    before = subject.found.environment
    return running_with(subject, {name: before.get(name) for name in settings.relaying(subject)}, ())


@gate
def relaying_with_certificates(subject: Subject) -> Inquiry:
    """The proxy runs with its certificates, and listens on loopback only."""
    return running_with(subject, settings.relaying(subject), (files.relaying(subject),))


@gate
def relaying_reads(subject: Subject) -> Inquiry:
    """A read through the proxy, and its /v2/stats/self, are answered by a member."""
    question = process.check(subject)

    def url_of(answers: Answers) -> str:
        running = process.read(subject, answers)
        return settings.loopback(settings.current(running.environment, settings.LISTEN_CLIENT)[0])

    urls = {settings.original_url(subject), settings.local_url(subject)}
    knocks = {
        url: (Knock(subject.name, f"{url}/v2/stats/self"), Knock(subject.name, f"{url}/v2/keys/"))
        for url in sorted(urls)
    }

    def judge(answers: Answers) -> Iterable[str]:
        url = url_of(answers)
        chosen = knocks.get(url, knocks[settings.local_url(subject)])
        for one in chosen:
            answer = answers[one]
            if answer.exit_status != 0 or not answer.text.startswith("200\n"):
                yield f"{one.url}: {answer.stderr or answer.text.partition(chr(10))[0]}"

    return Inquiry((question, *(one for pair in knocks.values() for one in pair)), judge)


def _stored(member: Subject, peers: tuple[str, ...]) -> Inquiry:
    """Every proxy has stored just these peer URLs of the member, as far as they are its own.

    A proxy refreshes by itself, every 30 s unless told otherwise; the gate waits for that, and no longer.
    """
    asked = [(proxy, Check(proxy.name, SCRIPT, (proxy.host.service,))) for proxy in member.proxies]

    def judge(answers: Answers) -> Iterable[str]:
        for proxy, question in asked:
            urls = set(foreign.of_json(_Stored, answers[question].text, "its list").PeerURLs)
            if urls & set(settings.peers_both(member)) != set(peers):
                told = ", ".join(sorted(urls))
                yield f"{proxy.name} has not refreshed {member.name}'s peer URLs yet; it knows {told}"

    return Inquiry(tuple(question for _, question in asked), judge)


def _relayed(member: Subject) -> Inquiry:
    """Every proxy relays to this member over https."""
    asked = [
        (proxy, Knock(proxy.name, f"{settings.local_url(proxy)}/v2/config/local/proxy"))
        for proxy in member.proxies
    ]

    def judge(answers: Answers) -> Iterable[str]:
        for proxy, knock in asked:
            body = answers[knock].text.partition("\n")[2]
            urls = set(foreign.of_json(_Relayed, body, "its list").endpoints)
            if not urls >= set(settings.advertised_clients(member)):
                told = ", ".join(sorted(urls)) or f"nobody{_relearn(proxy)}"
                yield f"{proxy.name} does not relay to {member.name} over https yet, but to {told}"

    return Inquiry(tuple(knock for _, knock in asked), judge)


def _relearn(proxy: Subject) -> str:
    """Say how a proxy finds members again that it knows by http alone, which they do not speak any more.

    A member that is just starting may tell it an old list: seen once, etcd 3.4.23, as the last one switched.
    """
    service, data = proxy.host.service, proxy.found.environment.get("ETCD_DATA_DIR", "DATA")
    learnt = shlex.quote(f"{data}/proxy/cluster")
    return (
        f"; if that lasts, it has learnt an old list; this fixes it on its host: systemctl stop {service}; "
        f"sed -i s,http:,https:,g {learnt}; systemctl start {service}"
    )


@gate
def known_to_every_proxy_in_both_schemes(subject: Subject) -> Inquiry:
    """Every proxy knows this member's peer URLs in both schemes."""
    return _stored(subject, settings.peers_both(subject))


@gate
def relayed_to_over_https(subject: Subject) -> Inquiry:
    """Every proxy relays to this member over https, so that the next one may leave http."""
    return _relayed(subject)


@gate
def known_to_every_proxy_in_https(subject: Subject) -> Inquiry:
    """Every proxy knows this member's peer URLs in https only."""
    return _stored(subject, settings.peers_https(subject))
