"""Kinds of values in a plan, and of the mappings that hold them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict

from orchestrator.cluster import spelling
from orchestrator.cluster.model import Frozen

Name = Annotated[str, AfterValidator(spelling.name)]
Address = Annotated[str, AfterValidator(spelling.address)]
User = Annotated[str, AfterValidator(spelling.user)]
Service = Annotated[str, AfterValidator(spelling.service)]
Directory = Annotated[str, AfterValidator(spelling.directory)]
File = Annotated[str, AfterValidator(spelling.path)]
Template = Annotated[str, AfterValidator(spelling.template)]
Duration = Annotated[str, BeforeValidator(spelling.duration)]
Pattern = Annotated[str, AfterValidator(spelling.pattern)]
PeerAuth = Annotated[bool, AfterValidator(spelling.checks_peers)]
Become = Literal["none", "sudo"]


class Section(Frozen):
    """A mapping in the plan. Nothing is converted: ``"22"`` is not a number and ``yes`` is not true."""

    model_config = ConfigDict(strict=True)
