"""Where the members' trials listen, and dial each other: on the members' own hosts, at the trial's port."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from orchestrator.etcd import settings, stages
from orchestrator.plan.facts import Target
from orchestrator.text import bracketed

_EVERYWHERE = ("::", "0.0.0.0")  # noqa: S104 -- where the member listens, its trial does; the first takes both


def urls(target: Target) -> tuple[str, ...]:
    """Where the other members' trials dial it: the hosts of its peer URLs, on the trial's port."""
    return _on_port(target, settings.peers_https(target))


def listeners(target: Target) -> tuple[str, ...]:
    """Where it listens for them: as its member listens for peers, on the trial's port."""
    found = settings.current(stages.tls_listeners(target), settings.LISTEN_PEER)
    hosts = {urlsplit(url).hostname for url in found}
    everywhere = next((f"https://{host}" for host in _EVERYWHERE if host in hosts), None)
    return _on_port(target, found if everywhere is None else (everywhere.replace("::", "[::]"),))


def cluster(target: Target) -> str:
    """Return the trials' cluster as etcd takes it: every member's own name, and where its trial is."""
    return ",".join(f"{peer.member.name}={url}" for peer in target.everyone for url in urls(peer))


def _on_port(target: Target, found: Iterable[str]) -> tuple[str, ...]:
    hosts = (bracketed(urlsplit(url).hostname or "") for url in found)
    return tuple(dict.fromkeys(f"https://{host}:{target.cluster.ports.trial}" for host in hosts))
