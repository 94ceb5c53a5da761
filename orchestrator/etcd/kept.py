"""What a member has secured before the migration: those listeners and certificates are kept; pure."""

from collections.abc import Collection, Iterable, Mapping

CLIENT_FILES = ("ETCD_CERT_FILE", "ETCD_KEY_FILE")
PEER_FILES = ("ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE", "ETCD_PEER_TRUSTED_CA_FILE")


def https(urls: Iterable[str]) -> tuple[str, ...]:
    """Return the URLs that are https."""
    return tuple(url for url in urls if url.startswith("https://"))


def is_kept(
    environment: Mapping[str, str], files: Collection[str], listeners: Iterable[str], ours: Collection[str]
) -> bool:
    """Whether listeners speak https with certificates of their own; ``ours`` are a migration's."""
    named = {environment.get(name, "") for name in files}
    return bool(https(listeners)) and named.isdisjoint({"", *ours})
