"""The gate before http is closed: nobody talks plain http any more, on any member, and that was watched."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd.checks import fixes
from orchestrator.etcd.checks.gate import always_holds, gate
from orchestrator.etcd.checks.talkers import ago, loses, place, span, who
from orchestrator.etcd.facts import connections, talkers
from orchestrator.etcd.facts.connections import Connections
from orchestrator.etcd.facts.talkers import Talker, Watching
from orchestrator.etcd.watching.place import UNIT
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target

FIX = (
    "Have these clients speak https, then go on; or cut them off with --cut-off. "
    "Who they are is shown by: orchestrator clients PLAN"
)
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
    return _watched(target, quiet_s, takes_s=quiet_s)


def _watched(target: Target, quiet_s: float, takes_s: float = 0.0) -> Check:
    if not target.facts.overlaps:
        return always_holds(target)
    watched = {one.name: talkers.recorded(one) for one in target.everyone}
    hosts = (*target.everyone, *target.proxies)
    asked = {one.name: connections.of(one, _ports(target), samples=1) for one in hosts}

    def judge(answers: Answers) -> Iterable[Remark]:
        seen = dict(_read(asked, answers))
        for one in target.everyone:
            yield from _of_member(one, watched[one.name].read(answers), quiet_s, seen)

    return Check(target.name, (*watched.values(), *asked.values()), judge, takes_s=takes_s)


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


def _of_member(
    one: Target, found: Watching, quiet_s: float, seen: Mapping[str, Connections]
) -> Iterable[Remark]:
    if not found.watched_s:
        yield wrong(
            f"{one.name}: nobody watches who talks plain http to it: {UNIT}.service is {found.state}",
            f"on {one.name}: journalctl --unit {UNIT}.service --lines 20",
        )
        return
    heard = [talker for talker in found.talkers if loses(one, talker) and talker.last_s <= quiet_s]
    heard.sort(key=lambda talker: (talker.last_s, talker.address))
    for talker in heard[:_MOST]:
        yield _of_client(one, found, talker, seen)
    if heard[_MOST:]:
        yield wrong(f"{one.name}: {len(heard) - _MOST} more")
    if not heard and found.watched_s < quiet_s:
        watched = f"watched for {span(found.watched_s)} of {span(quiet_s)}"
        yield wrong(f"{one.name}: {watched}, nobody talks plain http", "wait")


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
