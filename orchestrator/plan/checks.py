"""What a plan's fields must be to each other and to the files around them."""

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from orchestrator.plan import client_units
from orchestrator.plan.faults import Fault, Loc, meant
from orchestrator.plan.kinds import NO_CONFIG, USUAL_LOCAL_PORT
from orchestrator.plan.locations import MISSING, UNREADABLE, location, problem
from orchestrator.plan.sound import CLIENT_HOSTS, Sound
from orchestrator.plan.source import Data
from orchestrator.plan.spelling import seconds
from orchestrator.text import shown

PATH_MAX = 4096  # Linux's own limit: a path that was cut would hide the name of the file


def check(sound: Sound, strategies: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong between fields that are right in themselves."""
    strategy = sound.text("strategy")
    if strategy is not None and strategy not in strategies:
        yield sound.fault(("strategy",), f"unknown strategy {shown(strategy)}, {meant(strategy, strategies)}")
    yield from _quorum(sound)
    yield from _ports(sound)
    yield from _loopback(sound)
    yield from _twice(sound)
    yield from _watch(sound)
    yield from client_units.check(sound)
    if sound.get("persist") == "in_place" and sound.count("proxies"):
        yield sound.fault(
            ("persist",),
            "v2 proxies have no files edited in place: leave persist out, and ours lie beside yours",
        )


def warn(sound: Sound) -> Iterator[Fault]:
    """Yield what is allowed and still worth a thought."""
    count = sound.count("members")
    if count > 2 and count % 2 == 0:
        yield sound.fault(
            ("members",),
            f"{count} members tolerate no more failures than {count - 1}: an odd number is better",
        )


def _quorum(sound: Sound) -> Iterator[Fault]:
    count = sound.count("members")
    if sound.get("members") is not None and count == 0:
        yield sound.fault(
            ("members",), "no members: write at least one, such as '- {name: ..., address: ...}'"
        )
    elif count in {1, 2} and sound.get("accept_downtime") is False:
        yield sound.fault(
            ("members",),
            f"with {'one member' if count == 1 else 'two members'} a restart takes the quorum away, and the "
            "cluster is down until it is over: add members first, or write 'accept_downtime: true'",
        )


_PORTS: tuple[Loc, ...] = (
    *(("ports", name) for name in ("client", "peer", "local", "trial")),
    ("clients", "extra_port"),
)


def _ports(sound: Sound) -> Iterator[Fault]:
    for index, loc in enumerate(_PORTS):
        port = _port(sound, loc)
        for other in _PORTS[:index]:
            if port is not None and port == _port(sound, other):
                written = [each for each in (other, loc) if _is_port(sound.source.get(each))]
                here = written[-1] if written else loc
                there = other if here == loc else loc
                usual = "" if there in written else f", unless {'.'.join(map(str, there))} says otherwise"
                kind = str(there[-1]).removesuffix("_port")
                what = f"{port} is the {kind} port already{usual}: the ports must differ, write another"
                yield sound.fault(here, what)
                break


def _port(sound: Sound, loc: Loc) -> Data:
    """Return a port; the local one may be taken although the plan does not say so."""
    port = sound.get(*loc)
    return {"auto": USUAL_LOCAL_PORT, "none": None}[port] if isinstance(port, str) else port


def _is_port(written: Data) -> bool:
    return isinstance(written, int)


def _loopback(sound: Sound) -> Iterator[Fault]:
    """Yield addresses that lead every host to itself, and the orchestrator to its own machine."""
    for host in sound.hosts if len(sound.hosts) > 1 else ():
        address = sound.text(*host, "address")
        if address is not None and _leads_home(address):
            yield sound.fault(
                (*host, "address"),
                f"{shown(address)} leads every host to itself: write the address that the others dial",
            )


def _leads_home(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return _same(address) == "localhost"


def _twice(sound: Sound) -> Iterator[Fault]:
    """Yield names, addresses and SSH servers that two hosts share, each with the line of the first."""
    first: dict[tuple[str, str], Loc] = {}
    for host in sound.hosts:
        for kind, loc, value in _identities(sound, host):
            earlier = first.setdefault((kind, value), loc)
            if earlier != loc:
                line = sound.source.place(earlier).line
                yield sound.fault(
                    loc, f"{kind} {shown(value)} is taken in line {line}: every host has its own{_once(host)}"
                )
                if kind == "address":
                    break  # one host written twice is one fault, not two


def _once(host: Loc) -> str:
    """Say what a client's host need not be named for, if it is one."""
    is_client = host[: len(CLIENT_HOSTS)] == CLIENT_HOSTS
    return ", and a member's is named in 'on' of clients.units alone" if is_client else ""


def _identities(sound: Sound, own: Loc) -> Iterator[tuple[str, Loc, str]]:
    """Yield what must be a host's own: the kind, the place, and the value in its one spelling."""
    name, address = sound.text(*own, "name"), sound.text(*own, "address")
    if name is not None:
        yield "name", (*own, "name"), name
    if address is not None:
        yield "address", (*own, "address"), _same(address)
    host = sound.text(*own, "ssh", "host") if sound.source.get((*own, "ssh", "host")) else address
    port = sound.get(*sound.host_loc(own, "ssh", "port"))
    if host is not None and port is not None:
        written = [(*own, "ssh", part) for part in ("host", "port") if sound.get(*own, "ssh", part)]
        yield "SSH server", written[0] if written else own, f"{_same(host)} port {port}"


def _watch(sound: Sound) -> Iterator[Fault]:
    """Yield what makes watching pointless or endless."""
    watch = sound.source.get(("watch",))
    if not isinstance(watch, Mapping | tuple) or not sound.knows(("watch",)):
        return
    listed: Loc = ("watch",) if isinstance(watch, tuple) else ("watch", "units")
    moves = sound.count(*client_units.UNITS)  # they are watched in the same way, without being named here
    if sound.knows(listed) and not sound.count(*listed) and not moves:
        yield sound.fault(
            listed, "names no unit to watch: write at least one, such as [fleet], or leave watch out"
        )
    first: dict[str, Loc] = {}
    etcd = {sound.text(*host, "service") or sound.text("service") for host in sound.etcd_hosts}
    for index in range(sound.count(*listed)):
        loc = (*listed, index)
        unit = sound.text(*loc)
        if unit is not None and unit in etcd:
            what = f"{shown(unit)} is etcd's own unit, which every step restarts: name only its local clients"
            yield sound.fault(loc, what)
        if unit is not None and (earlier := first.setdefault(unit, loc)) != loc:
            line = sound.source.place(earlier).line
            yield sound.fault(loc, f"unit {shown(unit)} is named in line {line} already: name it once")
    quiet, gate = sound.text("watch", "quiet"), sound.text("patience", "gate")
    if quiet is not None and gate is not None and seconds(quiet) >= seconds(gate):
        written = [loc for loc in (("watch", "quiet"), ("patience", "gate")) if loc in sound.source.values]
        yield sound.fault(
            written[0],
            f"watch.quiet ({quiet}) must be shorter than patience.gate ({gate}), which waits for the quiet: "
            "shorten the one or lengthen the other",
        )


def _same(address: str) -> str:
    """Return the one spelling of an address that has several."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address.lower().removesuffix(".")


def check_files(sound: Sound, folder: Path) -> Iterator[Fault]:
    """Yield every file that is named and cannot be read, once for each place that names it."""
    seen: set[tuple[Loc, Path]] = set()
    for loc, text in _named_files(sound):
        path = location(folder, text)
        trouble = None if (loc, path) in seen else problem(path)
        seen.add((loc, path))
        if trouble:
            fix = "put the file there or correct the path"
            if trouble == UNREADABLE:
                fix = "let this user read it, or be somebody who may"
            elif trouble == MISSING and loc[0] == "tls":
                fix = "put the file there or correct the path, or have all made: orchestrator certs PLAN"
            if loc[-1] == "known_hosts":
                fix = "put the hosts' own keys there (orchestrator hostkeys PLAN shows and writes them)"
            yield sound.fault(loc, f"{shown(str(path), limit=PATH_MAX)} {trouble}: {fix}")


def _named_files(sound: Sound) -> Iterator[tuple[Loc, str]]:
    locs: list[tuple[Loc, str | None]] = [
        (("tls", field), None) for field in ("ca", "client_certificate", "client_key")
    ]
    locs.append((("auth", "password_file"), None))
    for host in sound.hosts:
        name = sound.text(*host, "name")
        pair: tuple[tuple[str, ...], ...] = (("certificate",), ("key",)) if host in sound.etcd_hosts else ()
        locs += [(sound.host_loc(host, *path), name) for path in (*pair, ("ssh", "identity_file"))]
        known_hosts, config = (sound.host_loc(host, "ssh", field) for field in ("known_hosts", "config"))
        if sound.source.get(known_hosts) is not None and sound.text(*host, "ssh", "host_key") is None:
            locs.append((known_hosts, name))
        if sound.text(*config) not in {None, NO_CONFIG}:
            locs.append((config, name))
    locs += client_units.contents(sound)
    for loc, name in locs:
        text = sound.text(*loc)
        if text is not None and (name is not None or "{name}" not in text):
            yield loc, text.replace("{name}", name or "")
