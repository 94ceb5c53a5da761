"""The way to a host: every SSH server on it, with who it has to be and who we are there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.errors import LoginRefusedError
from orchestrator.plan.jumps import Jump, jumps
from orchestrator.plan.kinds import NO_CONFIG
from orchestrator.plan.model import Cluster, Host, Ssh
from orchestrator.remote import ssh_config
from orchestrator.remote.at_once import at_once
from orchestrator.remote.logins import Login, login_of, one
from orchestrator.remote.ssh_config import Settings

H = TypeVar("H", bound=Host)

_MOST_JUMPS = 8


@dataclass(frozen=True, slots=True)
class Route:
    """The SSH servers on the way to a host, in the order in which they are dialled; the last is the host."""

    logins: tuple[Login, ...]

    @property
    def target(self) -> Login:
        """The host itself."""
        return self.logins[-1]

    def __str__(self) -> str:
        via = ", ".join(login.where for login in self.logins[:-1])
        return self.target.where + (f" via {via}" if via else "")


def route(host: str, ssh: Ssh) -> Route:
    """Find the way to a host of the plan; LoginRefusedError if OpenSSH's configuration shows none."""
    found = _settings(host, ssh, ssh.host)
    written = {name: getattr(ssh, name) for name in ssh.model_fields_set}
    login = login_of(host, ssh.host, found, written.get("user") or "", written.get("port"))
    login = replace(login, host_key=ssh.host_key, become=ssh.become)
    if "user" not in written and "user" not in found:
        login = replace(login, user=ssh.user)
    if "known_hosts" in written:
        login = replace(login, known_hosts=(ssh.known_hosts,))
    if ssh.identity_file is not None:
        login = replace(login, identity_files=(ssh.identity_file,), are_named=True, is_alone=True)
    if ssh.jump is not None:
        login = replace(login, proxy_command="")
        return _route(_on_the_way(host, ssh, jumps(ssh.jump)), login)
    return _route(_on_the_way(host, ssh, _proxy_jumps(host, found)), login)


def _route(before: tuple[Login, ...], login: Login) -> Route:
    first, *behind = (*before, login)
    return Route((first, *(replace(each, is_behind=True) for each in behind)))


def ways_of(cluster: Cluster) -> tuple[Route, ...]:
    """Find the way to every host of a plan, in its order."""
    return tuple(at_once(lambda host: route(host.name, host.ssh), cluster.hosts))


def settled(cluster: Cluster, found: Sequence[Route]) -> Cluster:
    """Return the cluster with the user, port and jump hosts of the ways that were found to its hosts."""
    ways = dict(zip((host.name for host in cluster.hosts), found, strict=True))
    members = tuple(_settled(member, ways[member.name]) for member in cluster.members)
    proxies = tuple(_settled(proxy, ways[proxy.name]) for proxy in cluster.proxies)
    hosts = tuple(_settled(host, ways[host.name]) for host in cluster.clients.hosts)
    clients = cluster.clients.model_copy(update={"hosts": hosts})
    return cluster.model_copy(update={"members": members, "proxies": proxies, "clients": clients})


def _settled(host: H, way: Route) -> H:
    found: dict[str, object] = {"user": way.target.user, "port": way.target.port}
    if len(way.logins) > 1:
        before = (Jump(login.name, login.user, login.port) for login in way.logins[:-1])
        found["jump"] = ",".join(map(str, before))
    return host.model_copy(update={"ssh": host.ssh.model_copy(update=found)})


def _on_the_way(host: str, ssh: Ssh, ahead: Sequence[Jump], seen: tuple[Jump, ...] = ()) -> tuple[Login, ...]:
    """Return the logins of jump hosts; what the first one needs itself is in OpenSSH's configuration."""
    if not ahead:
        return ()
    jump = ahead[-1]
    if jump in seen or len(seen) >= _MOST_JUMPS:
        raise LoginRefusedError(
            host,
            f"the jump hosts lead in a circle, by way of {jump}: correct ProxyJump in {ssh_config.OWN}",
        )
    found = _settings(host, ssh, jump.host, jump.user)
    login = login_of(host, jump.host, found, jump.user or "", jump.port)
    if "user" not in found and not jump.user:
        login = replace(login, user=ssh_config.local_user() or "root")
    if "known_hosts" in ssh.model_fields_set:
        files = dict.fromkeys((ssh.known_hosts, *login.known_hosts))
        login = replace(login, known_hosts=tuple(files))
    if ssh.identity_file is not None and not login.are_named:
        login = replace(login, identity_files=(ssh.identity_file,), are_named=True)
    before = ahead[:-1] or _proxy_jumps(host, found)
    if before:
        login = replace(login, proxy_command="")
    return (*_on_the_way(host, ssh, before, (*seen, jump)), login)


def _settings(host: str, ssh: Ssh, name: str, user: str | None = None) -> Settings:
    if ssh.config == NO_CONFIG:
        return ssh_config.NOTHING
    if user is None and name == ssh.host and "user" in ssh.model_fields_set:
        user = ssh.user
    return ssh_config.ask(host, name, ssh.config, user)


def _proxy_jumps(host: str, found: Settings) -> tuple[Jump, ...]:
    try:
        return jumps(one(found, "proxyjump") or NO_CONFIG)
    except ValueError as error:
        raise LoginRefusedError(host, f"ProxyJump in OpenSSH's configuration: {error}") from error
