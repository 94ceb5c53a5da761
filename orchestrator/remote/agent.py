"""The SSH agent's keys, for as long as it can sign with them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob

from orchestrator.errors import LoginRefusedError
from orchestrator.remote.untrusted import tail, words

CERTIFIED = "-cert-v01@openssh.com"
_AGENT_S = 10.0


@contextmanager
def held_keys(host: str, path: str) -> Iterator[tuple[AgentKey, ...]]:
    """Yield the keys of the agent at a socket; LoginRefusedError, naming ``host``, if it does not answer."""
    agent = AgentSSH()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_AGENT_S)
        try:
            connection.connect(path)
            agent._connect(connection)  # type: ignore[attr-defined]  # noqa: SLF001  # Agent() takes no socket, so it would wait for ever
            keys: tuple[AgentKey, ...] = tuple(map(_whole, agent.get_keys()))
        except Exception as error:  # whatever an agent's bytes raise in paramiko
            raise LoginRefusedError(
                host,
                f"the SSH agent at {tail(path)} does not answer ({words(error)}): start one "
                'with eval "$(ssh-agent)"; ssh-add, or name an identity file in the plan',
            ) from error
        connection.settimeout(None)  # a key may ask for a finger; transport.auth_timeout bounds it
        yield keys


def _whole(key: AgentKey) -> AgentKey:
    """Return a key that is offered as what it is: paramiko shows the bare key of a certificate."""
    name = key.get_name()
    if not name:
        raise paramiko.SSHException("its list of keys is cut short")
    if name.endswith(CERTIFIED):
        key.public_blob = PublicBlob(name, key.blob)  # type: ignore[assignment]  # the stubs know no other
        if "rsa" not in name:  # with the bare key, an agent signs with SHA-2; it may not hold that one
            key.inner_key = None  # type: ignore[attr-defined]
    return key
