"""Opening a connection to a host that proves who it is, and proving to it who we are."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.pkey import UnknownKeyType

from orchestrator.cluster.model import Ssh
from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.remote.conversation import Conversation
from orchestrator.remote.known_hosts import HostKey, KnownHosts, read_known_hosts

WHO = 'echo "orchestrator-uid $(id -u)"'
_DIAL_S = 10.0
_HANDSHAKE_S = 15.0
_HURRIED_S = 3.0
_KEEPALIVE_S = 5


class DroppedEarlyError(HostUnreachableError):
    """The host hung up before it said who it is, as sshd does at random when many connect at once."""


def connect(host: str, ssh: Ssh) -> paramiko.Transport:
    """Return a connection that is verified and logged in.

    Raises HostUnreachableError (DroppedEarlyError, if trying again at once may help) or LoginRefusedError.
    """
    known = _known_hosts(host, ssh)
    try:
        sock = socket.create_connection((ssh.host, ssh.port), timeout=_DIAL_S)
    except OSError as error:
        raise HostUnreachableError(host, f"{_address(ssh)}: {error.strerror or error}") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # paramiko does not: 48 ms a command, not 3
    transport = paramiko.Transport(sock)
    try:
        with _handshake(host, ssh):
            _shake_hands(transport, known, ssh)
            offered = transport.get_remote_server_key()
        _verify(host, ssh, known, offered)
        _log_in(transport, host, ssh)
    except BaseException:
        transport.close()
        sock.close()  # Transport.close() leaves it open if the transport had ended by itself
        raise
    transport.set_keepalive(_KEEPALIVE_S)
    return transport


def check_root(host: str, ssh: Ssh, conversation: Conversation) -> None:
    """Read what ``WHO`` says; LoginRefusedError if we are not root there."""
    try:
        uid = conversation.line().removeprefix("orchestrator-uid ")
    except EOFError as error:
        if ssh.become == "none":
            raise
        raise LoginRefusedError(
            host,
            f"sudo refused {ssh.user}: {error}. Allow it without a password: put the line "
            f"'{ssh.user} ALL=(root) NOPASSWD: ALL' into /etc/sudoers.d/{ssh.user} on the host, with visudo",
        ) from error
    if uid != "0":
        raise LoginRefusedError(
            host, f"{ssh.user}@{_address(ssh)} is not root there: set become: sudo, or log in as root"
        )


def quieten_paramiko() -> None:
    """Keep paramiko's log, tracebacks included, off stderr: whatever matters is raised."""
    logger = logging.getLogger("paramiko")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _address(ssh: Ssh) -> str:
    return f"{ssh.host}:{ssh.port}"


def _known_hosts(host: str, ssh: Ssh) -> KnownHosts:
    try:
        return read_known_hosts(ssh.known_hosts)
    except OSError as error:
        raise LoginRefusedError(
            host, f"{ssh.known_hosts}: {error.strerror}: the file with the host's key must be readable"
        ) from error


@contextmanager
def _handshake(host: str, ssh: Ssh) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise LoginRefusedError(
            host, f"{_address(ssh)} speaks no SSH algorithm that we accept: {error}"
        ) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        is_hurried = time.monotonic() - began < _HURRIED_S
        if is_hurried:
            reason = f"hung up during the handshake: {error}".rstrip(": ")
            raise DroppedEarlyError(host, f"{_address(ssh)} {reason}") from error
        raise HostUnreachableError(host, f"{_address(ssh)} takes connections, but does not answer") from error


def _shake_hands(transport: paramiko.Transport, known: KnownHosts, ssh: Ssh) -> None:
    """Agree on keys, asking for a type of host key that is known, so that any other means a change."""
    kinds = known.kinds(ssh.host, ssh.port)
    options = transport.get_security_options()
    options.key_types = sorted(options.key_types, key=lambda name: _kind(name) not in kinds)
    transport.banner_timeout = _DIAL_S
    transport.auth_timeout = _HANDSHAKE_S
    transport.start_client(timeout=_HANDSHAKE_S)  # returns silently when its time is up
    if not transport.initial_kex_done:
        raise TimeoutError(f"no SSH handshake within {_HANDSHAKE_S:g} s")


def _verify(host: str, ssh: Ssh, known: KnownHosts, offered: paramiko.PKey) -> None:
    refusal = known.refusal(ssh.host, ssh.port, HostKey(offered.get_name(), offered.asbytes()))
    if refusal:
        raise LoginRefusedError(host, refusal)


def _kind(algorithm: str) -> str:
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _log_in(transport: paramiko.Transport, host: str, ssh: Ssh) -> None:
    where = f"{ssh.user}@{_address(ssh)}"
    tried: list[str] = []
    with _keys(host, ssh) as keys:
        for key in keys:
            tried.append(f"{key.get_name()} {key.fingerprint}")
            try:
                still_wanted = transport.auth_publickey(ssh.user, key)
            except paramiko.SSHException as error:
                # EOF and timeout come as AuthenticationException too, but say nothing about the key
                if not transport.is_active() or "timeout" in str(error).lower():
                    raise HostUnreachableError(host, f"{where}: {error}") from error
                continue
            except (OSError, EOFError) as error:
                raise HostUnreachableError(
                    host, f"{where}: connection lost while logging in: {error}"
                ) from error
            if not still_wanted:
                return
    source = ssh.identity_file or "the SSH agent"
    offered = f"{source} ({', '.join(tried)})" if tried else f"{source}, which holds no key"
    raise LoginRefusedError(
        host,
        f"{where} refused the login with {offered}: add the public key to ~{ssh.user}/.ssh/authorized_keys "
        "on the host, or name another identity file (passwords are not supported)",
    )


@contextmanager
def _keys(host: str, ssh: Ssh) -> Iterator[tuple[paramiko.PKey, ...]]:
    """Yield the identity file's key, or else the agent's keys while the agent can sign with them."""
    if ssh.identity_file is not None:
        yield (_identity(host, ssh),)
        return
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError) as error:
        raise LoginRefusedError(
            host,
            f"the SSH agent at {os.environ.get('SSH_AUTH_SOCK')} does not answer ({error}): "
            "start it, or name an identity file",
        ) from error
    try:
        yield agent.get_keys()
    finally:
        agent.close()


def _identity(host: str, ssh: Ssh) -> paramiko.PKey:
    path = ssh.identity_file
    if path is None:
        raise ValueError("no identity file")
    try:
        return paramiko.PKey.from_path(path)
    except OSError as error:
        raise LoginRefusedError(host, f"identity file {path}: {error.strerror}") from error
    except (ValueError, TypeError, paramiko.SSHException, UnknownKeyType) as error:
        # a TypeError is how the key loader asks for a passphrase
        is_encrypted = isinstance(error, TypeError | paramiko.PasswordRequiredException)
        mend = (
            "is encrypted: load it into an SSH agent (ssh-add) and leave the identity file out of the plan"
            if is_encrypted
            else "is not a private key of a supported type (Ed25519, ECDSA, RSA)"
        )
        raise LoginRefusedError(host, f"identity file {path} {mend}") from error
