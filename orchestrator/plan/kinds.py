"""Kinds of values in a plan, and of the mappings that hold them.

A plan writes text; the model holds what it means: a path for a file, seconds for a duration. The folder that
a plan's paths are relative to is the context of the validation; what a program makes itself has none.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError

from orchestrator.plan import directories, jumps, patterns, spelling
from orchestrator.plan.locations import location

NO_CONFIG: Literal["none"] = "none"
USUAL_LOCAL_PORT = 4001  # the guide's, and etcd 0.4's client port: old local clients speak to it
Port = Annotated[int, Field(ge=1, le=65535)]
ProbeFailures = Annotated[int, Field(ge=0)]
ProbeRate = Annotated[int, Field(ge=1, le=100)]
LocalPort = Annotated[int | Literal["auto", "none"], BeforeValidator(spelling.local_port)]
OrAuto = Annotated[bool | Literal["auto"], BeforeValidator(spelling.or_auto)]


class Frozen(BaseModel):
    """A value that cannot change and takes no field that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Section(Frozen):
    """A mapping in the plan. Nothing is converted: ``"22"`` is not a number and ``yes`` is not true.

    A plan knows a field by its alias, if it has one; a program by its name.
    """

    model_config = ConfigDict(strict=True, validate_by_alias=True, validate_by_name=True)


def folder_of(info: ValidationInfo) -> Path:
    """Return the folder that paths are relative to."""
    return info.context if isinstance(info.context, Path) else Path()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return value


def _file(value: object, info: ValidationInfo) -> Path:
    return value if isinstance(value, Path) else location(folder_of(info), spelling.path(_text(value)))


def _metrics_file(value: object, info: ValidationInfo) -> Path:
    text = value if isinstance(value, Path) else spelling.metrics_file(_text(value))
    return _file(text, info)


def _hook(value: object, info: ValidationInfo) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    program, *arguments = spelling.words(_text(value))
    return str(location(folder_of(info), program)) if "/" in program else program, *arguments


def _config(value: object, info: ValidationInfo) -> Path | str:
    return NO_CONFIG if value == NO_CONFIG else _file(value, info)


def _host_file(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    template = spelling.template(_text(value))
    return location(folder_of(info), template.replace("{name}", info.data.get("name", "")))


def _template_file(value: object, info: ValidationInfo) -> Path:
    return value if isinstance(value, Path) else location(folder_of(info), spelling.template(_text(value)))


def _template(text: str) -> str:
    location(Path(), spelling.template(text))  # it can be found, once a name stands in it
    return text


def _duration(value: object, info: ValidationInfo) -> object:
    if info.context is None and not isinstance(value, str):
        return value
    return spelling.seconds(_text(spelling.duration(value)))


_NAMED = WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"})
_TIMED = WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m)$"})

Name = Annotated[str, AfterValidator(spelling.name), _NAMED]
Address = Annotated[str, AfterValidator(spelling.address)]
SshHost = Annotated[str, AfterValidator(spelling.ssh_host)]
HostKey = Annotated[str, AfterValidator(spelling.host_key)]
Jumps = Annotated[str, AfterValidator(jumps.spelled)]
Config = Annotated[Path | Literal["none"], BeforeValidator(_config)]
User = Annotated[str, AfterValidator(spelling.user)]
EtcdUser = Annotated[str, AfterValidator(spelling.etcd_user)]
Service = Annotated[str, AfterValidator(spelling.service)]
Directory = Annotated[str, AfterValidator(spelling.directory), AfterValidator(directories.usable)]
File = Annotated[Path, BeforeValidator(_file)]
MetricsFile = Annotated[Path, BeforeValidator(_metrics_file)]
Hook = Annotated[tuple[str, ...], BeforeValidator(_hook), WithJsonSchema({"type": "string"})]
Webhook = Annotated[str, AfterValidator(spelling.webhook)]
Template = Annotated[str, AfterValidator(_template)]
TemplateFile = Annotated[Path, BeforeValidator(_template_file)]
ClientPath = Annotated[str, AfterValidator(spelling.client_file)]
Command = Annotated[str, AfterValidator(spelling.command)]
HostFile = Annotated[Path, BeforeValidator(_host_file)]
Duration = Annotated[float, BeforeValidator(_duration), _TIMED]
Pattern = Annotated[str, AfterValidator(patterns.usable)]
PeerAuth = Annotated[bool, AfterValidator(spelling.checks_peers), WithJsonSchema({"const": True})]
Become = Literal["none", "sudo", "doas"]
Persist = Literal["beside", "in_place"]
