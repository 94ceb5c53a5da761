"""The password for sudo: given once for all hosts, and sent to nobody but sudo itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.errors import LoginRefusedError
from orchestrator.host.operations import Secret
from orchestrator.remote.conversation import Conversation, PasswordRefusedError

HELP = "-K (--ask-become-pass) or --become-password-file FILE"


class SudoPassword:
    """Until one host has taken it, one host at a time is tried; one that is refused is not sent again.

    So a mistyped password counts as one failure, and locks no account on a directory server.
    """

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._lock = threading.Lock()
        self._is_right = False
        self._refused_by: dict[str, str] = {}

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Start sudo, and give it the password, in here; LoginRefusedError if that would be one try more."""
        self._refuse_again(host)
        if self._is_right:
            yield
            return
        with self._lock:
            self._refuse_again(host)
            yield

    def give(self, host: str, where: str, conversation: Conversation, prompt: str) -> None:
        """Answer sudo's own prompt; LoginRefusedError if sudo does not take the password."""
        try:
            conversation.prove(prompt, self._secret)
        except PasswordRefusedError as error:
            self._refused_by[host] = where
            raise LoginRefusedError(
                host, f"{where}: sudo did not take the password. It was tried once, and is not sent again"
            ) from error
        self._is_right = True

    def _refuse_again(self, host: str) -> None:
        refused = self._refused_by.get(host)
        if refused is None and not self._is_right:
            refused = next(iter(self._refused_by.values()), None)
        if refused is not None:
            raise LoginRefusedError(
                host,
                f"the password for sudo was not sent: {refused} did not take it. Give another one",
            )
