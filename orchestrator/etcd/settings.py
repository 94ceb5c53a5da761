"""etcd's settings: their names, and the URLs and files in them, as found and over https; all pure."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from orchestrator.etcd import schemes
from orchestrator.plan.facts import Target
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


def original_url(target: Target) -> str:
    """URL under which the host reached its member before the first change."""
    urls = current(target.found.environment, LISTEN_CLIENT)
    return loopback(next((url for url in urls if url.startswith("http://")), urls[0]))


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


# Every setting that a stage may change, whatever the host.
CHANGED = frozenset(
    {
        *(LISTEN_CLIENT, LISTEN_PEER, ADVERTISE_CLIENT, INITIAL_ADVERTISE_PEER, INITIAL_CLUSTER),
        *("ETCD_CERT_FILE", "ETCD_KEY_FILE", "ETCD_TRUSTED_CA_FILE", "ETCD_CLIENT_CERT_AUTH"),
        *("ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE", "ETCD_PEER_TRUSTED_CA_FILE"),
        "ETCD_PEER_CLIENT_CERT_AUTH",
    }
)


def differences(environment: Settings, wanted: Mapping[str, str | None]) -> Iterable[str]:
    """Say which variables of a running process are not as wanted; None means that it is not set."""
    for name, value in wanted.items():
        if environment.get(name) != value:
            yield f"{name} is {_of(environment.get(name))}, not {_of(value)}"


def _of(value: str | None) -> str:
    return "not set" if value is None else shown(value, limit=300)
