"""What OpenSSH's configuration says of a host, asked of ``ssh -G``: it knows Include, Match and aliases."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import paramiko

from orchestrator.errors import LoginRefusedError
from orchestrator.remote.untrusted import tail, words

Settings = Mapping[str, Sequence[str]]
"""Values by option, in lower case; those that may stand more than once are several."""

OWN, SYSTEM = "~/.ssh/config", "/etc/ssh/ssh_config"
NOTHING: Settings = {}
_PROGRAM = "ssh"
_ASK_S = 10.0  # a 'Match exec' runs a program of the operator's
_ONLY_SSH_KNOWS = ("include", "match")
_NOBODY = "orchestrator-nobody"


def ask(host: str, name: str, config: Path | None, user: str | None = None) -> Settings:
    """Return the settings for ``name``, as ``ssh name`` has them; ``user`` is one who is known already.

    ``user`` is in them only if somebody has written it down: OpenSSH's own default says nothing.
    LoginRefusedError, naming ``host``, if the configuration cannot be read.
    """
    chosen = ("-F", str(config)) if config else ()
    login = ("-l", user) if user else ()
    try:
        found = _asked(host, name, config, (*chosen, *login))
        if user is None and found.get("user") == [local_user()]:
            found["user"] = [_written_user(host, name, config)]
    except FileNotFoundError:
        return _without_ssh(host, name, config)
    if found.get("user") == [_NOBODY]:
        del found["user"]
    return found


def _written_user(host: str, name: str, config: Path | None) -> str:
    """Return the user that the configuration names: ours is the last line, and counts if no other does."""
    files = [str(config)] if config else [OWN, SYSTEM]
    with tempfile.NamedTemporaryFile("w", prefix="ssh-config-") as file:
        file.writelines(f'Include "{path}"\n' for path in files)
        file.write(f"Host *\nUser {_NOBODY}\n")
        file.flush()
        return _asked(host, name, config, ("-F", file.name))["user"][0]


def _asked(host: str, name: str, config: Path | None, options: Sequence[str]) -> dict[str, list[str]]:
    command = (_PROGRAM, "-G", "-T", *options, "--", name)
    where = f"OpenSSH's configuration ({config or f'{OWN}, {SYSTEM}'}) cannot be read"
    try:
        printed = subprocess.check_output(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=_ASK_S
        )
    except FileNotFoundError:
        raise
    except subprocess.TimeoutExpired as error:
        raise LoginRefusedError(
            host, f"{where}: {_PROGRAM} -G {name} takes longer than {_ASK_S:g} s; does a 'Match exec' hang?"
        ) from error
    except subprocess.CalledProcessError as error:
        said = tail(error.stderr.decode(errors="replace")) or f"exit status {error.returncode}"
        raise LoginRefusedError(
            host, f"{where}: {said}. Correct it, or write 'ssh: {{config: none}}' in the plan to read none"
        ) from error
    except (OSError, ValueError) as error:
        raise LoginRefusedError(host, f"{where}: {words(error)}") from error
    return _parsed(printed.decode(errors="replace"))


def _parsed(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        option, _, value = line.partition(" ")
        found.setdefault(option.lower(), []).append(value.strip())
    return found


def local_user() -> str:
    """Return who we are here; nothing for a user without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def _without_ssh(host: str, name: str, config: Path | None) -> Settings:
    """Read the file ourselves, if it holds nothing that only OpenSSH can tell the meaning of."""
    path = config or Path(OWN).expanduser()
    if config is None and not path.exists():
        return NOTHING
    try:
        text = path.read_text(errors="replace")
        beyond = _beyond_us(text)
        read: Mapping[str, str | list[str]] = (
            {} if beyond else dict(paramiko.SSHConfig.from_text(text).lookup(name))
        )
    except Exception as error:  # whatever a file's text raises in paramiko
        raise LoginRefusedError(host, f"{path} cannot be read: {words(error)}") from error
    if beyond:
        raise LoginRefusedError(
            host,
            f"{path} holds '{beyond}', which only OpenSSH's own program can follow, and there is no "
            f"'{_PROGRAM}' here: install openssh-client, or write 'ssh: {{config: none}}' in the plan",
        )
    return {option: value if isinstance(value, list) else [str(value)] for option, value in read.items()}


def _beyond_us(text: str) -> str:
    """Return the first option whose meaning only OpenSSH can tell, or nothing."""
    first = (fields[0] for line in text.splitlines() if (fields := line.replace("=", " ").split()))
    return next((option for option in first if option.lower() in _ONLY_SSH_KNOWS), "")
