"""One host's SSH connection: opened when it is needed, replaced when it is broken."""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from math import inf
from typing import TypeVar

import paramiko

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.questions import Answer, HttpProbe
from orchestrator.plan.model import Ssh
from orchestrator.remote.becoming_root import (
    PasswordNeededError,
    Sudo,
    TerminalNeededError,
    as_root,
    check_root,
    obstacle,
)
from orchestrator.remote.conversation import Conversation, EndedError
from orchestrator.remote.heartbeat import DeadPeerError
from orchestrator.remote.http_probe import probe
from orchestrator.remote.job import SettledError
from orchestrator.remote.login import LOGGED
from orchestrator.remote.logins import Login
from orchestrator.remote.route import route
from orchestrator.remote.sudo_password import SudoPassword
from orchestrator.remote.tunnels import dial
from orchestrator.remote.untrusted import ANYTHING, READING, SilentError, distrusted
from orchestrator.remote.ways import Ways

T = TypeVar("T")

_OPEN_S = 5.0  # for a channel and its command; a host that is alive needs milliseconds


class Connection:
    """A connection that any number of threads may use at once."""

    def __init__(
        self,
        host: str,
        ssh: Ssh,
        ways: Ways,
        password: SudoPassword | None,
        times: tuple[Callable[[], float], Callable[[float], None]],
    ) -> None:
        self.host = host
        self._ssh = ssh
        self._ways = ways
        self._password = password
        self._clock, self._sleep = times
        self._lock = threading.RLock()  # a connection that fails while it is opened is dropped
        self._transport: paramiko.Transport | None = None
        self._login: Login
        self._sudo = Sudo()  # what it wants there, as far as it is known
        self._is_closed = False

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer; ask twice if the connection was an old one, which may have died long ago."""
        was_open = self._transport is not None
        try:
            return question()
        except HostUnreachableError as error:
            if not was_open or isinstance(error, SettledError | SilentError):
                raise
            return question()

    @contextmanager
    def talk(self, *argv: str, until: float = inf) -> Iterator[Conversation]:
        """Run a command as root and talk to it, until then at most; garbage is HostUnreachableError."""
        transport = self._open()
        with self._talk(transport, argv, until) as conversation:
            yield conversation

    def probe(self, question: HttpProbe) -> Answer:
        """Ask a listener through a tunnel over this connection."""
        transport = self._open()
        answer = probe(question, partial(dial, transport, question.timeout_s), self._clock)
        if answer.exit_status != 0:  # a tunnel closes too when the connection dies: does it live?
            self._check_root(transport)
        return answer

    def close(self) -> None:
        """Close the connection for good; whoever still waits for an answer gets an error."""
        self._is_closed = True
        transport = self._transport
        if transport is not None:
            transport.close()

    def _open(self) -> paramiko.Transport:
        with self._lock:
            if self._is_closed:
                raise HostUnreachableError(self.host, "the connection was closed by us")
            if self._transport is None or not self._transport.is_active():
                self._transport = self._connect()
            return self._transport

    def _drop(self, transport: paramiko.Transport) -> None:
        transport.close()
        with self._lock:
            if self._transport is transport:
                self._transport = None

    def _connect(self) -> paramiko.Transport:
        way = route(self.host, self._ssh)
        self._login = way.target
        transport = self._ways.connect(self.host, way)
        try:
            self._check_root(transport)
        except HostUnreachableError as error:
            transport.close()
            is_closed = isinstance(error.__cause__, EOFError | OSError) and not isinstance(error, SilentError)
            if not is_closed:
                raise
            raise HostUnreachableError(self.host, f"{error.reason} just after the login; {LOGGED}") from error
        except BaseException:
            transport.close()
            raise
        return transport

    def _check_root(self, transport: paramiko.Transport) -> None:
        while True:  # three times at most: sudo may want a terminal, and a password too
            mark = secrets.token_hex(8)  # printed by our command only, not by whatever else may run instead
            try:
                with self._talk(transport, ("sh", "-s", "--", mark)) as conversation:
                    check_root(self.host, self._login, conversation, mark)
            except TerminalNeededError:
                if self._sudo.wants_terminal:
                    raise
                self._sudo = replace(self._sudo, wants_terminal=True)
            except PasswordNeededError:
                if self._sudo.wants_password or self._password is None:
                    raise
                self._sudo = replace(self._sudo, wants_password=True)
            else:
                return

    @contextmanager
    def _talk(
        self, transport: paramiko.Transport, argv: Sequence[str], until: float = inf
    ) -> Iterator[Conversation]:
        sudo = replace(self._sudo, mark=f"orchestrator-{secrets.token_hex(8)}-")
        try:
            with ExitStack() as stack:
                with self._turn(sudo):
                    channel = stack.enter_context(_closing(self._begin(transport, argv, sudo)))
                    stack.enter_context(self._distrusted(READING))
                    conversation = Conversation(channel, self._clock, until)
                    if sudo.is_asked:
                        self._prove(conversation, sudo)
                yield conversation
        except HostUnreachableError as error:
            lost = transport.get_exception()
            self._drop(transport)
            if isinstance(lost, DeadPeerError):
                raise HostUnreachableError(self.host, f"connection lost: {lost}") from error
            raise

    def _turn(self, sudo: Sudo) -> AbstractContextManager[None]:
        if sudo.wants_password and self._password is not None:
            return self._password.turn(self.host)
        return nullcontext()

    def _prove(self, conversation: Conversation, sudo: Sudo) -> None:
        try:
            if sudo.wants_password and self._password is not None:
                self._password.give(self.host, self._login.where, conversation, sudo.mark)
            else:
                conversation.prove(sudo.mark, None)
        except EndedError as end:
            if end.exit_status is None:
                raise
            raise obstacle(self.host, self._login, end) from end

    def _begin(self, transport: paramiko.Transport, argv: Sequence[str], sudo: Sudo) -> paramiko.Channel:
        command = as_root(self._login.become, argv, sudo)
        channel = self._channel(transport)
        watchdog = threading.Timer(_OPEN_S, transport.close)  # exec_command waits for ever by itself
        watchdog.start()
        try:
            with self._distrusted():
                if sudo.wants_terminal:
                    channel.get_pty("dumb")
                channel.exec_command(command)
        finally:
            watchdog.cancel()
        return channel

    def _channel(self, transport: paramiko.Transport) -> paramiko.Channel:
        deadline = self._clock() + _OPEN_S
        while True:
            try:
                with self._distrusted():
                    return transport.open_session(timeout=_OPEN_S)
            except HostUnreachableError as error:
                cause = error.__cause__
                if not isinstance(cause, paramiko.ChannelException):
                    raise
                if self._clock() >= deadline:
                    raise LoginRefusedError(self.host, _no_session(self._login)) from error
            self._sleep(0.2)  # a session that we closed ends there a little later

    def _distrusted(self, raised: tuple[type[Exception], ...] = ANYTHING) -> AbstractContextManager[None]:
        return distrusted(self.host, "connection lost", raised)


@contextmanager
def _closing(channel: paramiko.Channel) -> Iterator[paramiko.Channel]:
    """Close a channel at the end; what was said over it holds, whether or not that still reaches the host."""
    try:
        yield channel
    finally:
        with suppress(*READING):
            channel.close()


def _no_session(login: Login) -> str:
    return (
        f"{login.where} took the login and opens no session, or not one more. "
        "Let sshd take several on one connection: set MaxSessions to 10 on the host, where "
        "grep -rn MaxSessions /etc/ssh/sshd_config /etc/ssh/sshd_config.d finds it, then: "
        "systemctl reload ssh (or sshd)"
    )
