"""Logging in with a key: an identity file's, or one of an SSH agent's."""

import os
import shlex
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import paramiko
from paramiko.agent import AgentSSH

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.plan.model import Ssh
from orchestrator.remote.distrust import tail, words

LOGGED = "sshd logs why, on the host: journalctl -u ssh -u sshd -n 20"
_AGENT_S = 10.0


def log_in(transport: paramiko.Transport, host: str, ssh: Ssh) -> None:
    """Log in; LoginRefusedError if no key of ours is enough, HostUnreachableError if that cannot be told."""
    where = f"{ssh.user}@{ssh.host}:{ssh.port}"
    tried: list[str] = []
    banner = ""
    with _keys(host, ssh) as keys:
        for key in keys:
            shown = f"{key.get_name()} {key.fingerprint}"
            tried.append(shown)
            try:
                still_wanted = transport.auth_publickey(ssh.user, key)
            except paramiko.SSHException as error:
                banner = _banner(transport) or banner
                # EOF and timeout come as AuthenticationException too, but say nothing about the key
                if not transport.is_active() or "timeout" in str(error).lower():
                    what = "connection lost" if transport.is_active() else "it closed the connection"
                    reason = f"{what} while we logged in ({words(error)}){banner}; {LOGGED}"
                    raise HostUnreachableError(host, f"{where}: {reason}{_too_many(ssh, tried)}") from error
                continue
            if not still_wanted:
                return
            raise LoginRefusedError(host, f"{where} {_second_factor(ssh, shown, still_wanted)}")
    raise LoginRefusedError(host, f"{where} {_refused(ssh, tried, banner)}")


def _banner(transport: paramiko.Transport) -> str:
    banner = transport.get_banner()
    said = tail(banner.decode(errors="replace")) if banner else ""
    return f"; the host says: {said}" if said else ""


def _too_many(ssh: Ssh, tried: Sequence[str]) -> str:
    if ssh.identity_file is not None or len(tried) < 2:
        return ""
    offered = f"The SSH agent offered {len(tried)} keys, and sshd ends the connection after a few"
    return f". {offered}: name an identity file in the plan"


def _second_factor(ssh: Ssh, key: str, wanted: Sequence[str]) -> str:
    methods = tail(", ".join(map(str, wanted)))
    return (
        f"accepted the key {key}, and wants {methods} as well (AuthenticationMethods in sshd_config): "
        "a second factor is not supported. Let the key be enough for this user: put the lines "
        f"'Match User {ssh.user}' and 'AuthenticationMethods publickey' at the end of /etc/ssh/sshd_config "
        "on the host, then: systemctl reload ssh (or sshd)"
    )


def _refused(ssh: Ssh, tried: Sequence[str], banner: str) -> str:
    source = str(ssh.identity_file or "the SSH agent")
    offered = f"{source} ({', '.join(tried)})" if tried else f"{source}, which holds no key"
    fix = f"add the public key to ~{ssh.user}/.ssh/authorized_keys on the host"
    if ssh.identity_file is not None:
        fix += f" (ssh-keygen -y -f {shlex.quote(source)} prints it)"
    root = "; root logs in only if PermitRootLogin in sshd_config allows it"
    return (
        f"refused the login with {offered}: {fix}, or name another identity file "
        f"(passwords are not supported){root if ssh.user == 'root' else ''}. "
        f"If the key is there, {LOGGED}{banner}"
    )


@contextmanager
def _keys(host: str, ssh: Ssh) -> Iterator[tuple[paramiko.PKey, ...]]:
    """Yield the identity file's key, or else the agent's keys while the agent can sign with them."""
    if ssh.identity_file is not None:
        yield (_identity(host, ssh),)
        return
    path = os.environ.get("SSH_AUTH_SOCK", "")
    if not path:
        raise LoginRefusedError(
            host,
            "no SSH agent is known here (SSH_AUTH_SOCK is not set), and the plan names no identity file: "
            'name one as ssh.identity_file, or start an agent: eval "$(ssh-agent)"; ssh-add',
        )
    agent = AgentSSH()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_AGENT_S)
        try:
            connection.connect(path)
            agent._connect(connection)  # type: ignore[attr-defined]  # noqa: SLF001  # Agent() takes no socket, so it would wait for ever
            keys = agent.get_keys()
            if not all(key.get_name() for key in keys):
                _cut_short()
        except Exception as error:  # whatever an agent's bytes raise in paramiko
            raise LoginRefusedError(
                host,
                f"the SSH agent at {tail(path)} does not answer ({words(error)}): start one "
                'with eval "$(ssh-agent)"; ssh-add, or name an identity file in the plan',
            ) from error
        connection.settimeout(None)  # a key may ask for a finger; transport.auth_timeout bounds it
        yield keys


def _cut_short() -> None:
    raise paramiko.SSHException("its list of keys is cut short")


def _identity(host: str, ssh: Ssh) -> paramiko.PKey:
    path = ssh.identity_file
    if path is None:
        raise ValueError("no identity file")
    if path.exists() and not path.is_file():  # a pipe would let us wait for ever
        raise LoginRefusedError(host, f"identity file {path} is not a regular file")
    try:
        return paramiko.PKey.from_path(path)
    except OSError as error:
        raise LoginRefusedError(host, f"identity file {path}: {error.strerror or error}") from error
    except (TypeError, paramiko.PasswordRequiredException) as error:
        # a TypeError is how the key loader asks for a passphrase
        fix = "is encrypted: load it into an SSH agent (ssh-add) and leave the identity file out of the plan"
        raise LoginRefusedError(host, f"identity file {path} {fix}") from error
    except Exception as error:  # whatever a file's bytes raise in paramiko
        fix = "is not a private key of a supported type (Ed25519, ECDSA, RSA)"
        raise LoginRefusedError(host, f"identity file {path} {fix}") from error
