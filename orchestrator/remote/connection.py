"""One host's SSH connection: opened when it is needed, replaced when it is broken."""

import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TypeVar

import paramiko
import tenacity

from orchestrator.cluster.model import Ssh
from orchestrator.errors import HostUnreachableError
from orchestrator.operations import Answer, Knock
from orchestrator.remote.conversation import Conversation
from orchestrator.remote.knock import ChannelRefusedError, knock
from orchestrator.remote.receipt import SettledError
from orchestrator.remote.trust import WHO, DroppedEarlyError, check_root, connect

T = TypeVar("T")

_OPEN_S = 5.0  # for a channel and its command; a host that is alive needs milliseconds
_CONNECT_FAILED = 2  # RFC 4254, 5.1: sshd was allowed to dial, and nobody took the call


class SilentError(HostUnreachableError):
    """The host did not answer in time: asking twice would take twice as long."""


class Connection:
    """A connection that any number of threads may use at once."""

    def __init__(
        self, host: str, ssh: Ssh, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self.host = host
        self._ssh = ssh
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.RLock()  # a connection that fails while it is opened is dropped
        self._transport: paramiko.Transport | None = None
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
    def talk(self, *argv: str) -> Iterator[Conversation]:
        """Run a command as root and talk to it."""
        transport = self._open()
        with self._talk(transport, argv) as conversation:
            yield conversation

    def knock(self, question: Knock) -> Answer:
        """Ask a listener through a tunnel over this connection."""
        transport = self._open()
        answer = knock(question, partial(_dial, transport, question.timeout_s))
        if answer.exit_status != 0:  # a tunnel closes too when the connection dies: does it live?
            with self._talk(transport, ("sh", "-c", WHO)) as conversation:
                conversation.line()
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
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(DroppedEarlyError),
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_random(0.2, 1.0),
            sleep=self._sleep,
            reraise=True,
        )
        transport = retrying(connect, self.host, self._ssh)
        try:
            with self._talk(transport, ("sh", "-c", WHO)) as conversation:
                check_root(self.host, self._ssh, conversation)
        except BaseException:
            transport.close()
            raise
        return transport

    @contextmanager
    def _talk(self, transport: paramiko.Transport, argv: Sequence[str]) -> Iterator[Conversation]:
        become = ("sudo", "-n", "--") if self._ssh.become == "sudo" else ()
        watchdog = threading.Timer(_OPEN_S, transport.close)  # exec_command waits for ever by itself
        try:
            with closing(transport.open_session(timeout=_OPEN_S)) as channel:
                watchdog.start()
                channel.exec_command(shlex.join((*become, *argv)))
                watchdog.cancel()
                yield Conversation(channel, self._clock)
        except TimeoutError as error:
            self._drop(transport)
            raise SilentError(self.host, str(error)) from error
        except (EOFError, OSError, paramiko.SSHException) as error:
            self._drop(transport)
            raise HostUnreachableError(self.host, f"connection lost: {error}") from error
        finally:
            watchdog.cancel()


def _dial(transport: paramiko.Transport, timeout_s: float, host: str, port: int) -> paramiko.Channel:
    try:
        return transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout_s)
    except paramiko.ChannelException as error:
        is_refused = error.code == _CONNECT_FAILED  # paramiko drops sshd's own words, so the code has to do
        raise (ChannelRefusedError if is_refused else OSError)(f"{host}:{port}: {error.text}") from error
    except (EOFError, paramiko.SSHException) as error:
        raise OSError(str(error) or "the connection is gone") from error
