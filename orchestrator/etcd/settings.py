"""etcd's settings before, during and after the migration: which ones, with which values; all pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.etcd import kept, schemes
from orchestrator.plan.facts import Target
from orchestrator.plan.kinds import USUAL_LOCAL_PORT
from orchestrator.text import shown

# Variables are etcd's own (etcd docs, "Configuration options"), the file names are the CoreOS guide's.
LISTEN_CLIENT = "ETCD_LISTEN_CLIENT_URLS"
LISTEN_PEER = "ETCD_LISTEN_PEER_URLS"
ADVERTISE_CLIENT = "ETCD_ADVERTISE_CLIENT_URLS"
INITIAL_ADVERTISE_PEER = "ETCD_INITIAL_ADVERTISE_PEER_URLS"
INITIAL_CLUSTER = "ETCD_INITIAL_CLUSTER"

# What etcd uses when a variable is not set (etcd 3.4, server/embed/config.go).
DEFAULTS: Mapping[str, str] = {
    LISTEN_CLIENT: "http://localhost:2379",
    LISTEN_PEER: "http://localhost:2380",
    ADVERTISE_CLIENT: "http://localhost:2379",
}

Settings = Mapping[str, str]


def split(urls: str) -> tuple[str, ...]:
    """Split etcd's comma-separated list."""
    return tuple(url.strip() for url in urls.split(",") if url.strip())


def current(environment: Settings, name: str) -> tuple[str, ...]:
    """URLs that a process with this environment uses for that variable."""
    return split(environment.get(name) or DEFAULTS.get(name, ""))


def to_https(url: str) -> str:
    """Return the same place, spoken to over TLS."""
    return "https://" + url.removeprefix("http://") if url.startswith("http://") else url


def loopback(url: str) -> str:
    """Return the URL under which the host itself reaches a listener, e.g. http://127.0.0.1:2379."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def is_unspecified(url: str) -> bool:
    """Whether a URL names every address of a host that listens there, and so no host to dial."""
    return urlsplit(url).hostname in {"0.0.0.0", "::"}  # noqa: S104 -- compared, not listened on


def local_port(target: Target) -> int | None:
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
    port = local_port(target)
    return port is not None and _is_on_loopback(url, port)


def _is_on_loopback(url: str, port: int) -> bool:
    parts = urlsplit(url)
    return parts.port == port and parts.hostname in {
        *("127.0.0.1", "::1", "localhost"),  # there already, as the guide wants it
        *("0.0.0.0", "::"),  # noqa: S104 -- old CoreOS configurations open it to the world: it ends as loopback only
    }


def local_url(target: Target) -> str | None:
    """URL of the unencrypted port on loopback, if there is one; it answers from the 'accepting' state on."""
    port = local_port(target)
    return None if port is None else f"http://127.0.0.1:{port}"


def original_url(target: Target) -> str:
    """URL under which the host reached its member before the first change."""
    urls = current(target.found.environment, LISTEN_CLIENT)
    return loopback(next((url for url in urls if url.startswith("http://")), urls[0]))


def keeps_peers(target: Target) -> bool:
    """Whether its peers speak https already, with certificates of their own: nothing of that is changed."""
    environment = target.found.environment
    ours, listeners = Paths.of(target).material, current(environment, LISTEN_PEER)
    return kept.is_kept(environment, kept.PEER_FILES, listeners, ours)


def keeps_clients(target: Target) -> bool:
    """Whether it serves clients over https already, with a certificate of its own, which stays."""
    environment = target.found.environment
    ours, listeners = Paths.of(target).material, current(environment, LISTEN_CLIENT)
    return kept.is_kept(environment, kept.CLIENT_FILES, listeners, ours)


def kept_clients(target: Target) -> tuple[str, ...]:
    """URLs at which clients are served over https from the start; none if they are not."""
    return advertised_clients(target) if keeps_clients(target) else ()


def peer_material(target: Target) -> tuple[str, str, str]:
    """CA, certificate and key with which the member meets its peers once it speaks https to them."""
    final = {**target.found.environment, **certificates(target)}
    certificate, key, ca = (final[name] for name in kept.PEER_FILES)
    return ca, certificate, key


def has_local_port(target: Target) -> bool:
    """Whether the member listened on the local port before the first change."""
    return any(is_local(target, url) for url in current(target.found.environment, LISTEN_CLIENT))


def clients_http(target: Target) -> tuple[str, ...]:
    """Client listeners as found, and behind them the local port, if there is one that was not there."""
    found, local = current(target.found.environment, LISTEN_CLIENT), local_url(target)
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


def certificates(target: Target) -> Settings:
    """Certificate settings; they make the member able to dial TLS before anybody listens with it.

    The CA settings alone turn client authentication on (etcd 3.4.23 to 3.7), so a plan without it for
    clients leaves that CA setting out. What speaks https already keeps what it has; clients that need none
    there yet have to show a certificate only once all speak https, as everywhere.
    """
    place = Paths.of(target)
    client = {"ETCD_CERT_FILE": place.certificate, "ETCD_KEY_FILE": place.key, **_client_auth(target)}
    peer = {
        "ETCD_PEER_CERT_FILE": place.certificate,
        "ETCD_PEER_KEY_FILE": place.key,
        "ETCD_PEER_TRUSTED_CA_FILE": place.ca,
        "ETCD_PEER_CLIENT_CERT_AUTH": "true",
    }
    return {**({} if keeps_clients(target) else client), **({} if keeps_peers(target) else peer)}


def _client_auth(target: Target) -> Settings:
    """What makes clients show a certificate, if the plan wants that; a CA of the member's own stays."""
    if not target.cluster.tls.client_cert_auth:
        return {}
    own = target.found.environment.get("ETCD_TRUSTED_CA_FILE") if keeps_clients(target) else None
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
        LISTEN_CLIENT: ",".join(filter(None, (relaying_url(target), local_url(target)))),
    }


def tls_listeners(target: Target) -> Settings:
    """Every listener and every advertised URL in https, but the local port.

    What the cluster began with is for a rebuilt member; one that has no such list is given none, for
    ETCD_DISCOVERY or ETCD_DISCOVERY_SRV may stand in its place, and with both etcd does not start.
    """
    environment = target.found.environment
    local = local_url(target)
    clients = (local if local and is_local(target, url) else to_https(url) for url in clients_http(target))
    began = (f"{peer.member.name}={url}" for peer in target.everyone for url in peers_https(peer))
    return {
        ADVERTISE_CLIENT: ",".join(advertised_clients(target)),
        LISTEN_CLIENT: ",".join(clients),
        LISTEN_PEER: ",".join(map(to_https, current(environment, LISTEN_PEER))),
        INITIAL_ADVERTISE_PEER: ",".join(peers_https(target)),
        **(_client_auth(target) if keeps_clients(target) else {}),
        **({INITIAL_CLUSTER: ",".join(began)} if environment.get(INITIAL_CLUSTER) else {}),
    }


def advertised_clients(target: Target) -> tuple[str, ...]:
    """URLs that clients use after the migration; the local port is not for them."""
    urls, local = current(target.found.environment, ADVERTISE_CLIENT), local_port(target)
    public = [url for url in urls if local is None or urlsplit(url).port != local]
    return tuple(map(to_https, public or urls))


def peers_before(target: Target) -> tuple[str, ...]:
    """Peer URLs in the scheme that the member listened with before the first change.

    They are those that it was registered with, unless somebody registered another scheme and left it at that.
    """
    listeners = current(target.found.environment, LISTEN_PEER)
    return schemes.spoken(target.member.peer_urls, listeners)


def peers_https(target: Target) -> tuple[str, ...]:
    """The same peer URLs over TLS, e.g. https://198.18.0.101:2380."""
    return tuple(map(to_https, peers_before(target)))


def peers_both(target: Target) -> tuple[str, ...]:
    """Both schemes on the same host and port: a dialler that fails with one tries the next."""
    return tuple(dict.fromkeys((*peers_before(target), *peers_https(target))))


class Paths:
    """Where a member's certificates lie on its host, as the guide has them."""

    def __init__(self, directory: str, name: str) -> None:
        self.directory = directory
        self.ca = f"{directory}/ca.pem"
        self.certificate = f"{directory}/{name}.pem"
        self.key = f"{directory}/{name}-key.pem"

    @classmethod
    def of(cls, target: Target) -> "Paths":
        """Paths on the member's host."""
        return cls(target.cluster.tls.directory, target.name)

    @property
    def material(self) -> tuple[str, ...]:
        """Certificate files; never read back as text."""
        return (self.ca, self.certificate, self.key)


@dataclass(frozen=True, slots=True)
class Stage:
    """Settings that come into force together, by the name of what they bring about; ``of`` a host."""

    name: str
    of: Callable[[Target], Settings]


LOCAL_PORT = Stage("insecure_localhost", opened)
CERTIFICATES = Stage("certs", certificates)
HTTPS = Stage("tls", tls_listeners)
RELAYING = Stage("relaying", relaying)


# Every setting that a stage may change, whatever the host.
CHANGED = frozenset(
    {
        *(LISTEN_CLIENT, LISTEN_PEER, ADVERTISE_CLIENT, INITIAL_ADVERTISE_PEER, INITIAL_CLUSTER),
        *("ETCD_CERT_FILE", "ETCD_KEY_FILE", "ETCD_TRUSTED_CA_FILE", "ETCD_CLIENT_CERT_AUTH"),
        *("ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE", "ETCD_PEER_TRUSTED_CA_FILE"),
        "ETCD_PEER_CLIENT_CERT_AUTH",
    }
)


def stages(target: Target) -> tuple[Stage, ...]:
    """Every stage that a host goes through, in its order."""
    is_member = target.name in target.facts.members
    return (LOCAL_PORT, CERTIFICATES, HTTPS) if is_member else (RELAYING,)


def differences(environment: Settings, wanted: Mapping[str, str | None]) -> Iterable[str]:
    """Say which variables of a running process are not as wanted; None means that it is not set."""
    for name, value in wanted.items():
        if environment.get(name) != value:
            yield f"{name} is {_of(environment.get(name))}, not {_of(value)}"


def _of(value: str | None) -> str:
    return "not set" if value is None else shown(value, limit=300)
