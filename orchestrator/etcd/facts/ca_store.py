"""The hosts' trust stores: where the CA goes beside etcd's own file, as the guide has it."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.etcd import files as files_
from orchestrator.host.operations import Operation, Remove, Run, Write
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Cluster

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Store:
    """One family's trust store: where a CA is put, what takes it up, and the bundle that shows it.

    ``links`` is the directory of links that the update leaves when their file is gone; empty if none.
    """

    directory: str
    suffix: str
    update: str
    bundle: str
    links: str = ""


# update-ca-certificates(8), update-ca-trust(8); CoreOS takes certificates up from the bundle's own directory.
STORES: Mapping[str, Store] = {
    "debian": Store(
        "/usr/local/share/ca-certificates",
        ".crt",
        "update-ca-certificates",
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/certs",
    ),
    "coreos": Store("/etc/ssl/certs", ".pem", "update-ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
    "redhat": Store(
        "/etc/pki/ca-trust/source/anchors", ".pem", "update-ca-trust", "/etc/pki/tls/certs/ca-bundle.crt"
    ),
}

# $1 directory, then links there. Debian's update makes links by subject anew only when a file has come, and
# one that leads nowhere ends OpenSSL's search: another file with the same CA would not be found.
FORGET = (
    'cd "$1" && shift && for link; do find . -maxdepth 1 -lname "$link" -delete; rm -f -- "$link"; done && '
    "openssl rehash . > /dev/null 2>&1 || :"
)

# How many of the certificates given by their base64 text are in the bundle.
SCRIPT = """
bundle=$1
shift
for body; do
  tr -d '\\n' < "$bundle" | grep -qF -- "$body" && echo trusted || echo missing
done
"""


def files(target: Target) -> tuple[Write, ...]:
    """Files for the trust store, one for each certificate of the CA file; none if the plan says so."""
    family = target.found.trust
    if target.cluster.tls.trust == "files" or family is None:
        return ()
    return _files(target.cluster, STORES[family])


def candidates(cluster: Cluster) -> tuple[str, ...]:
    """Where the CA could be put, whatever family a host is of."""
    return tuple(file.path for store in STORES.values() for file in _files(cluster, store))


def _files(cluster: Cluster, store: Store) -> tuple[Write, ...]:
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", cluster.name)
    return tuple(
        Write(f"{store.directory}/etcd-{name}-{number}{store.suffix}", match.group(0))
        for number, match in enumerate(_PEM.finditer(files_.certificates_of(cluster.tls.ca)), start=1)
    )


def install(target: Target) -> Iterable[Operation]:
    """Put the CA there and let the store take it up."""
    yield from files(target)
    yield from _update(target)


def uninstall(target: Target) -> Iterable[Operation]:
    """Remove the CA, unless it was there before the first change, and let the store forget it."""
    ours = [file.path for file in files(target) if file.path not in target.found.files]
    yield from map(Remove, ours)
    yield from _update(target)
    links = STORES[target.found.trust].links if target.found.trust else ""
    if ours and links:
        names = (f"{posixpath.basename(path).removesuffix('.crt')}.pem" for path in ours)
        yield Run(("sh", "-c", FORGET, "sh", links, *names))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A store's bundle: whether it holds the whole CA, and what the look said last."""

    path: str
    is_trusting: bool
    last_words: str


def bundle(target: Target) -> Fact[Bundle] | None:
    """Whether the store's bundle holds the CA; None if the plan wants no store."""
    wanted = files(target)
    if not wanted or target.found.trust is None:
        return None
    path = STORES[target.found.trust].bundle
    bodies = tuple("".join(_bodies(file.text)) for file in wanted)

    def read(answer: Answer) -> Bundle:
        return Bundle(path, set(answer.text.split()) == {"trusted"}, answer.reason)

    return Fact(Script(target.name, SCRIPT, (path, *bodies)), read)


def _bodies(text: str) -> Iterable[str]:
    return ("".join(match.group(1).split()) for match in _PEM.finditer(text))


def _update(target: Target) -> Iterable[Operation]:
    if files(target) and target.found.trust:
        yield Run((STORES[target.found.trust].update,))
