"""Which settings a migration changes, to which values, and which of them come into force together; pure."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.etcd import kept, local_port, overlap
from orchestrator.etcd.settings import (
    ADVERTISE_CLIENT,
    INITIAL_ADVERTISE_PEER,
    INITIAL_CLUSTER,
    LISTEN_CLIENT,
    LISTEN_PEER,
    Paths,
    Settings,
    current,
    peers_https,
    split,
    to_https,
)
from orchestrator.plan.facts import Target


def certificates(target: Target) -> Settings:
    """Certificate settings; they make the member able to dial TLS before anybody listens with it.

    The CA settings alone turn client authentication on (etcd 3.4.23 to 3.7), so a plan without it for
    clients leaves that CA setting out. What speaks https already keeps what it has; clients that need none
    there yet have to show a certificate only once all speak https, as everywhere.
    """
    place = Paths.of(target)
    client = {"ETCD_CERT_FILE": place.certificate, "ETCD_KEY_FILE": place.key}
    if not is_asked_last(target):
        client |= _client_auth(target)
    peer = {
        "ETCD_PEER_CERT_FILE": place.certificate,
        "ETCD_PEER_KEY_FILE": place.key,
        "ETCD_PEER_TRUSTED_CA_FILE": place.ca,
        "ETCD_PEER_CLIENT_CERT_AUTH": "true",
    }
    return {**({} if kept.keeps_clients(target) else client), **({} if kept.keeps_peers(target) else peer)}


def is_asked_last(target: Target) -> bool:
    """Whether clients have to show a certificate only once they are served over https alone."""
    return kept.keeps_clients(target) or target.cluster.clients.cert_auth == "switch"


def _client_auth(target: Target) -> Settings:
    """What makes clients show a certificate, if the plan wants that; a CA of the member's own stays."""
    if not target.cluster.tls.client_cert_auth:
        return {}
    own = target.found.environment.get("ETCD_TRUSTED_CA_FILE") if kept.keeps_clients(target) else None
    return {"ETCD_TRUSTED_CA_FILE": own or Paths.of(target).ca, "ETCD_CLIENT_CERT_AUTH": "true"}


def relaying_url(target: Target) -> str:
    """URL under which a host's own clients reach its proxy from 'relaying-safely' on."""
    return f"http://127.0.0.1:{target.cluster.ports.client}"


def relaying(target: Target) -> Settings:
    """What a v2 proxy needs: it listens on loopback only, and speaks to members with the PEER_ settings.

    The guide gives it ETCD_CERT_FILE and ETCD_KEY_FILE alone, with which it shows no certificate to the
    members (source of etcd 2.3.8, etcdmain/etcd.go).
    """
    place = Paths.of(target)
    return {
        "ETCD_CERT_FILE": place.certificate,
        "ETCD_KEY_FILE": place.key,
        "ETCD_PEER_CERT_FILE": place.certificate,
        "ETCD_PEER_KEY_FILE": place.key,
        "ETCD_PEER_TRUSTED_CA_FILE": place.ca,
        LISTEN_CLIENT: ",".join(filter(None, (relaying_url(target), local_port.url(target)))),
    }


def tls_listeners(target: Target) -> Settings:
    """Every listener and every advertised URL in https, but the local port.

    What the cluster began with is for a rebuilt member; one that has no such list is given none, for
    ETCD_DISCOVERY or ETCD_DISCOVERY_SRV may stand in its place, and with both etcd does not start.
    """
    environment = target.found.environment
    local, found = local_port.url(target), local_port.clients_http(target)
    ours = (local if local and local_port.is_local(target, url) else to_https(url) for url in found)
    clients = dict.fromkeys((*ours, *overlap.kept_open(target)))
    began = (f"{peer.member.name}={url}" for peer in target.everyone for url in peers_https(peer))
    return {
        ADVERTISE_CLIENT: ",".join((*advertised_clients(target), *overlap.kept_advertised(target))),
        LISTEN_CLIENT: ",".join(clients),
        LISTEN_PEER: ",".join(map(to_https, current(environment, LISTEN_PEER))),
        INITIAL_ADVERTISE_PEER: ",".join(peers_https(target)),
        **(_client_auth(target) if is_asked_last(target) else {}),
        **({INITIAL_CLUSTER: ",".join(began)} if environment.get(INITIAL_CLUSTER) else {}),
    }


def advertised_clients(target: Target) -> tuple[str, ...]:
    """URLs that clients use after the migration; the local port is not for them."""
    urls, local = current(target.found.environment, ADVERTISE_CLIENT), local_port.of(target)
    public = [url for url in urls if local is None or urlsplit(url).port != local]
    return tuple(map(to_https, public or urls))


def closed(target: Target) -> Settings:
    """The settings that close what the plan wants closed in the end; none where that is nothing.

    One listener stays: a member that has no other than these keeps them.
    """
    wanted, before = target.cluster.clients.close, split(tls_listeners(target)[LISTEN_CLIENT])
    local = {local_port.url(target)} if "local" in wanted else set()
    extra = set(overlap.kept_open(target)) if "extra" in wanted else set()
    listeners = [url for url in before if url not in local | extra]
    if not listeners or len(listeners) == len(before):
        return {}
    advertised = {ADVERTISE_CLIENT: ",".join(advertised_clients(target))} if extra else {}
    return {LISTEN_CLIENT: ",".join(listeners), **advertised}


def closed_listeners(target: Target) -> tuple[str, ...]:
    """Return the listeners that a member has until they are closed in the end."""
    left = closed(target).get(LISTEN_CLIENT)
    before = split(tls_listeners(target)[LISTEN_CLIENT])
    return () if left is None else tuple(url for url in before if url not in split(left))


def kept_clients(target: Target) -> tuple[str, ...]:
    """URLs at which clients are served over https from the start; none if they are not."""
    return advertised_clients(target) if kept.keeps_clients(target) else ()


def peer_material(target: Target) -> tuple[str, str, str]:
    """CA, certificate and key with which the member meets its peers once it speaks https to them."""
    final = {**target.found.environment, **certificates(target)}
    certificate, key, ca = (final[name] for name in kept.PEER_FILES)
    return ca, certificate, key


@dataclass(frozen=True, slots=True)
class Stage:
    """Settings that come into force together, by the name of what they bring about; ``of`` a host."""

    name: str
    of: Callable[[Target], Settings]


LOCAL_PORT = Stage("insecure_localhost", local_port.opened)
CERTIFICATES = Stage("certs", certificates)
OVERLAP = Stage("overlap", overlap.listeners)
HTTPS = Stage("tls", tls_listeners)
CLOSED = Stage("closed", closed)
RELAYING = Stage("relaying", relaying)


def stages_of(target: Target) -> tuple[Stage, ...]:
    """Every stage that a host goes through, in its order."""
    is_member = target.name in target.facts.members
    return (LOCAL_PORT, CERTIFICATES, OVERLAP, HTTPS, CLOSED) if is_member else (RELAYING,)
