"""The local port: where local clients reach a member over http, on loopback alone, for ever; pure."""

from urllib.parse import urlsplit

from orchestrator.etcd.kept import keeps_clients
from orchestrator.etcd.settings import ADVERTISE_CLIENT, LISTEN_CLIENT, Settings, current
from orchestrator.plan.facts import Target
from orchestrator.plan.kinds import USUAL_LOCAL_PORT


def of(target: Target) -> int | None:
    """The port that speaks http on loopback for ever: the plan's, or the usual one if it is needed.

    It is where it was there before, and where clients are served with a certificate of the member's own:
    the plan's CA need not have signed that, so its host asks it over loopback.
    """
    cluster = target.cluster
    if cluster.local_port is None and cluster.ports.local == "auto":
        urls = current(target.found.environment, LISTEN_CLIENT)
        was_there = any(_is_on_loopback(url, USUAL_LOCAL_PORT) for url in urls)
        return USUAL_LOCAL_PORT if was_there or keeps_clients(target) else None
    return cluster.local_port


def is_local(target: Target, url: str) -> bool:
    """Whether a listener answers on the local port, which stays http on loopback for ever."""
    port = of(target)
    return port is not None and _is_on_loopback(url, port)


def _is_on_loopback(url: str, port: int) -> bool:
    parts = urlsplit(url)
    return parts.port == port and parts.hostname in {
        *("127.0.0.1", "::1", "localhost"),  # there already, as the guide wants it
        *("0.0.0.0", "::"),  # noqa: S104 -- old CoreOS configurations open it to the world: it ends as loopback only
    }


def url(target: Target) -> str | None:
    """URL of the unencrypted port on loopback, if there is one; it answers from the 'accepting' state on."""
    port = of(target)
    return None if port is None else f"http://127.0.0.1:{port}"


def has_local_port(target: Target) -> bool:
    """Whether the member listened on the local port before the first change."""
    return any(is_local(target, url) for url in current(target.found.environment, LISTEN_CLIENT))


def clients_http(target: Target) -> tuple[str, ...]:
    """Client listeners as found, and behind them the local port, if there is one that was not there."""
    found, local = current(target.found.environment, LISTEN_CLIENT), url(target)
    return found if local is None or has_local_port(target) else (*found, local)


def opened(target: Target) -> Settings:
    """The settings that open the local port; none if there is no such port, or if it was open before.

    A member that leaves both to their defaults is given what it advertises too: etcd does not start with
    the one and without the other (3.4, embed/config.go, ErrUnsetAdvertiseClientURLsFlag).
    """
    environment, listeners = target.found.environment, clients_http(target)
    if listeners == current(environment, LISTEN_CLIENT):
        return {}
    wanted = {LISTEN_CLIENT: ",".join(listeners)}
    if environment.get(ADVERTISE_CLIENT):
        return wanted
    return {**wanted, ADVERTISE_CLIENT: ",".join(current(environment, ADVERTISE_CLIENT))}
