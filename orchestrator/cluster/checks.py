"""What a plan's fields must be to each other and to the files around them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from orchestrator.cluster.faults import Fault, Loc, meant, shown, where
from orchestrator.cluster.files import location, problem
from orchestrator.cluster.plan import described
from orchestrator.cluster.source import Data, Source


@dataclass(frozen=True, slots=True)
class Sound:
    """The part of a plan that is right as far as it goes: ``faulty`` places are as if unknown."""

    source: Source
    faulty: frozenset[Loc]

    def knows(self, loc: Loc) -> bool:
        """Tell whether neither this place nor a mapping or list around it is faulty."""
        return not any(loc[:depth] in self.faulty for depth in range(1, len(loc) + 1))

    def get(self, *loc: str | int) -> Data:
        """Return a value or its default; None if it is faulty, or neither written nor given by default."""
        if not self.knows(loc):
            return None
        written, field = self.source.get(loc), described(loc)
        default: Data = None if field is None or field.is_required() else field.default
        return default if written is None else written

    def text(self, *loc: str | int) -> str | None:
        """Return a text, as ``get`` does."""
        value = self.get(*loc)
        return value if isinstance(value, str) else None

    def member_loc(self, member: int, *loc: str) -> Loc:
        """Return where a member's setting is written: at the member, or else for all of them."""
        own: Loc = ("members", member, *loc)
        shared: Loc = loc if loc[0] == "ssh" else ("tls", *loc)
        return own if self.source.get(own) is not None or not self.knows(own) else shared

    @property
    def members(self) -> int:
        """How many members are written down."""
        members = self.get("members")
        return len(members) if isinstance(members, tuple) else 0

    def fault(self, loc: Loc, what: str) -> Fault:
        """Return a fault at a place."""
        return Fault(self.source.place(loc), where(loc), what)


def check(sound: Sound, strategies: Collection[str]) -> Iterator[Fault]:
    """Yield what is wrong between fields that are right in themselves."""
    strategy = sound.text("strategy")
    if strategy is not None and strategy not in strategies:
        yield sound.fault(("strategy",), f"unknown strategy {shown(strategy)}, {meant(strategy, strategies)}")
    yield from _quorum(sound)
    yield from _ports(sound)
    yield from _twice(sound)


def warn(sound: Sound) -> Iterator[Fault]:
    """Yield what is allowed and still worth a thought."""
    count = sound.members
    if count > 2 and count % 2 == 0:
        yield sound.fault(
            ("members",),
            f"{count} members bear no more failures than {count - 1}: an odd number is better",
        )


def _quorum(sound: Sound) -> Iterator[Fault]:
    count = sound.members
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


def _ports(sound: Sound) -> Iterator[Fault]:
    names = ("client", "peer", "local")
    for index, name in enumerate(names):
        port = sound.get("ports", name)
        for other in names[:index]:
            if port is not None and port == sound.get("ports", other):
                written = [each for each in (other, name) if ("ports", each) in sound.source.values]
                here = written[-1] if written else name
                there = other if here == name else name
                what = f"{port} is the {there} port already: the three ports must differ, write another"
                yield sound.fault(("ports", here), what)
                break


def _twice(sound: Sound) -> Iterator[Fault]:
    """Yield names, addresses and SSH servers that two members share, each with the line of the first."""
    first: dict[tuple[str, str], Loc] = {}
    for member in range(sound.members):
        for kind, loc, value in _identities(sound, member):
            earlier = first.setdefault((kind, value), loc)
            if earlier != loc:
                line = sound.source.place(earlier).line
                yield sound.fault(
                    loc, f"{kind} {shown(value)} is taken in line {line}: every member has its own"
                )
                if kind == "address":
                    break  # one host written twice is one fault, not two


def _identities(sound: Sound, member: int) -> Iterator[tuple[str, Loc, str]]:
    """Yield what must be a member's own: the kind, the place, and the value in its one spelling."""
    own: Loc = ("members", member)
    name, address = sound.text(*own, "name"), sound.text(*own, "address")
    if name is not None:
        yield "name", (*own, "name"), name
    if address is not None:
        yield "address", (*own, "address"), _same(address)
    host = sound.text(*own, "ssh", "host") if sound.source.get((*own, "ssh", "host")) else address
    port = sound.get(*sound.member_loc(member, "ssh", "port"))
    if host is not None and port is not None:
        written = [(*own, "ssh", part) for part in ("host", "port") if sound.get(*own, "ssh", part)]
        yield "SSH server", written[0] if written else own, f"{_same(host)} port {port}"


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
            mend = "put the file there or correct the path"
            if loc[-1] == "known_hosts":
                mend = "put the hosts' own keys there (ssh-keyscan prints them; compare before you trust)"
            yield sound.fault(loc, f"{shown(str(path))} {trouble}: {mend}")


def _named_files(sound: Sound) -> Iterator[tuple[Loc, str]]:
    locs: list[tuple[Loc, str | None]] = [
        (("tls", field), None) for field in ("ca", "client_certificate", "client_key")
    ]
    for member in range(sound.members):
        name = sound.text("members", member, "name")
        paths = (("certificate",), ("key",), ("ssh", "identity_file"), ("ssh", "known_hosts"))
        locs += [(sound.member_loc(member, *path), name) for path in paths]
    for loc, name in locs:
        text = sound.text(*loc)
        if text is not None and (name is not None or "{name}" not in text):
            yield loc, text.replace("{name}", name or "")
