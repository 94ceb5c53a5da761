"""What looks at some hosts amount to: their cluster, as a plan can be drafted of it; pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from orchestrator.etcd import settings
from orchestrator.etcd.api import Registered
from orchestrator.etcd.facts.process import Process
from orchestrator.pki.wanted import LOOPBACK
from orchestrator.plan import spelling
from orchestrator.plan.discovered import Discovered, DiscoveredHost
from orchestrator.plan.facts import Target
from orchestrator.plan.seeds import Seed
from orchestrator.text import shown

_UNNAMED = "etcd-cluster"  # etcd's own token, which says nothing


@dataclass(frozen=True, slots=True)
class Seen:
    """One host, as it is: its target, what it runs, and whom its etcd says that it is."""

    seed: Seed
    target: Target
    running: Process
    settings_from: str
    certificates: tuple[str, ...]
    notes: tuple[str, ...]
    own: Registered | None = None

    @property
    def is_proxy(self) -> bool:
        """Whether its etcd only relays."""
        return self.running.settings.get("ETCD_PROXY", "off") != "off"


@dataclass(frozen=True, slots=True)
class Look:
    """All hosts that were asked, and the registry as their members have it."""

    hosts: tuple[Seen, ...]
    registry: Mapping[str, Registered]
    version: str
    wants_login: bool


def unmatched(seen: Look) -> list[Registered]:
    """Return the members of the registry whose hosts nobody has asked."""
    known = {one.own.id for one in seen.hosts if one.own}
    return [member for identity, member in seen.registry.items() if identity not in known]


def missing(seen: Look) -> tuple[Seed, ...]:
    """Return where the members are that nobody named: at their peer URLs, reached as the first host is."""
    first = seen.hosts[0].seed
    return tuple(
        replace(first, host=address, name="") for one in unmatched(seen) if (address := _address(one))
    )


def _address(member: Registered) -> str:
    hosts = (urlsplit(url).hostname or "" for url in member.peer_urls)
    return next((host for host in hosts if host not in LOOPBACK and is_a(spelling.address, host)), "")


def called(member: Registered) -> str:
    """Return a member's name, or its id, and its peer URLs, as they are shown."""
    return f"{shown(member.name or member.id)} ({', '.join(member.peer_urls)})"


def summed_up(seen: Look) -> Discovered:
    """Return the cluster that was seen, of which every member was asked."""
    asked = _once(seen.hosts)
    first = next(one for one in asked if one.own)
    peers = first.own.peer_urls if first.own else ()
    client = (
        _port(first.running, settings.ADVERTISE_CLIENT)
        or _port(first.running, settings.LISTEN_CLIENT)
        or 2379
    )
    hosts: list[DiscoveredHost] = []
    for one in sorted(asked, key=lambda one: one.is_proxy):
        hosts.append(_host(one, [host.name for host in hosts]))
    locals_ = [_local(one.running, client) for one in asked if one.own]
    name = first.running.settings.get("ETCD_INITIAL_CLUSTER_TOKEN", "")
    return Discovered(
        name=name if name != _UNNAMED and usable(name) else "",
        version=seen.version,
        hosts=tuple(hosts),
        client=client,
        peer=next((port for url in peers if (port := urlsplit(url).port)), 2380),
        local=locals_[0] if len(set(locals_)) == 1 else None,
        wants_login=seen.wants_login,
        notes=tuple(_disagreements(seen)),
    )


def _once(hosts: Iterable[Seen]) -> list[Seen]:
    """Return each member once, as it was named first: by its name and by its address it is the same."""
    once: dict[str, Seen] = {}
    for one in hosts:
        once.setdefault(one.own.id if one.own else f"proxy {one.seed.host}", one)
    return list(once.values())


def _disagreements(seen: Look) -> Iterable[str]:
    if any(url.startswith("https:") for member in seen.registry.values() for url in member.peer_urls):
        yield "peer URLs are registered with https already: check says what that means for a run"
    for one in seen.registry.values():
        if one.is_learner:
            yield f"{called(one)} is a learner: promote it or remove it first"


def _host(one: Seen, taken: Sequence[str]) -> DiscoveredHost:
    notes, registered = list(one.notes), one.own.name if one.own else ""
    names = (registered, one.seed.name, one.target.name, f"host{len(taken) + 1}")
    name = next(name for name in names if usable(name) and name not in taken)
    if registered and name != registered:
        notes.append(f"etcd calls it {shown(registered)}, which no plan can have as a name")
    address = (_address(one.own) if one.own else "") or one.seed.host
    return DiscoveredHost(
        name=name,
        address=address if is_a(spelling.address, address) else "",
        service=one.target.etcd.service,
        seed=one.seed,
        role="proxy" if one.is_proxy else "member",
        settings_from=one.settings_from,
        certificates=one.certificates,
        notes=tuple(notes),
    )


def _port(running: Process, name: str) -> int | None:
    """Return the port of the first URL of a setting that is not loopback's."""
    for url in settings.current(running.settings, name):
        parts = _split(url)
        if parts and parts[0] not in LOOPBACK:
            return parts[1]
    return None


def _local(running: Process, client: int) -> int | None:
    for url in settings.current(running.settings, settings.LISTEN_CLIENT):
        parts = _split(url)
        if parts and parts[0] in LOOPBACK and parts[1] != client and url.startswith("http:"):
            return parts[1]
    return None


def _split(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port) if host and port else None


def usable(name: str) -> bool:
    """Whether a plan may call a cluster or a host so."""
    return is_a(spelling.name, name) and name != "ca"  # the CA's own file


def is_a(kind: Callable[[str], str], text: str) -> bool:
    """Whether a text is of a kind that the plan has."""
    try:
        kind(text)
    except ValueError:
        return False
    return True
