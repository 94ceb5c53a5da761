"""Opening a connection to a host that proves who it is, and proving to it who we are."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.remote.heartbeat import keep_alive
from orchestrator.remote.host_certificates import CERTIFIED, rejection
from orchestrator.remote.known_hosts import HostKey, KnownHosts, read_known_hosts
from orchestrator.remote.login import log_in
from orchestrator.remote.logins import Login
from orchestrator.remote.proxy_command import ProxyCommand
from orchestrator.remote.transport import Transport
from orchestrator.remote.unlocking import Unlocked
from orchestrator.remote.untrusted import Bounded, Stream, distrusted, words
from orchestrator.text import escaped

DIAL_S = 10.0
_HANDSHAKE_S = 15.0
_CONNECT_S = 45.0  # for everything from the greeting to the login: a host that dawdles with each part of it
_HURRIED_S = 3.0


class DroppedEarlyError(HostUnreachableError):
    """The host hung up before it said who it is, as sshd does at random when many connect at once."""


def connect(host: str, login: Login, dial: Callable[[], Stream], unlocked: Unlocked) -> paramiko.Transport:
    """Return a connection that is verified and logged in.

    Raises HostUnreachableError (DroppedEarlyError, if trying again at once may help) or LoginRefusedError.
    """
    known = known_hosts_of(host, login)
    with meeting(host, login, dial, known) as (transport, stream, offered):
        _verify(host, login, known, offered)
        with distrusted(host, f"{login.address}: connection lost while logging in"):
            log_in(transport, host, login, unlocked)
        keep_alive(transport, stream)
        stream.trust()
        return transport


@contextmanager
def meeting(
    host: str, login: Login, dial: Callable[[], Stream], known: KnownHosts
) -> Iterator[tuple[paramiko.Transport, Bounded, paramiko.PKey]]:
    """Yield a connection that is not trusted yet, with the key that the host shows; an error closes it."""
    with distrusted(host, login.address):
        dialed = dial()
    stream = Bounded(dialed)
    transport = Transport(stream)
    watchdog = threading.Timer(_CONNECT_S, transport.close)
    watchdog.start()
    try:
        with _handshake(host, login, dialed):
            _shake_hands(transport, known, login)
            offered = transport.get_remote_server_key()
        yield transport, stream, offered
    except BaseException:
        transport.close()
        stream.close()  # Transport.close() leaves it open if the transport had ended by itself
        raise
    finally:
        watchdog.cancel()


def quieten_paramiko() -> None:
    """Keep paramiko's log, tracebacks included, off stderr: whatever matters is raised."""
    logger = logging.getLogger("paramiko")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def known_hosts_of(host: str, login: Login) -> KnownHosts:
    """Read the files that say who a host has to be; LoginRefusedError if one cannot be read."""
    try:
        return read_known_hosts(*login.known_hosts)
    except OSError as error:
        raise LoginRefusedError(
            host,
            f"{', '.join(map(str, login.known_hosts))}: {error.strerror or error}: the file with the host's "
            "key must be readable",
        ) from error


@contextmanager
def _handshake(host: str, login: Login, dialed: Stream) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise LoginRefusedError(
            host, f"{login.address} speaks no SSH algorithm that we accept: {words(error)}"
        ) from error
    except Exception as error:  # whatever paramiko makes of a host's bytes
        is_hurried = time.monotonic() - began < _HURRIED_S
        is_gone = isinstance(error, EOFError | OSError) or "protocol banner" in str(error)
        account = dialed.account() if isinstance(dialed, ProxyCommand) else ""
        if is_gone and account:
            reason = f"is not reached: its ProxyCommand {account}"
        elif is_hurried:
            what = "hung up during the handshake" if is_gone else "did not keep to the SSH handshake"
            reason = f"{what}: {words(error)}".rstrip(": ")
        else:
            reason = "takes connections, but does not answer"
        kind = DroppedEarlyError if is_hurried else HostUnreachableError
        raise kind(host, f"{login.address} {reason}") from error


def _shake_hands(transport: Transport, known: KnownHosts, login: Login) -> None:
    """Agree on keys, asking for a type of host key that is known, so that any other means a change."""
    kinds = known.kinds(login.known_as)
    plain = sorted(transport.get_security_options().key_types, key=lambda name: _kind(name) not in kinds)
    certified = [f"{name}{CERTIFIED}" for name in plain if known.authorities(login.known_as)]
    transport.wanted = (*(certified if login.host_key is None else ()), *plain)
    transport.banner_timeout = DIAL_S
    transport.auth_timeout = _HANDSHAKE_S
    transport.start_client(timeout=_HANDSHAKE_S)  # returns silently when its time is up
    if not transport.initial_kex_done:
        raise TimeoutError(f"no SSH handshake within {_HANDSHAKE_S:g} s")


def bare(offered: paramiko.PKey) -> HostKey:
    """Return the key that a host shows, without its certificate."""
    return HostKey(offered.get_name().removesuffix(CERTIFIED), offered.asbytes())


def refusal(login: Login, known: KnownHosts, offered: paramiko.PKey) -> str | None:
    """Return None if the host is who it has to be, else why that is not so."""
    key = bare(offered)
    if login.host_key is not None and key.fingerprint == login.host_key:
        revoked = known.revoked(login.known_as, key)
        return f"{login.address} offers a key that {revoked} revokes" if revoked else None
    if login.host_key is not None:
        return (
            f"{login.address} offers the {escaped(key.kind)} key {key.fingerprint}, and the plan pins "
            f"{login.host_key}. Either the plan names a key of another type (we ask for this one), or "
            "the host was installed anew, or somebody stands between us and it: compare on the host's own "
            "console, ssh-keygen -lf FILE for each /etc/ssh/ssh_host_*_key.pub, before you write another one"
        )
    reason = rejection(login, known, offered) if offered.public_blob else None
    if offered.public_blob and reason is None and not known.revoked(login.known_as, key):
        return None
    reported = known.refusal(login, key)
    return f"{reported} (A certificate does not help: {reason}.)" if reported and reason else reported


def _verify(host: str, login: Login, known: KnownHosts, offered: paramiko.PKey) -> None:
    if reported := refusal(login, known, offered):
        raise LoginRefusedError(host, reported)


def _kind(algorithm: str) -> str:
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm
