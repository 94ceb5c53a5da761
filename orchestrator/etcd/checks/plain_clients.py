"""The gates before a port, or http on it, is closed: nobody uses it any more, and that was watched."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from orchestrator.etcd import settings, stages
from orchestrator.etcd.checks import fixes
from orchestrator.etcd.checks.gate import always_holds, gate
from orchestrator.etcd.checks.talkers import ago, is_foreign, loses, place, span, who
from orchestrator.etcd.facts import connections, process, talkers
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Talker, Watching
from orchestrator.etcd.settings import Settings
from orchestrator.etcd.watching.place import Place
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target

_GO_ON = ", then go on; or cut them off with --cut-off. Who they are is shown by: orchestrator clients PLAN"
FIX = f"Have these clients speak https{_GO_ON}"
FIX_PORTS = f"Have these clients use the client port over https{_GO_ON}"
OfMember = Callable[[Target, Watching, Mapping[str, Connections]], Iterable[Remark]]
_NOW_S = 10.0  # who comes less often than this is waited for, not stopped for
_MOST = 10  # clients that are named for one member; the others are counted


@gate(fix=FIX)
def not_spoken_to_in_http(target: Target) -> Check:
    """Nobody speaks plain http to any member just now, and that is watched."""
    return _watched(target, min(target.cluster.clients.quiet_s, _NOW_S))


@gate(fix=FIX)
def free_of_plain_clients(target: Target) -> Check:
    """No client has spoken plain http to any member within the plan's quiet time, and that was watched."""
    quiet_s = target.cluster.clients.quiet_s
    return _allowing(quiet_s, _watched(target, quiet_s))


def _watched(target: Target, quiet_s: float) -> Check:
    if not target.facts.overlaps:
        return always_holds(target)

    def of_member(one: Target, found: Watching, seen: Mapping[str, Connections]) -> Iterable[Remark]:
        heard = _heard(found, quiet_s, lambda talker: loses(one, talker))
        return (_of_client(one, found, talker, seen) for talker in heard)

    return _heard_everywhere(target, _ports(target), quiet_s, of_member, stages.tls_listeners)


@gate(fix=FIX_PORTS)
def closed_ports_not_used_now(target: Target) -> Check:
    """Nobody uses a port that the plan wants closed just now, and that is watched."""
    return _unused(target, min(target.cluster.clients.quiet_s, _NOW_S))


@gate(fix=FIX_PORTS)
def closed_ports_unused(target: Target) -> Check:
    """No client has used a port that the plan wants closed within the plan's quiet time."""
    quiet_s = target.cluster.clients.quiet_s
    return _allowing(quiet_s, _unused(target, quiet_s))


def _allowing(quiet_s: float, check: Check) -> Check:
    """Allow a check the time for which it has to be watched; one that asks nothing holds at once."""
    return replace(check, takes_s=quiet_s * bool(check.facts))


def _unused(target: Target, quiet_s: float) -> Check:
    ports = {one.name: _closed_ports(one) for one in target.everyone}

    def of_member(one: Target, found: Watching, seen: Mapping[str, Connections]) -> Iterable[Remark]:
        own = ports[one.name]
        for talker in _heard(found, quiet_s, lambda talker: talker.port in own and is_foreign(one, talker)):
            yield wrong(f"{who(one, talker, seen)} to {place(one, talker)} uses that port ({ago(talker)})")

    every = sorted(set[int]().union(*ports.values()))
    return _heard_everywhere(target, every, quiet_s, of_member, stages.closed)


def _closed_ports(one: Target) -> frozenset[int]:
    return frozenset(filter(None, (urlsplit(url).port for url in stages.closed_listeners(one))))


def _heard_everywhere(
    target: Target,
    ports: Iterable[int],
    quiet_s: float,
    of_member: OfMember,
    closing: Callable[[Target], Settings],
) -> Check:
    """Make the check of what the members' watchers have heard; who has closed it already is not asked."""
    watched = {one.name: talkers.recorded(one, talkers.UNTIL_NEW) for one in target.everyone}
    hosts = (*target.everyone, *target.proxies, *target.clients)
    asked = {one.name: connections.of(one, ports, samples=1) for one in hosts}
    running = {one.name: process.running(one) for one in target.everyone}

    def judge(answers: Answers) -> Iterable[Remark]:
        seen = dict(_read(asked, answers))
        for one in target.everyone:
            wanted = closing(one)  # nothing, where it has nothing to close
            listeners = {name: wanted[name] for name in wanted if name == settings.LISTEN_CLIENT}
            if not any(settings.differences(running[one.name].read(answers).settings, listeners)):
                continue
            found = watched[one.name].read(answers)
            remarks = tuple(of_member(one, found, seen)) if found.watched_s else ()
            yield from _most(one, remarks) if remarks else _too_short(one, found, quiet_s)

    return Check(target.name, (*watched.values(), *asked.values(), *running.values()), judge)


def _ports(target: Target) -> tuple[int, ...]:
    """Return the ports at which clients reach members over http, and over https on a port of its own."""
    return tuple(sorted({target.cluster.ports.client, target.cluster.clients.extra_port}))


def _read(asked: Mapping[str, Fact[Connections]], answers: Answers) -> Iterable[tuple[str, Connections]]:
    """Read who dialled whom; a host that does not show it names nobody, and the address has to do."""
    for name, fact in asked.items():
        try:
            yield name, fact.read(answers)
        except ValueError:
            continue


def _heard(found: Watching, quiet_s: float, counts: Callable[[Talker], bool]) -> Iterable[Talker]:
    heard = (one for one in found.talkers if (one.open or one.last_s <= quiet_s) and counts(one))
    return sorted(heard, key=lambda talker: (talker.last_s, talker.address))


def _most(one: Target, remarks: tuple[Remark, ...]) -> Iterable[Remark]:
    yield from remarks[:_MOST]
    yield from (wrong(f"{one.name}: {len(remarks) - _MOST} more") for _ in remarks[_MOST : _MOST + 1])


def _too_short(one: Target, found: Watching, quiet_s: float) -> Iterable[Remark]:
    if not found.watched_s:
        unit = Place.of(one).unit
        yield wrong(
            f"{one.name}: nobody watches who talks to it: {unit} is {found.state} (there, as root: "
            f"systemctl start {unit}; if it fails, journalctl --unit {unit} says why)"
        )
    elif found.watched_s < quiet_s:
        yield wrong(
            f"{one.name}: watched for {span(found.watched_s)} of {span(quiet_s)}, nobody came", "wait"
        )


def _of_client(one: Target, found: Watching, talker: Talker, seen: Mapping[str, Connections]) -> Remark:
    name, when = f"{who(one, talker, seen)} to {place(one, talker)}", ago(talker)
    if talker.scheme == "http":
        return wrong(f"{name} talks plain http ({when})", f"{fixes.over_https(one)}, or stop it")
    if found.means == "ports":
        reason = f"one port has both, and {one.name} has neither perl nor python3"
        return wrong(
            f"{name}: plain http or TLS? {reason} ({when})", f"on {one.name}: install one of the two"
        )
    reason = "it has said nothing since it is watched"
    return wrong(f"{name}: plain http or TLS? {reason} ({when})", "restart that client")
