"""Commands that run as root over one SSH connection, whatever sudo wants there."""

import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from math import inf

import paramiko

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.questions import Answers, Script
from orchestrator.remote.becoming_root import (
    PasswordNeededError,
    Sudo,
    TerminalNeededError,
    as_root,
    check_root,
    obstacle,
)
from orchestrator.remote.conversation import Conversation, EndedError, converse, prepare
from orchestrator.remote.heartbeat import DeadPeerError
from orchestrator.remote.logins import Login
from orchestrator.remote.sudo_password import SudoPassword
from orchestrator.remote.untrusted import ANYTHING, READING, distrusted

_OPEN_S = 5.0  # for a channel and its command; a host that is alive needs milliseconds
_ROOM_S = 10.0  # for a session of ours to end, where a host allows for one at a time


@dataclass(frozen=True, slots=True)
class _Shell:
    """A shell that looks are asked of; ``ending`` closes it."""

    conversation: Conversation
    ending: ExitStack


class RootChannels:
    """The channels of one connection; any number of threads may use it at once.

    What goes wrong with one of them ends the connection. ``sudo`` is what sudo wants on that host, as far as
    it is known.
    """

    def __init__(
        self,
        host: str,
        login: Login,
        transport: paramiko.Transport,
        sudo: Sudo,
        password: SudoPassword | None,
        times: tuple[Callable[[], float], Callable[[float], None]],
    ) -> None:
        self.transport = transport
        self.sudo = sudo
        self._login = login
        self._host = host
        self._password = password
        self._clock, self._sleep = times
        self._shells: deque[_Shell] = deque()  # those that no look uses

    def check(self) -> None:
        """Raise LoginRefusedError if commands do not run as root, and find out what sudo wants for that."""
        while True:  # three times at most: sudo may want a terminal, and a password too
            mark = secrets.token_hex(8)  # printed by our command only, not by whatever else may run instead
            try:
                with self.talk("sh", "-s", "--", mark) as conversation:
                    check_root(self._host, self._login, conversation, mark)
            except TerminalNeededError:
                if self.sudo.wants_terminal:
                    raise
                self.sudo = replace(self.sudo, wants_terminal=True)
            except PasswordNeededError:
                if self.sudo.wants_password or self._password is None:
                    raise
                self.sudo = replace(self.sudo, wants_password=True)
            else:
                return

    def close(self) -> None:
        """Close the connection, and all that it holds here."""
        self.transport.close()
        self._end_idle_shells()

    @contextmanager
    def talk(self, *argv: str, until: float = inf) -> Iterator[Conversation]:
        """Run a command and talk to it, until then at most; garbage is HostUnreachableError."""
        with self._heard(), self._begun(argv, until) as conversation:
            yield conversation

    def look(self, scripts: Sequence[Script]) -> Answers:
        """Ask every question in a shell that stays open for the next look."""
        with self._heard():
            shell = self._idle_shell() or self._new_shell()
            with ExitStack() as failed:
                failed.push(shell.ending)
                answers = converse(shell.conversation, scripts)
                failed.pop_all()
        self._shells.append(shell)
        if not self.transport.is_active():
            self._end_idle_shells()
        return answers

    def _idle_shell(self) -> _Shell | None:
        while True:
            try:
                shell = self._shells.pop()
            except IndexError:
                return None
            if not shell.conversation.is_over:
                return shell
            shell.ending.close()

    def _end_idle_shells(self) -> None:
        while shell := self._idle_shell():
            shell.ending.close()

    def _new_shell(self) -> _Shell:
        with ExitStack() as ending:
            conversation = ending.enter_context(self._begun(("sh", "-s"), inf))
            prepare(conversation)
            return _Shell(conversation, ending.pop_all())

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            with self._distrusted(READING):
                yield
        except HostUnreachableError as error:
            lost = self.transport.get_exception()
            self.close()
            if isinstance(lost, DeadPeerError):
                raise HostUnreachableError(self._host, f"connection lost: {lost}") from error
            raise

    @contextmanager
    def _begun(self, argv: Sequence[str], until: float) -> Iterator[Conversation]:
        sudo = replace(self.sudo, mark=f"orchestrator-{secrets.token_hex(8)}-")
        with ExitStack() as stack:
            with self._turn(sudo):
                channel = stack.enter_context(_closing(self._begin(argv, sudo)))
                conversation = Conversation(channel, self._clock, until)
                if sudo.is_asked:
                    self._prove(conversation, sudo)
            yield conversation

    def _turn(self, sudo: Sudo) -> AbstractContextManager[None]:
        if sudo.wants_password and self._password is not None:
            return self._password.turn(self._host)
        return nullcontext()

    def _prove(self, conversation: Conversation, sudo: Sudo) -> None:
        try:
            if sudo.wants_password and self._password is not None:
                self._password.give(self._host, self._login.where, conversation, sudo.mark)
            else:
                conversation.prove(sudo.mark, None)
        except EndedError as end:
            if end.exit_status is None:
                raise
            raise obstacle(self._host, self._login, end) from end

    def _begin(self, argv: Sequence[str], sudo: Sudo) -> paramiko.Channel:
        command = as_root(self._login.become, argv, sudo)
        channel = self._channel()
        watchdog = threading.Timer(_OPEN_S, self.transport.close)  # exec_command waits for ever by itself
        watchdog.start()
        try:
            with self._distrusted():
                if sudo.wants_terminal:
                    channel.get_pty("dumb")
                channel.exec_command(command)
        finally:
            watchdog.cancel()
        return channel

    def _channel(self) -> paramiko.Channel:
        deadline = self._clock() + _ROOM_S
        while True:
            try:
                with self._distrusted():
                    return self.transport.open_session(timeout=_OPEN_S)
            except HostUnreachableError as error:
                cause = error.__cause__
                if not isinstance(cause, paramiko.ChannelException):
                    raise
                if self._clock() >= deadline:
                    raise LoginRefusedError(self._host, _no_session(self._login)) from error
            self._end_idle_shells()  # a host may allow for one session at a time
            self._sleep(0.2)  # one that we closed ends there a little later

    def _distrusted(self, raised: tuple[type[Exception], ...] = ANYTHING) -> AbstractContextManager[None]:
        return distrusted(self._host, "connection lost", raised)


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
