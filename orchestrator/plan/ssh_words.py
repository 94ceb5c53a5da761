"""Jump hosts in words for OpenSSH's ssh, as inventories have them: ``-J a,b``, ``-o ProxyJump=a``, ``-W``."""

import getopt
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from orchestrator.plan import jumps
from orchestrator.plan.seeds import number
from orchestrator.text import shown

# ssh(1): options of one letter, a colon behind those that have a value
_OPTIONS = "46AaB:b:CcD:E:e:F:fGgI:i:J:KkL:l:Mm:NnO:o:P:p:Q:qR:S:sTtVvW:w:XxYy"
_THROUGH = "%h:%p"


def jump_of(text: str) -> str | None:
    """Return the jump hosts that ssh would take with these words, in a plan's spelling; None for none.

    A ProxyCommand is understood if it is ssh itself with ``-W %h:%p``. ValueError for any other, and for
    words that ssh would not take.
    """
    for name, value in _options(_words(text)):
        if name == "proxyjump":
            return jumps.spelled(value)
        if name == "proxycommand":
            return None if value.lower() == "none" else jumps.spelled(_through(value))
    return None


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no words of a command line: {error}") from error


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield options as ssh_config names them; the first one that is given counts, as with ssh."""
    for name, value in _parsed(words)[0]:
        if name == "-J":
            yield "proxyjump", value
        if name == "-o":
            keyword, _, rest = value.strip().replace("=", " ", 1).partition(" ")
            yield keyword.lower(), rest.strip(" =").strip('"')


def _parsed(words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    try:
        return getopt.gnu_getopt(list(words), _OPTIONS)
    except getopt.GetoptError as error:
        raise ValueError(f"{shown(shlex.join(words))} is no words for ssh: {error}") from error


def _through(command: str) -> str:
    """Return the jump host of a ProxyCommand; ValueError for one that is no plain ssh."""
    program, *words = _words(command) or [""]
    given, hosts = _parsed(words) if PurePath(program).name == "ssh" else ([], [])
    named = dict(given)
    if named.get("-W", "").strip("[]").replace("]", "") != _THROUGH or len(hosts) != 1 or "-J" in named:
        raise ValueError(
            f"the ProxyCommand {shown(command)} is no 'ssh -W {_THROUGH} HOST': take it out of a copy of the "
            "inventory, and name the jump host with --jump"
        )
    login, _, host = hosts[0].rpartition("@")
    port = number(named["-p"]) if "-p" in named else None
    return str(jumps.Jump(host, login or named.get("-l"), port))
