"""What a member's watcher is called on its host, where its files lie, and how long it goes on by itself."""

import hashlib
import re
from dataclasses import dataclass

from orchestrator.host import places
from orchestrator.plan.facts import Target

NAME = "orchestrator-watching"
LASTS_S = 30 * 86400
TICK_S = 3  # how often it asks who is connected, and writes its record
STALE_S = 30  # a record that was not written for so long is that of a watcher that is gone or stuck
MEMORY_MIB = 96

_ODD = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Place:
    """The places of one member's watcher: a host may have members of several clusters."""

    name: str

    @classmethod
    def of(cls, target: Target) -> "Place":
        """Return the places of a member's watcher."""
        service = target.etcd.service
        plain = _ODD.sub("-", service)
        odd = "" if plain == service else f"-{hashlib.sha256(service.encode()).hexdigest()[:8]}"
        return cls(f"{NAME}-{plain}{odd}")

    @property
    def unit(self) -> str:
        """Its systemd unit."""
        return f"{self.name}.service"

    @property
    def unit_file(self) -> str:
        """The file of that unit: it comes back when the host does."""
        return f"/etc/systemd/system/{self.unit}"

    @property
    def directory(self) -> str:
        """What it needs, on disk."""
        return f"{places.KEPT}/{self.name}"

    @property
    def script(self) -> str:
        """What it runs."""
        return f"{self.directory}/watch"

    @property
    def started(self) -> str:
        """Digests of what the one that runs was started with."""
        return f"{self.directory}/started"

    @property
    def record(self) -> str:
        """What it has seen."""
        return f"/run/{self.name}/record"
