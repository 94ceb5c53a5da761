"""The part of a plan that can be relied on while its faults are gathered."""

from dataclasses import dataclass

from orchestrator.plan.faults import Fault, Loc, where
from orchestrator.plan.plan import described
from orchestrator.plan.source import Data, Source

CLIENT_HOSTS: Loc = ("clients", "hosts")


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

    def host_loc(self, host: Loc, *loc: str) -> Loc:
        """Return where a host's setting is written: at the host, or else for all of them."""
        own: Loc = (*host, *loc)
        shared: Loc = loc if loc[0] == "ssh" else ("tls", *loc)
        return own if self.source.get(own) is not None or not self.knows(own) else shared

    def count(self, *loc: str | int) -> int:
        """How many items are written down in a list."""
        items = self.get(*loc)
        return len(items) if isinstance(items, tuple) else 0

    @property
    def hosts(self) -> tuple[Loc, ...]:
        """Where each host is written: those that run etcd, then clients' hosts."""
        return (*self.etcd_hosts, *self._listed(CLIENT_HOSTS))

    @property
    def etcd_hosts(self) -> tuple[Loc, ...]:
        """Where each member and then each proxy is written."""
        return (*self._listed(("members",)), *self._listed(("proxies",)))

    def _listed(self, loc: Loc) -> tuple[Loc, ...]:
        return tuple((*loc, index) for index in range(self.count(*loc)))

    def fault(self, loc: Loc, what: str) -> Fault:
        """Return a fault at a place."""
        return Fault(self.source.place(loc), where(loc), what)
