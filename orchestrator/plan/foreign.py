"""What a value from a host, or from a file that anybody may edit, must look like before it is used."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from orchestrator.host.operations import Edit
from orchestrator.text import one_line, shown

Read = TypeVar("Read", bound=BaseModel)

_URL = re.compile(
    r"(?:https?|unixs?)://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._-]+)?\])(?::\d{1,5})?/?"
)
_ID = re.compile(r"[0-9a-f]{1,16}")
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}[A-Za-z0-9.+-]{0,40}")
_NUMBER = re.compile(r"[0-9]{1,20}")  # 64 bits; int() takes signs, blanks, any script's digits, and no end
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_MODE = re.compile(r"[0-7]{1,4}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,255}\$?")
_PROGRAM = re.compile(r"/?[A-Za-z0-9/._+@-]{1,1024}")


def name(text: str) -> str:
    """Return a member's name, which may hold anything that can be printed."""
    return one_line(text, "a member's name", limit=1024)


def listed_name(text: str) -> str:
    """Return a member's name that can stand in ETCD_INITIAL_CLUSTER, where ',' and '=' separate names."""
    if "," in text or "=" in text:
        raise ValueError(
            f"the member's name {shown(text)} holds ',' or '=', which ETCD_INITIAL_CLUSTER cannot hold: "
            "give it another name (ETCD_NAME) and restart it first"
        )
    return name(text)


def url(text: str) -> str:
    """Return a URL as etcd takes one, e.g. http://198.18.0.101:2380."""
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and (bool(parts.port) or parts.scheme.startswith("unix"))
    except ValueError:  # a port beyond 65535, brackets around what is no address
        is_whole = False
    if not is_whole or not _URL.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a URL that etcd listens on")
    return text


def variables(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return etcd's settings if those that are lists of URLs hold nothing but URLs, and at least one."""
    for name, value in settings.items():
        if name.endswith("_URLS") and value:
            urls = [one.strip() for one in value.split(",") if one.strip()]
            if not urls:
                raise ValueError(f"{name} holds no URL: {shown(value)}")
            for one in urls:
                url(one)
    return settings


def hex_id(text: str) -> str:
    """Return the ID of a member or a cluster, in hex."""
    return _matching(_ID, text, "an ID of etcd")


def version(text: str) -> str:
    """Return a version such as 3.4.23."""
    return _matching(_VERSION, text, "a version of etcd")


def number(text: str, what: str) -> int:
    """Return a whole number from 0 on; ``what`` it is stands in the ValueError."""
    return int(_matching(_NUMBER, text, what))


def seconds(text: str, what: str) -> float:
    """Return a time in seconds; ``what`` it is stands in the ValueError."""
    return float(_matching(_SECONDS, text, what))


def mode(text: str) -> int:
    """Return a file's mode, which is written in octal."""
    return int(_matching(_MODE, text, "the mode of a file"), 8)


def account(text: str) -> str:
    """Return the name of a user or a group."""
    return _matching(_ACCOUNT, text, "the name of a user or a group")


def program(text: str) -> str:
    """Return the path of a program; one with other characters could mean something else to systemd."""
    return _matching(_PROGRAM, text, "the path of a program that can be started under another name")


def setting(text: str) -> str:
    """Return the value of one of etcd's settings."""
    return one_line(text, "a setting")


def command(text: str) -> str:
    """Return a command as it stands in a unit, where lines may be continued, and nothing else may follow."""
    one_line(text.replace("\\\n", " ").replace("\t", " "), "the command of a unit", limit=16384)
    return text


def edits(found: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Return the edits of a file, one behind the other; both texts hold lines of settings and no more."""
    end = 0
    for one in found:
        if one.line < 1 or one.at_byte < end:
            raise ValueError("the edits of a file do not follow each other")
        for text in (one.old, one.new):
            plain = text.replace("\n", " ").replace("\t", " ")
            one_line(plain, "the edit of a file", limit=16384)
        end = one.at_byte + len(one.old.encode())
    return found


class Shape(BaseModel):
    """A part of somebody's JSON: what we read of it, under its own names; numbers are no texts."""

    model_config = ConfigDict(strict=True, extra="ignore")


class VersionBody(Shape):
    """What etcd answers to /version."""

    etcdserver: Annotated[str, AfterValidator(version)]
    etcdcluster: str = ""


Setting = Annotated[str, AfterValidator(setting)]
Url = Annotated[str, AfterValidator(url)]


def or_unknown(check: Callable[[str], str]) -> AfterValidator:
    """Validate a value that may be unknown too, which is an empty text."""
    return AfterValidator(lambda text: check(text) if text else text)


def of_json(model: type[Read], text: str, what: str) -> Read:
    """Read JSON of a known shape; raises ValueError that says what is wrong with it, in one line."""
    try:
        return TypeAdapter(model).validate_json(text)
    except ValidationError as error:
        raise ValueError(f"{what}: {fault(error)}") from error


def fault(error: ValidationError) -> str:
    """Return the first fault of a value that does not fit, in one line."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{shown(text)} is not {what}")
    return text
