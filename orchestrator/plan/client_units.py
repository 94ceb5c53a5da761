"""What the clients that a plan moves must be to each other, to its hosts, and to the files around them."""

from collections.abc import Iterator

from orchestrator.plan.faults import Fault, Loc, meant
from orchestrator.plan.sound import CLIENT_HOSTS, Sound
from orchestrator.text import shown

_NOBODYS = ("/proc", "/sys", "/dev", "/run/orchestrator", "/var/lib/orchestrator")
UNITS: Loc = ("clients", "units")


def check(sound: Sound) -> Iterator[Fault]:
    """Yield what is wrong between units that are right in themselves."""
    units = range(sound.count(*UNITS))
    yield from _idle(sound)
    if not units:
        return
    if sound.get("clients", "overlap") is False:
        yield sound.fault(
            ("clients", "overlap"),
            "clients are moved while https is served beside http: write true, or leave clients.units out",
        )
    first: dict[tuple[str, str], Loc] = {}
    etcd = {sound.text(*host, "service") or sound.text("service") for host in sound.etcd_hosts}
    for index in units:
        loc: Loc = (*UNITS, index)
        unit = sound.text(*loc, "unit")
        if unit is not None and unit in etcd:
            what = f"{shown(unit)} is etcd's own unit, which every step restarts: name only its clients"
            yield sound.fault((*loc, "unit"), what)
        yield from _of_hosts(sound, loc)
        yield from _of_paths(sound, loc)
        if sound.knows((*loc, "files")) and sound.source.get((*loc, "files")) == ():
            yield sound.fault((*loc, "files"), "names no file: write at least one, with path and content")
        for host in hosts(sound, loc):
            for what, place, value in _identities(sound, loc):
                if (earlier := first.setdefault((host, value), place)) != place:
                    line = sound.source.place(earlier).line
                    yield sound.fault(
                        place, f"{what} {shown(value)} is named for {host} in line {line} already"
                    )


def hosts(sound: Sound, loc: Loc) -> tuple[str, ...]:
    """Return the names of the hosts where a unit runs."""
    on = tuple(sound.text(*loc, "on", index) for index in range(sound.count(*loc, "on")))
    return tuple(name for name in _able(sound) if name in on) if on else _names(sound, ("members",))


def contents(sound: Sound) -> Iterator[tuple[Loc, str]]:
    """Yield where each file with a new content is named, and the host that it is for."""
    for index in range(sound.count(*UNITS)):
        for number in range(sound.count(*UNITS, index, "files")):
            for host in hosts(sound, (*UNITS, index)):
                yield (*UNITS, index, "files", number, "content"), host


def _names(sound: Sound, hosts: Loc) -> tuple[str, ...]:
    names = (sound.text(*hosts, index, "name") for index in range(sound.count(*hosts)))
    return tuple(name for name in names if name is not None)


def _able(sound: Sound) -> tuple[str, ...]:
    """Return the names of the hosts on which clients can be moved."""
    return (*_names(sound, ("members",)), *_names(sound, CLIENT_HOSTS))


def _of_hosts(sound: Sound, loc: Loc) -> Iterator[Fault]:
    """Yield what is wrong with where a unit runs."""
    on: Loc = (*loc, "on")
    able = _able(sound)
    written, elsewhere = sound.source.get(on), sound.count(*CLIENT_HOSTS)
    if sound.knows(on) and written == ():
        all_of_them = "" if elsewhere else ", or leave it out for every member's"
        yield sound.fault(on, f"names no host: write at least one{all_of_them}")
    if sound.knows(on) and written is None and elsewhere:
        known = ", ".join(able)
        yield sound.fault(on, f"is missing, and the plan has clients.hosts: name the unit's hosts of {known}")
    for index in range(sound.count(*on)):
        name = sound.text(*on, index)
        if name is None or name in able:
            continue
        what = f"no host is named {shown(name)}, {meant(name, able)}"
        if name in _names(sound, ("proxies",)):
            what = f"{shown(name)} is a proxy: clients are moved on members' hosts and on clients.hosts only"
        yield sound.fault((*on, index), what)


def _idle(sound: Sound) -> Iterator[Fault]:
    """Yield clients' hosts on which nothing is moved."""
    if not all(sound.count(*UNITS, index, "on") for index in range(sound.count(*UNITS))):
        return  # a unit without hosts is a fault already
    named = {name for index in range(sound.count(*UNITS)) for name in hosts(sound, (*UNITS, index))}
    for index in range(sound.count(*CLIENT_HOSTS)):
        name = sound.text(*CLIENT_HOSTS, index, "name")
        if name is not None and name not in named and sound.knows(UNITS):
            what = f"no unit runs on {shown(name)}: name it in 'on' of one in clients.units, or leave it out"
            yield sound.fault((*CLIENT_HOSTS, index, "name"), what)


def _of_paths(sound: Sound, loc: Loc) -> Iterator[Fault]:
    """Yield files that are no client's: the system's, or those of a run itself."""
    directory = sound.text("tls", "directory")
    ours = tuple(filter(None, (directory, *_NOBODYS)))
    for index in range(sound.count(*loc, "files")):
        place: Loc = (*loc, "files", index, "path")
        path = sound.text(*place)
        inside = next((one for one in ours if path is not None and path.startswith(f"{one}/")), None)
        if inside is not None:
            what = f"{shown(str(path))} is no client's own file: nothing below {inside} is replaced"
            yield sound.fault(place, what)


def _identities(sound: Sound, loc: Loc) -> Iterator[tuple[str, Loc, str]]:
    unit = sound.text(*loc, "unit")
    if unit is not None:
        yield "unit", (*loc, "unit"), unit
    for index in range(sound.count(*loc, "files")):
        place: Loc = (*loc, "files", index, "path")
        path = sound.text(*place)
        if path is not None:
            yield "file", place, path
