"""The options with which a command gets in, and what a person types for them."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator import commandline
from orchestrator.cli.prompts import secret
from orchestrator.errors import UsageError
from orchestrator.text import shown

if TYPE_CHECKING:
    from orchestrator.session import Secrets

AskPass = Annotated[bool, typer.Option("--ask-become-pass", "-K", help="Ask for sudo's password, once.")]
PassFile = Annotated[
    Path | None,
    typer.Option(
        "--become-password-file", metavar="FILE", help="Read sudo's password from FILE.", show_default=False
    ),
]
_MAX_BYTES = 1024
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Login:
    """How a command line says what sudo's password is."""

    ask_become_pass: bool = False
    become_password_file: Path | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The same as it is typed."""
        if self.become_password_file is not None:
            return ("--become-password-file", commandline.argument(self.become_password_file))
        return ("--ask-become-pass",) if self.ask_become_pass else ()


NOTHING_GIVEN = Login()


def secrets_of(login: Login) -> "Secrets":
    """Ask the person, or read the file; UsageError if that cannot be."""
    from orchestrator.host.operations import Secret  # noqa: PLC0415 -- the command line is quick
    from orchestrator.session import Secrets  # noqa: PLC0415 -- it is heavy

    def ask(question: str) -> Secret | None:
        given = secret(question)
        return Secret(given) if given else None

    file = login.become_password_file
    if login.ask_become_pass and file is not None:
        raise UsageError("--ask-become-pass and --become-password-file: give one of them")
    if file is not None:
        return Secrets(ask, Secret(_read(file)), login.options)
    if login.ask_become_pass:
        password = ask("Password for sudo")
        if password is None:
            raise UsageError(
                "no password for sudo was given: -K asks at a terminal; without one, use "
                "--become-password-file FILE"
            )
        return Secrets(ask, password, login.options)
    return Secrets(ask)


def _read(file: Path) -> str:
    """Return the file's one line; a pipe is as good, such as ``<(pass show sudo)``."""
    name = shown(str(file), quote="", limit=4096)
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            content = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--become-password-file {name}: {error.strerror}") from error
    if stat.S_ISREG(status.st_mode) and status.st_mode & _OTHERS:
        raise UsageError(
            f"--become-password-file {name} can be read by others (mode {stat.S_IMODE(status.st_mode):o}): "
            f"chmod 600 {commandline.quoted(str(file))}"
        )
    try:
        password = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(f"--become-password-file {name} is not UTF-8 text") from error
    if not password or len(content) > _MAX_BYTES or "\n" in password or "\0" in password:
        raise UsageError(f"--become-password-file {name} has to hold one line: the password")
    return password
