"""Running a command as root on a host, and if none does, what stands in its way there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.errors import LoginRefusedError
from orchestrator.plan.kinds import Become
from orchestrator.remote.conversation import Conversation, EndedError
from orchestrator.remote.logins import Login
from orchestrator.remote.sudo_password import HELP

_WHO = 'echo\necho "orchestrator-uid $(id -u) $1"; exit\n'
_WHO_S = 15.0  # some forced commands of cloud images wait for 10 s before they end
_NOT_FOUND = 127
_SHORTAGE = re.compile(r"\bfork\b|cannot allocate memory|resource temporarily unavailable", re.IGNORECASE)
_NO_LOGIN = re.compile(r"account is (?:currently )?not available", re.IGNORECASE)
_TOO_OLD = re.compile(r"password has expired|password change required", re.IGNORECASE)
_NO_TTY = re.compile(r"must have a tty", re.IGNORECASE)
_PASSWORD = re.compile(r"password is required", re.IGNORECASE)
# A login shell of any kind reads the command line; these words mean the same to sh, csh and fish. Whatever
# else a command needs goes over stdin.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./=-]+")
_NOT_ALLOWED = re.compile(
    r"password is required|is not (?:allowed|in the sudoers)|may not run sudo", re.IGNORECASE
)


# Printed once sudo runs our command, which only then is sent anything. Single quotes mean the same to sh, csh
# and fish. At a terminal the command reads from a pipe: no shell takes itself for interactive then, and tar
# reads no archive from a terminal. A terminal has no end: whoever reads it is ended with the command.
_SIGN = "'echo; echo orchestrator-root $0; exec \"$@\"'"
_SIGN_AT_TERMINAL = "'echo; echo orchestrator-root $0; cat | { \"$@\"; kill -HUP 0; }'"
_RAW = ("stty", "raw", "-echo", ";")
_ENGLISH = ("env", "LC_ALL=C")


class PasswordNeededError(LoginRefusedError):
    """Sudo asks for a password."""


class TerminalNeededError(LoginRefusedError):
    """Sudo works at a terminal only (requiretty)."""


@dataclass(frozen=True, slots=True)
class Sudo:
    """What sudo wants on a host: a password, a terminal, both or none; ``mark`` is new for each command."""

    mark: str = ""
    wants_password: bool = False
    wants_terminal: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether there is something to wait for before the command runs."""
        return self.wants_password or self.wants_terminal


def as_root(become: Become, argv: Sequence[str], sudo: Sudo = Sudo()) -> str:
    """Return the command line that runs a command as root.

    If sudo is asked for something, ``mark`` is its prompt, and ``orchestrator-root MARK`` the first line.
    """
    strange = [word for word in (*argv, sudo.mark or "-") if not _PLAIN_WORD.fullmatch(word)]
    if strange:
        raise AssertionError(f"not a word that means the same to every shell: {strange}")
    if become == "none":
        return " ".join(argv)
    if become == "doas":
        return " ".join((*_ENGLISH, "doas", "-n", "-u", "root", *argv))
    raw, sign = (_RAW, _SIGN_AT_TERMINAL) if sudo.wants_terminal else ((), _SIGN)
    asking = ("-k", "-S", "-p", sudo.mark) if sudo.wants_password else ("-n",)
    signed = ("sh", "-c", sign, sudo.mark) if sudo.is_asked else ()
    return " ".join((*raw, *_ENGLISH, "sudo", *asking, "-u", "root", "--", *signed, *argv))


def check_root(host: str, login: Login, conversation: Conversation, mark: str) -> None:
    """Have a shell, started with ``mark`` as its argument, say who it is; LoginRefusedError if not root."""
    conversation.say(_WHO.encode())
    conversation.end_input()
    try:
        words = conversation.line(_WHO_S).split(" ")
    except EndedError as end:
        if end.exit_status is None or _SHORTAGE.search(end.said):
            raise
        raise obstacle(host, login, end) from end
    if words[0] != "orchestrator-uid" or len(words) != 3:
        raise ValueError("it did not report our user there")
    if words[2] != mark:
        raise LoginRefusedError(host, f"{login.where}: {_SOMETHING_ELSE}")
    if words[1] == "0":
        return
    fix = "log in as root" if login.become == "sudo" else "set become: sudo, or log in as root"
    raise LoginRefusedError(host, f"{login.where} is not root there: {fix}")


_SOMETHING_ELSE = (
    "something else ran instead of our command: a start file of the login shell (.bashrc, .cshrc, "
    "config.fish) that ends the shell or puts another program in its place, or a forced command (command= in "
    "authorized_keys, ForceCommand in sshd_config). Let the start file do that for terminals only, which in "
    ".bashrc is its first line '[ -t 1 ] || return', or log in as another user"
)


def obstacle(host: str, login: Login, end: EndedError) -> LoginRefusedError:
    """Say what stands in the way, by what the command that did not run said when it ended."""
    if login.become == "sudo" and "sudo" in end.said and end.exit_status != _NOT_FOUND:
        if _NO_TTY.search(end.said):
            return TerminalNeededError(host, _sudo(login, end))
        if _PASSWORD.search(end.said):
            return PasswordNeededError(host, _sudo(login, end))
    return LoginRefusedError(host, _obstacle(login, end))


def _obstacle(login: Login, end: EndedError) -> str:
    """Say what stands in the way, by what the command that did not run said when it ended."""
    ended = f"exit status {end.exit_status}" + (f", {end.said}" if end.said else "")
    if _NO_LOGIN.search(end.said):
        return (
            f"{login.where} has a login shell that refuses logins ({end.said}). "
            f"Give it another one, on the host: usermod -s /bin/sh {login.user}; or log in as another user"
        )
    if _TOO_OLD.search(end.said):
        return (
            f"{login.where} has to change its password first ({end.said}). "
            f"Let the old one hold, on the host: chage -d $(date +%F) {login.user}; or log in as another user"
        )
    if login.become == "sudo" and "sudo" in end.said:
        return _sudo(login, end)
    if login.become == "doas" and "doas" in end.said:
        return _doas(login, end)
    if not end.said and end.exit_status == 1:
        return (
            f"{login.where} runs no command ({ended}), as with /bin/false for a login shell. "
            f"See which it is, on the host: getent passwd {login.user}; to give it another one: "
            f"usermod -s /bin/sh {login.user}"
        )
    return f"{login.where} did not run our command ({ended}): {_SOMETHING_ELSE}"


def _sudo(login: Login, end: EndedError) -> str:
    file = "/etc/sudoers.d/" + re.sub(r"[^A-Za-z0-9_-]", "_", login.user)  # sudo passes over names with a dot
    user = login.user if re.fullmatch(r"[A-Za-z0-9_.-]+", login.user) else f'"{login.user}"'
    refused = f"sudo refused {login.user}: {end.said}"
    if end.exit_status == _NOT_FOUND:
        return f"{login.where} has no sudo ({end.said}): install it on the host, or log in as root"
    if _NO_TTY.search(end.said):
        line, fix = f"Defaults:{user} !requiretty", "Let it work without a terminal"
    elif "syntax error" in end.said:
        return f"{refused}. Put that file right on the host: visudo -c shows what is wrong with it"
    elif _NOT_ALLOWED.search(end.said):
        line, fix = f"{user} ALL=(root) NOPASSWD: ALL", "Allow it without a password"
    else:
        return f"{refused}. Try it on the host as {login.user}: sudo -n sh -c 'id -u' has to print 0"
    give = f"Give it with {HELP}. Or: " if _PASSWORD.search(end.said) else ""
    return f"{refused}. {give}{fix}: put the line '{line}' into {file} on the host, with visudo -f {file}"


def _doas(login: Login, end: EndedError) -> str:
    if end.exit_status == _NOT_FOUND:
        return f"{login.where} has no doas ({end.said}): install it on the host, or log in as root"
    return (
        f"doas refused {login.user}: {end.said}. A password cannot be given to doas, which takes it at a "
        f"terminal only. Allow it without one: put 'permit nopass {login.user} as root' at the end of "
        "/etc/doas.conf on the host"
    )
