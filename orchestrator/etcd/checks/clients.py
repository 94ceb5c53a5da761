"""Who speaks plain http to the members, and so is cut off when they leave http: asked of the kernel."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import urlsplit

from orchestrator.etcd import local_port, settings
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.checks.talkers import loses, who
from orchestrator.etcd.facts import connections, talkers
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Watching
from orchestrator.host.checks import Check, Remark, doubtful, fine
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target
from orchestrator.plan.kinds import USUAL_LOCAL_PORT

ROUND = "switch"  # the round of every migration in which a member's client port leaves http
_LOOK_S = 2  # for who comes for a moment
_AT_MOST = 10  # clients that are named for one member; the others are counted


def clients(site: Site) -> Iterable[Check]:
    """Ask every host's kernel who is connected to the members' client ports, and with which process."""
    locals_ = {port for one in site.members if (port := local_port.of(one)) is not None}
    ports = {site.cluster.ports.client, *locals_, *_found_ports(site.members)}
    asked = {one.name: connections.of(one, sorted(ports), samples=1) for one in site.hosts}
    heard = {one.name: talkers.sampled(one, _LOOK_S) for one in site.members}

    def judge_of(target: Target) -> Check:
        def judge(answers: Answers) -> Iterable[Remark]:
            seen: dict[str, Connections] = {}
            for name, fact in asked.items():
                try:
                    seen[name] = fact.read(answers)
                except ValueError as error:
                    reported = f"cannot tell: {name} does not show its connections: {error}"
                    return (doubtful(reported, f"on {name}: install iproute2, which has ss"),)
            try:
                watching = heard[target.name].read(answers)
            except ValueError as error:
                reported = f"cannot tell who comes for a moment only: {error}"
                return (*judged(target, seen), doubtful(reported, "have a look yourself: ss -tn"))
            return judged(target, seen, _come_and_gone(target, watching, seen))

        return Check(target.name, (*asked.values(), heard[target.name]), judge)

    return map(judge_of, site.members)


def _found_ports(members: Iterable[Target]) -> Iterable[int]:
    for one in members:
        for url in settings.current(one.found.environment, settings.LISTEN_CLIENT):
            yield urlsplit(url).port or one.cluster.ports.client


def _come_and_gone(target: Target, watching: Watching, seen: Mapping[str, Connections]) -> Mapping[str, int]:
    """Count the connections of those who came over http, did not stay, and are cut off."""
    found: Counter[str] = Counter()
    for talker in watching.talkers:
        if loses(target, talker) and talker.connections > talker.open:
            found[who(target, talker, seen)] += talker.connections - talker.open
    return found


def judged(
    target: Target, seen: Mapping[str, Connections], gone: Mapping[str, int] = MappingProxyType({})
) -> Iterable[Remark]:
    """Say who loses a member; a connection is lost if it came over http to other than the local port.

    ``gone`` counts connections that were there for a moment while it was looked, by client.
    """
    own = seen[target.name]
    http = {urlsplit(url).port for url in own.urls if url.startswith("http://")}
    if not http:
        yield fine("no listener of it speaks plain http")
        return
    whose = {
        pair: f"{name} on {host}"
        for host, one in seen.items()
        for pair, name in one.went.items()
        if host == target.name or not _is_loopback(pair[1])  # every host has a loopback of its own
    }
    hosts = _addresses(target, seen)
    lost: Counter[str] = Counter()
    local = local_port.url(target)
    for here, there in own.came:
        port = here.split(" ")[1]
        is_spared = int(port) == local_port.of(target) and _is_loopback(here)
        if int(port) not in http or is_spared:
            continue
        process = whose.get((there, here))
        if process is not None:
            lost[process] += 1
        elif there.split(" ")[0] not in hosts:  # else it is the host's own: a member, or this very look
            lost[there.split(" ")[0]] += 1
    lost.update(gone)
    if not lost:
        spared = "" if local is None else ", but by the local port"
        yield fine(f"nobody is connected over plain http now{spared}")
        return
    named = [f"{who} ({count})" if count > 1 else who for who, count in lost.most_common(_AT_MOST)]
    more = f" and {len(lost) - len(named)} more" if len(lost) > len(named) else ""
    count = sum(lost.values())
    reported = "1 connection" if count == 1 else f"{count} connections"
    tls = target.cluster.tls
    needed = "https://, the CA and a client certificate" if tls.client_cert_auth else "https:// and the CA"
    way = (
        f"on its own host, through {local}, which stays as it is"
        if local
        else "for those on its own host, have the plan open a port that stays as it is: "
        f"ports: {{local: {USUAL_LOCAL_PORT}}}"
    )
    yield doubtful(
        f"{reported} over plain http, which ends in the round {ROUND!r}: {', '.join(named)}{more}",
        f"have them speak to it with {needed} by then (see docs/operate.md), or, {way}",
    )


def _is_loopback(end: str) -> bool:
    return ip_address(end.split(" ", maxsplit=1)[0]).is_loopback


def _addresses(target: Target, seen: Mapping[str, Connections]) -> set[str]:
    """Return addresses of the plan's own hosts: what comes from there is known by its process."""
    ends: list[str] = [here for one in seen.values() for here, _ in (*one.came, *one.went)]
    planned: Sequence[str] = [host.address for host in target.cluster.hosts if host.name in seen]
    return {*(end.split(" ")[0] for end in ends), *planned}
