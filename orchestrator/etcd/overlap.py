"""The overlap: https beside http for clients, from a member's first restart until http is closed; pure."""

from collections.abc import Collection
from urllib.parse import urlsplit, urlunsplit

from orchestrator.etcd import local_port
from orchestrator.etcd.settings import (
    ADVERTISE_CLIENT,
    LISTEN_CLIENT,
    Settings,
    current,
    is_unspecified,
    to_https,
)
from orchestrator.plan.facts import Target, is_at_least


def extra_port(target: Target) -> int | None:
    """Return the port for https beside http; None where all members serve both on one, from etcd 3.5 on.

    Etcd 3.4 serves plain gRPC on a shared port by chance only, and 2.x does not start with one
    (docs/etcd-facts.md).
    """
    versions = (each.version for each in target.facts.members.values())
    shares = all(version and is_at_least(version, 3, 5) for version in versions)
    return None if shares else target.cluster.clients.extra_port


def opened(target: Target) -> tuple[str, ...]:
    """Listeners for https that a member has beside those for http; none without an overlap.

    On a port of its own nobody else may listen beside one that takes every address.
    """
    listeners = local_port.clients_http(target)
    beside = dict.fromkeys(_secured(target, url) for url in listeners if _is_closed_at_the_end(target, url))
    everywhere = [url for url in beside if is_unspecified(url)]
    if everywhere and _has_port_of_its_own(target):
        return tuple(everywhere[:1])
    return tuple(url for url in beside if url not in listeners and not _is_named_twice(url, beside))


def _is_named_twice(url: str, beside: Collection[str]) -> bool:
    """Whether a listener is on the loopback that another one has by its address."""
    return url.replace("//localhost:", "//127.0.0.1:") in {*beside} - {url}


def listeners(target: Target) -> Settings:
    """Return the settings that open https beside http for clients; none without an overlap.

    Both are advertised: a client that follows the members' list with TLS would be led to http otherwise, and
    one without finds http among them (docs/etcd-facts.md).
    """
    beside = opened(target)
    if not beside:
        return {}
    advertised = (*current(target.found.environment, ADVERTISE_CLIENT), *served(target))
    return {
        LISTEN_CLIENT: ",".join((*local_port.clients_http(target), *beside)),
        ADVERTISE_CLIENT: ",".join(dict.fromkeys(advertised)),
    }


def kept_open(target: Target) -> tuple[str, ...]:
    """Return those listeners that stay when http is closed, for the clients that came by them."""
    return opened(target) if _has_port_of_its_own(target) else ()


def kept_advertised(target: Target) -> tuple[str, ...]:
    """Return where such clients go on finding the member."""
    return served(target) if _has_port_of_its_own(target) else ()


def _has_port_of_its_own(target: Target) -> bool:
    return target.facts.overlaps and extra_port(target) is not None


def served(target: Target) -> tuple[str, ...]:
    """URLs at which clients reach a member over https during the overlap."""
    if not opened(target):
        return ()
    urls = current(target.found.environment, ADVERTISE_CLIENT)
    return tuple(dict.fromkeys(_secured(target, url) for url in urls if _is_closed_at_the_end(target, url)))


def _is_closed_at_the_end(target: Target, url: str) -> bool:
    return target.facts.overlaps and url.startswith("http://") and not local_port.is_local(target, url)


def _secured(target: Target, url: str) -> str:
    """Return the same place over https, on the port that https has during the overlap."""
    port = extra_port(target)
    if port is None:
        return to_https(url)
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    return urlunsplit(("https", f"{host}:{port}", "", "", ""))
