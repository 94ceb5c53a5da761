"""Whether a command of ours runs as root on a host, and if none does, what stands in its way there."""

import re

from orchestrator.errors import LoginRefusedError
from orchestrator.remote.conversation import Conversation, EndedError
from orchestrator.remote.logins import Login

_WHO = 'echo\necho "orchestrator-uid $(id -u) $1"; exit\n'
_WHO_S = 15.0  # some forced commands of cloud images wait for 10 s before they end
_NOT_FOUND = 127
_SHORTAGE = re.compile(r"\bfork\b|cannot allocate memory|resource temporarily unavailable", re.IGNORECASE)
_NO_LOGIN = re.compile(r"account is (?:currently )?not available", re.IGNORECASE)
_TOO_OLD = re.compile(r"password has expired|password change required", re.IGNORECASE)
_NO_TTY = re.compile(r"must have a tty", re.IGNORECASE)
_NOT_ALLOWED = re.compile(
    r"password is required|is not (?:allowed|in the sudoers)|may not run sudo", re.IGNORECASE
)


def check_root(host: str, login: Login, conversation: Conversation, mark: str) -> None:
    """Have a shell, started with ``mark`` as its argument, say who it is; LoginRefusedError if not root."""
    conversation.say(_WHO.encode())
    conversation.end_input()
    try:
        words = conversation.line(_WHO_S).split(" ")
    except EndedError as end:
        if end.exit_status is None or _SHORTAGE.search(end.said):
            raise
        raise LoginRefusedError(host, _obstacle(login, end)) from end
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
    return f"{refused}. {fix}: put the line '{line}' into {file} on the host, with visudo -f {file}"
