"""Jump hosts in words for OpenSSH's ssh, as inventories have them: ``-J a,b``, ``-o ProxyJump=a``, ``-W``."""

import getopt
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from orchestrator.plan import jumps
from orchestrator.plan.seeds import number
from orchestrator.text import shown

# ssh(1): options of one letter, a colon behind those that have a value
_OPTIONS = "46AaB:b:CcD:E:e:F:fGgI:i:J:KkL:l:Mm:NnO:o:P:p:Q:qR:S:sTtVvW:w:XxYy"
_KEYWORDS = {"-J": "proxyjump", "-l": "user", "-p": "port"}  # what ssh_config calls them
_KEYWORD = re.compile(r"\s*(?P<name>[A-Za-z0-9]*)(?:\s*=|\s|$)(?P<value>.*)", re.DOTALL)
_QUOTED = re.compile(r'"([^"]*)"')
_NO_FILES = {jumps.NONE, "/dev/null"}
_THROUGH = "%h:%p"
_INSTEAD = "take it out of a copy of the inventory, and name the jump host with --jump"


def jump_of(text: str) -> str | None:
    """Return the jump hosts that ssh would take with these words, in a plan's spelling.

    None if nothing is said of them: another place may. A ProxyCommand is understood if it is ssh itself with
    ``-W %h:%p``. ValueError for any other, for a template, and for words that ssh would not take.
    """
    said, others = _read(_words(text))
    if others:
        raise ValueError(_no_option(others[0]))
    if said.get("-F", jumps.NONE).lower() not in _NO_FILES:
        raise ValueError(
            f"{shown('-F ' + said['-F'])} says that a file has the way there: take it out of a copy of the "
            "inventory, and name the file with --ssh-config"
        )
    for name, value in said.items():
        if name == "proxyjump":
            return jumps.spelled(value)
        if name == "proxycommand":
            return jumps.NONE if _is_none(value) else _through(value)
    return None


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no words of a command line: {error}") from error


def _read(words: Sequence[str]) -> tuple[Mapping[str, str], Sequence[str]]:
    """Return options, in order, and the other words; as with ssh, the first value of an option counts."""
    try:
        given, others = getopt.gnu_getopt(list(words), _OPTIONS)
    except getopt.GetoptError as error:
        raise ValueError(f"{shown(shlex.join(words))} is no words for ssh: {error}") from error
    said: dict[str, str] = {}
    for letter, text in given:
        name, value = _setting(text) if letter == "-o" else (_KEYWORDS.get(letter, letter), text)
        said.setdefault(name, value)
    return said, others


def _setting(text: str) -> tuple[str, str]:
    """Return name and value of ``-o NAME=VALUE``."""
    found = _KEYWORD.fullmatch(text)
    if not found:
        raise ValueError(_no_option(text))
    value = found["value"].strip(" \t=")
    quoted = _QUOTED.fullmatch(value)
    return found["name"].lower(), quoted[1] if quoted else value


def _no_option(word: str) -> str:
    return f"{shown(word)} is no option of ssh (templates are not filled in): {_INSTEAD}"


def _is_none(value: str) -> bool:
    return value.lower() == jumps.NONE


def _through(command: str) -> str:
    """Return the jump host of a ProxyCommand; ValueError for one that is no plain ssh to one host."""
    program, *words = _words(command) or [""]
    said, hosts = _read(words) if PurePath(program).name == "ssh" else ({}, ())
    login, _, host = hosts[0].rpartition("@") if len(hosts) == 1 else ("", "", "")
    is_direct = all(_is_none(said.get(name, jumps.NONE)) for name in ("proxyjump", "proxycommand"))
    is_named = said.keys().isdisjoint({"-F", "hostname"}) and not (login and "user" in said)
    is_forwarding = said.get("-W", "").strip("[]").replace("]", "") == _THROUGH
    if host and is_forwarding and is_direct and is_named:
        port = number(said["port"]) if "port" in said else None
        jump = str(jumps.Jump(host, login or said.get("user"), port))
        if len(jumps.jumps(jump)) == 1:
            return jump
    raise ValueError(f"the ProxyCommand {shown(command)} is no 'ssh -W {_THROUGH} HOST': {_INSTEAD}")
