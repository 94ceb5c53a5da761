"""One host's SSH connection: opened when it is needed, replaced when it is broken."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from math import inf
from typing import TypeVar

from orchestrator.errors import HostUnreachableError
from orchestrator.host.questions import Answer, Answers, Download, HttpProbe, Script
from orchestrator.plan.model import Ssh
from orchestrator.remote.becoming_root import Sudo
from orchestrator.remote.conversation import Conversation
from orchestrator.remote.downloading import download
from orchestrator.remote.http_probe import probe
from orchestrator.remote.job import SettledError
from orchestrator.remote.login import LOGGED
from orchestrator.remote.root_channels import RootChannels
from orchestrator.remote.route import route
from orchestrator.remote.script import joined
from orchestrator.remote.shared import Shared
from orchestrator.remote.sudo_password import SudoPassword
from orchestrator.remote.tunnels import dial
from orchestrator.remote.untrusted import SilentError
from orchestrator.remote.ways import Ways

T = TypeVar("T")


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
        self._times = times
        self._shared = Shared[RootChannels](
            lambda channels: channels.transport.is_active(), RootChannels.close
        )
        self._sudo = Sudo()  # what it wants there, as far as it is known

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer; ask twice if the connection was an old one, which may have died long ago."""
        was_open = self._shared.is_open
        try:
            return question()
        except HostUnreachableError as error:
            if not was_open or isinstance(error, SettledError | SilentError):
                raise
            return question()

    def talk(self, *argv: str, until: float = inf) -> AbstractContextManager[Conversation]:
        """Run a command as root and talk to it, until then at most; garbage is HostUnreachableError."""
        return self._open().talk(*argv, until=until)

    def look(self, scripts: Sequence[Script]) -> Answers:
        """Ask every question in a shell that runs as root; what was joined in vain, one by one."""
        channels, asked = self._open(), joined(scripts)
        found = channels.look(tuple(dict.fromkeys(asked.values())))
        spoiled = [script for script, one in asked.items() if found[one].exit_status and script != one]
        alone = channels.look(spoiled) if spoiled else {}
        return {script: alone.get(script) or found[asked[script]] for script in scripts}

    def download(self, question: Download) -> Answer:
        """Have a script's output written to a file here."""
        with self.talk("sh", "-s") as conversation:
            return download(conversation, question)

    def probe(self, question: HttpProbe) -> Answer:
        """Ask a listener through a tunnel over this connection."""
        channels = self._open()
        tunnel = partial(dial, channels.transport, question.timeout_s)
        answer = probe(question, tunnel, self._times[0])
        if answer.exit_status != 0:  # a tunnel closes too when the connection dies: does it live?
            channels.check()
        return answer

    def close(self) -> None:
        """Close the connection for good; whoever still waits for an answer gets an error."""
        self._shared.close()

    def _open(self) -> RootChannels:
        return self._shared.get(self.host, self._connect)

    def _connect(self) -> RootChannels:
        way = route(self.host, self._ssh)
        transport = self._ways.connect(self.host, way)
        channels = RootChannels(self.host, way.target, transport, self._sudo, self._password, self._times)
        try:
            channels.check()
        except HostUnreachableError as error:
            transport.close()
            is_closed = isinstance(error.__cause__, EOFError | OSError) and not isinstance(error, SilentError)
            if not is_closed:
                raise
            raise HostUnreachableError(self.host, f"{error.reason} just after the login; {LOGGED}") from error
        except BaseException:
            transport.close()
            raise
        self._sudo = channels.sudo
        return channels
