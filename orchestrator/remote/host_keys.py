"""The keys that a plan's hosts, and the jump hosts before them, show: reviewed, and written down if new."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.remote.at_once import at_once
from orchestrator.remote.connecting import bare, known_hosts_of, meeting, refusal
from orchestrator.remote.known_hosts import HostKey
from orchestrator.remote.logins import Login
from orchestrator.remote.route import Route
from orchestrator.remote.ways import Ways


@dataclass(frozen=True, slots=True)
class Shown:
    """The key that one SSH server shows, or why none was seen.

    ``reason`` says why it is not trusted; ``is_new`` that nothing was known of it before.
    """

    name: str
    login: Login
    key: HostKey | None
    reason: str | None
    is_new: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether the server is known by this key."""
        return self.key is not None and self.reason is None


def stages(routes: Iterable[tuple[str, Route]]) -> Iterator[dict[Route, str]]:
    """Yield the SSH servers in the order in which they can be met, with a name for each."""
    found: dict[int, dict[Route, str]] = {}
    for name, route in routes:
        for depth in range(1, len(route.logins) + 1):
            part = Route(route.logins[:depth])
            is_target = depth == len(route.logins)
            known = found.setdefault(depth, {})
            if is_target or part not in known:
                known[part] = name if is_target else f"jump host {part.target.name}"
    for depth in sorted(found):
        yield found[depth]


def look(ways: Ways, servers: dict[Route, str]) -> list[Shown]:
    """Have every server show its key; nobody logs in there, but on the jump hosts before it."""
    return at_once(lambda route: _shown(ways, servers[route], route), servers)


def _shown(ways: Ways, name: str, route: Route) -> Shown:
    login = route.target
    try:
        known = known_hosts_of(name, login)
        with meeting(name, login, lambda: ways.dial(name, route), known) as (transport, stream, offered):
            transport.close()
            stream.close()
    except (HostUnreachableError, LoginRefusedError) as error:
        return Shown(name, login, None, error.reason)
    key = bare(offered)
    reason = refusal(login, known, offered)
    is_new = reason is not None and login.host_key is None and known.is_new(login.known_as, key)
    return Shown(name, login, key, reason, is_new)


def accept(shown: Iterable[Shown]) -> None:
    """Write new keys down, each in its first known_hosts file; OSError if that cannot be done."""
    for one in shown:
        if one.key is None or not one.is_new:
            raise AssertionError(f"{one.name}: only a new key is ever written down")
        path = one.login.known_hosts[0]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = f"{one.login.known_as} {one.key.kind} {base64.b64encode(one.key.blob).decode()}\n"
        path.touch(mode=0o600)
        if not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            line = f"\n{line}"
        with path.open("a") as file:
            file.write(line)
