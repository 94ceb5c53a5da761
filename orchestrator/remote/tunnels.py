"""Tunnels over a host's connection, to the listeners that it can reach."""

import paramiko

from orchestrator.remote.http_probe import ChannelRefusedError

PROHIBITED, _CONNECT_FAILED = 1, 2  # RFC 4254, 5.1: sshd may not dial; it may, and nobody took the call
_NO_TUNNEL = (
    "Let sshd forward ports: 'AllowTcpForwarding yes' in sshd_config, and where 'restrict' stands before the "
    "key in authorized_keys, 'restrict,port-forwarding'"
)


def dial(transport: paramiko.Transport, timeout_s: float, host: str, port: int) -> paramiko.Channel:
    """Open a tunnel; ChannelRefusedError if nobody listens there, else TimeoutError or OSError."""
    try:
        return transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout_s)
    except paramiko.ChannelException as error:
        # paramiko drops sshd's own words, so the code has to do
        if error.code == _CONNECT_FAILED:
            raise ChannelRefusedError(f"{host}:{port}: {error.text}") from error
        forbidden = f". {_NO_TUNNEL}" if error.code == PROHIBITED else ""
        raise OSError(f"{host}:{port}: {error.text}{forbidden}") from error
    except TimeoutError:
        raise
    except Exception as error:
        raise OSError(str(error) or "the connection is gone") from error
