"""What a member has secured before the migration: those listeners and certificates are kept; pure."""

from collections.abc import Collection, Iterable

from orchestrator.etcd.settings import LISTEN_CLIENT, LISTEN_PEER, Paths, Settings, current
from orchestrator.plan.facts import Target

CLIENT_FILES = ("ETCD_CERT_FILE", "ETCD_KEY_FILE")
PEER_FILES = ("ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE", "ETCD_PEER_TRUSTED_CA_FILE")


def https(urls: Iterable[str]) -> tuple[str, ...]:
    """Return the URLs that are https."""
    return tuple(url for url in urls if url.startswith("https://"))


def keeps_peers(target: Target) -> bool:
    """Whether its peers speak https already, with certificates of their own: nothing of that is changed."""
    return _was_kept(target, PEER_FILES, LISTEN_PEER)


def keeps_clients(target: Target) -> bool:
    """Whether it serves clients over https already, with a certificate of its own, which stays."""
    return _was_kept(target, CLIENT_FILES, LISTEN_CLIENT)


def is_kept(
    environment: Settings, files: Collection[str], listeners: Iterable[str], ours: Collection[str]
) -> bool:
    """Whether listeners speak https with certificates of their own; ``ours`` are a migration's."""
    named = {environment.get(name, "") for name in files}
    return bool(https(listeners)) and named.isdisjoint({"", *ours})


def _was_kept(target: Target, files: Collection[str], listeners: str) -> bool:
    environment = target.found.environment
    return is_kept(environment, files, current(environment, listeners), Paths.of(target).material)
