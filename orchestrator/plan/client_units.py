"""What the clients that a plan moves must be to each other, to its members, and to the files around them."""

from collections.abc import Iterator

from orchestrator.plan.faults import Fault, Loc, meant
from orchestrator.plan.sound import Sound
from orchestrator.text import shown

_NOBODYS = ("/proc", "/sys", "/dev", "/run/orchestrator", "/var/lib/orchestrator")
UNITS: Loc = ("clients", "units")


def check(sound: Sound) -> Iterator[Fault]:
    """Yield what is wrong between units that are right in themselves."""
    units = range(sound.count(*UNITS))
    if not units:
        return
    if sound.get("clients", "overlap") is False:
        yield sound.fault(
            ("clients", "overlap"),
            "clients are moved while https is served beside http: write true, or leave clients.units out",
        )
    first: dict[tuple[str, str], Loc] = {}
    etcd = {sound.text(*host, "service") or sound.text("service") for host in sound.hosts}
    for index in units:
        loc: Loc = (*UNITS, index)
        unit = sound.text(*loc, "unit")
        if unit is not None and unit in etcd:
            what = f"{shown(unit)} is etcd's own unit, which every step restarts: name only its clients"
            yield sound.fault((*loc, "unit"), what)
        yield from _of_hosts(sound, loc)
        if sound.knows((*loc, "on")) and sound.source.get((*loc, "on")) == ():
            yield sound.fault((*loc, "on"), "names no member: write at least one, or leave it out for all")
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
    """Return the names of the members on whose hosts a unit runs."""
    names = (sound.text("members", index, "name") for index in range(sound.count("members")))
    members = tuple(name for name in names if name is not None)
    on = tuple(sound.text(*loc, "on", index) for index in range(sound.count(*loc, "on")))
    return tuple(name for name in members if name in on) if on else members


def contents(sound: Sound) -> Iterator[tuple[Loc, str]]:
    """Yield where each file with a new content is named, and the host that it is for."""
    for index in range(sound.count(*UNITS)):
        for number in range(sound.count(*UNITS, index, "files")):
            for host in hosts(sound, (*UNITS, index)):
                yield (*UNITS, index, "files", number, "content"), host


def _of_hosts(sound: Sound, loc: Loc) -> Iterator[Fault]:
    members = [sound.text("members", index, "name") for index in range(sound.count("members"))]
    proxies = [sound.text("proxies", index, "name") for index in range(sound.count("proxies"))]
    for index in range(sound.count(*loc, "on")):
        name = sound.text(*loc, "on", index)
        if name is None or name in members:
            continue
        known = [each for each in members if each is not None]
        what = f"no member is named {shown(name)}, {meant(name, known)}"
        if name in proxies:
            what = f"{shown(name)} is a proxy: clients are moved on members' hosts only"
        yield sound.fault((*loc, "on", index), what)


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
