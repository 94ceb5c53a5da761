"""Encrypted identity files: each is unlocked once, for all hosts, before anybody logs in."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import paramiko

from orchestrator.errors import LoginRefusedError
from orchestrator.host.operations import Secret
from orchestrator.remote.agent import held_keys
from orchestrator.remote.identities import EncryptedError, UnusableError, public_blob, read_key
from orchestrator.remote.logins import Login

Ask = Callable[[str], Secret | None]
"""Asks the person at the terminal for a secret; None if there is no terminal, or nothing was given."""
_TRIES = 3


def ask_nobody(_question: str) -> Secret | None:
    """Nobody is there to be asked."""
    return None


class Unlocked:
    """Keys whose passphrase was given."""

    def __init__(self) -> None:
        self._keys: dict[Path, paramiko.PKey] = {}

    def key(self, path: Path) -> paramiko.PKey | None:
        """Return the key of an identity file, if it was unlocked."""
        return self._keys.get(path)

    def unlock(self, logins: Iterable[Login], ask: Ask) -> None:
        """Ask for the passphrase of each key that is needed and that no agent holds.

        A key that nobody has named is needed only where there is no agent.
        """
        asked: set[Path] = set(self._keys)
        for login in logins:
            wanted = [path for path in login.identity_files if path not in asked]
            for path in wanted if login.are_named or not login.agent else ():
                asked.add(path)
                if _is_encrypted(path) and public_blob(path) not in _held(login.agent):
                    self._ask(path, ask)

    def _ask(self, path: Path, ask: Ask) -> None:
        for _ in range(_TRIES):
            passphrase = ask(f"Passphrase for {path}")
            if passphrase is None:
                return
            with suppress(UnusableError):
                self._keys[path] = read_key(path, passphrase.reveal())
                return


def _is_encrypted(path: Path) -> bool:
    try:
        read_key(path)
    except EncryptedError:
        return True
    except UnusableError:
        pass
    return False


def _held(agent: str) -> set[bytes]:
    if not agent:
        return set()
    try:
        with held_keys("", agent) as keys:
            return {key.asbytes() for key in keys}
    except LoginRefusedError:
        return set()
