"""What a migration does to a member: each action is a pure function of the member to operations.

Every action may be done twice, and has another that undoes it.
"""

from collections.abc import Iterable

from orchestrator.etcd import api, files, install, settings, trial
from orchestrator.etcd.facts import ca_store
from orchestrator.etcd.settings import CERTIFICATES, HTTPS, LOCAL_PORT, RELAYING, Paths
from orchestrator.host.operations import MakeDirectory, Operation, RemoveDirectory, Run
from orchestrator.plan.facts import Subject


def copy_certificates(subject: Subject) -> Iterable[Operation]:
    """Put CA, certificate and key where the service's user can read them, and only root can change them."""
    yield MakeDirectory(Paths.of(subject).directory)
    yield from files.material(subject)


def remove_certificates(subject: Subject) -> Iterable[Operation]:
    """Remove what was copied; a file that lay there before with the same content stays."""
    paths = Paths.of(subject)
    for file in reversed(files.material(subject)):
        yield from files.undone(subject, file.path, file)
    if paths.directory in subject.found.missing_directories:
        yield RemoveDirectory(paths.directory)


def try_certificates_out(subject: Subject) -> Iterable[Operation]:
    """Let a throwaway etcd serve the member's certificates on a port of its own, for its peers to dial."""
    yield from trial.begin(subject)


def end_trial(subject: Subject) -> Iterable[Operation]:
    """End the throwaway etcd; nothing of it stays."""
    yield from trial.end(subject)


def open_local_port(subject: Subject) -> Iterable[Operation]:
    """Let the member listen on the unencrypted port on loopback too, from its next start on."""
    yield from install.of(subject).put(LOCAL_PORT)


def close_local_port(subject: Subject) -> Iterable[Operation]:
    """Take the local port's settings away again."""
    yield from install.of(subject).take_away(LOCAL_PORT)
    yield from install.of(subject).clear()


def load_certificates(subject: Subject) -> Iterable[Operation]:
    """Give the member its certificate settings, from its next start on."""
    yield from install.of(subject).put(CERTIFICATES)


def unload_certificates(subject: Subject) -> Iterable[Operation]:
    """Take the certificate settings away again."""
    yield from install.of(subject).take_away(CERTIFICATES)


def listen_on_https(subject: Subject) -> Iterable[Operation]:
    """Turn every listener but the local port to https, from the member's next start on."""
    yield from install.of(subject).put(HTTPS)


def listen_on_http(subject: Subject) -> Iterable[Operation]:
    """Take the https listeners away again."""
    yield from install.of(subject).take_away(HTTPS)


def restart(subject: Subject) -> Iterable[Operation]:
    """Restart the member without waiting: systemd says READY only with a quorum, the gates say more."""
    yield Run(("systemctl", "daemon-reload"))
    yield Run(("systemctl", "--no-block", "restart", f"{subject.host.service}.service"))


def restart_if_opened(subject: Subject) -> Iterable[Operation]:
    """Restart the member, unless its local port was open before the first change: then nothing is new."""
    if not settings.has_local_port(subject):
        yield from restart(subject)


def relay_with_certificates(subject: Subject) -> Iterable[Operation]:
    """Give a proxy its certificates and loopback listeners, from its next start on."""
    yield from install.of(subject).put(RELAYING)


def relay_as_before(subject: Subject) -> Iterable[Operation]:
    """Take the proxy's settings away again."""
    yield from install.of(subject).take_away(RELAYING)
    yield from install.of(subject).clear()


def trust_ca(subject: Subject) -> Iterable[Operation]:
    """Put the CA into the host's trust store too, unless the plan says that files are enough."""
    yield from ca_store.install(subject)


def distrust_ca(subject: Subject) -> Iterable[Operation]:
    """Take the CA out of the host's trust store again."""
    yield from ca_store.uninstall(subject)


def register_http(subject: Subject) -> Iterable[Operation]:
    """Register the peer URLs as they were before the first change."""
    yield _register(subject, settings.peers_http(subject))


def register_both_schemes(subject: Subject) -> Iterable[Operation]:
    """Register each peer URL in both schemes: whoever dials finds the one that answers."""
    yield _register(subject, settings.peers_both(subject))


def register_https(subject: Subject) -> Iterable[Operation]:
    """Register the peer URLs in https only."""
    yield _register(subject, settings.peers_https(subject))


def hand_over(subject: Subject, successor: Subject) -> Iterable[Operation]:
    """Give leadership away; on the leader's host, through the listener that it had from the start."""
    yield from _move_leader(subject, successor, settings.original_url(subject))


def hand_over_locally(subject: Subject, successor: Subject) -> Iterable[Operation]:
    """Give leadership away through the local port, which answers in every state after the first restart."""
    yield from _move_leader(subject, successor, settings.local_url(subject))


def _move_leader(subject: Subject, successor: Subject, endpoint: str) -> Iterable[Operation]:
    command = api.of(subject).move_leader(successor.member.id, endpoint)
    return () if command is None else (command,)


def _register(subject: Subject, urls: tuple[str, ...]) -> Run:
    return api.of(subject).update_peers(subject.member.id, urls, settings.local_url(subject))
