"""The ways to the hosts: each jump host is connected to once, and shared by all hosts behind it."""

import socket
import threading
from collections.abc import Callable
from functools import partial

import paramiko
import tenacity

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.remote.connecting import DIAL_S, DroppedEarlyError, connect
from orchestrator.remote.logins import Login
from orchestrator.remote.proxy_command import ProxyCommand
from orchestrator.remote.route import Route
from orchestrator.remote.shared import Shared
from orchestrator.remote.tunnels import PROHIBITED
from orchestrator.remote.unlocking import Unlocked
from orchestrator.remote.untrusted import SilentError, Stream, distrusted, words


class Ways:
    """Opens connections to hosts, by way of jump hosts where there are any."""

    def __init__(self, unlocked: Unlocked, sleep: Callable[[float], None]) -> None:
        self._unlocked = unlocked
        self._sleep = sleep
        self._lock = threading.Lock()
        self._jumps: dict[tuple[Login, ...], Shared[paramiko.Transport]] = {}

    def connect(self, host: str, route: Route) -> paramiko.Transport:
        """Return a connection that is verified and logged in, tried again if it was dropped early."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(DroppedEarlyError),
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_random(0.2, 1.0),
            sleep=self._sleep,
            reraise=True,
        )
        transport: paramiko.Transport = retrying(
            connect, host, route.target, lambda: self.dial(host, route), self._unlocked
        )
        return transport

    def dial(self, host: str, route: Route) -> Stream:
        """Return a stream to the last SSH server of a route, which is not known yet."""
        *before, target = route.logins
        if not before:
            return ProxyCommand(target.proxy_command) if target.proxy_command else _dial(host, target)
        return _dig(host, self._jump(host, tuple(before)), before[-1], target)

    def close(self) -> None:
        """Close every jump host's connection."""
        for jump in self._jumps.values():
            jump.close()

    def _jump(self, host: str, logins: tuple[Login, ...]) -> paramiko.Transport:
        with self._lock:
            new = Shared(paramiko.Transport.is_active, paramiko.Transport.close)
            jump = self._jumps.setdefault(logins, new)
        return jump.get(host, partial(self._connect_jump, host, logins))

    def _connect_jump(self, host: str, logins: tuple[Login, ...]) -> paramiko.Transport:
        try:
            return self.connect(host, Route(logins))
        except (HostUnreachableError, LoginRefusedError) as error:
            kind = LoginRefusedError if isinstance(error, LoginRefusedError) else HostUnreachableError
            raise kind(error.host, f"jump host {logins[-1].name}: {error.reason}") from error


def _dial(host: str, login: Login) -> socket.socket:
    try:
        sock = socket.create_connection((login.host, login.port), timeout=DIAL_S)
    except TimeoutError as error:
        raise SilentError(host, f"{login.address}: no answer within {DIAL_S:g} s") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # paramiko does not: 48 ms a command, not 3
    return sock


def _dig(host: str, transport: paramiko.Transport, jump: Login, target: Login) -> Stream:
    """Have a jump host dial the next SSH server."""
    there = (target.host, target.port)
    try:
        return transport.open_channel("direct-tcpip", there, ("127.0.0.1", 0), timeout=DIAL_S)
    except paramiko.ChannelException as error:
        if error.code == PROHIBITED:
            raise LoginRefusedError(
                host,
                f"jump host {jump.where} may not dial {target.address}: sshd_config there has to hold "
                f"'AllowTcpForwarding yes' and no PermitOpen that leaves {target.address} out, and the key's "
                "line in authorized_keys no 'restrict' or 'no-port-forwarding'",
            ) from error
        raise HostUnreachableError(
            host, f"jump host {jump.where} cannot connect to {target.address}: {words(error)}"
        ) from error
    except Exception as error:  # whatever paramiko makes of a host's bytes
        if transport.is_active() and "timeout" in str(error).lower():
            raise SilentError(
                host, f"{target.address}: no answer within {DIAL_S:g} s, by way of {jump.where}"
            ) from error
        with distrusted(host, f"connection to jump host {jump.where} lost"):
            raise
