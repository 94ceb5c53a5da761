"""How a check of one host is written: a function of the host that makes it, be it a gate or not."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import overload

from orchestrator.host.checks import Check
from orchestrator.plan.facts import Target

HostCheck = Callable[[Target], Check]


@overload
def gate(make: HostCheck, /) -> HostCheck: ...
@overload
def gate(*, fix: str) -> Callable[[HostCheck], HostCheck]: ...
def gate(make: HostCheck | None = None, /, *, fix: str = "") -> HostCheck | Callable[[HostCheck], HostCheck]:
    """Give a check the name of the function that makes it, and what brings a host to where it holds."""

    def named(make: HostCheck) -> HostCheck:
        name = make.__name__.replace("_", " ")

        @wraps(make)
        def maker(target: Target) -> Check:
            return replace(make(target), name=name, fix=fix)

        return maker

    return named(make) if make else named


def always_holds(target: Target) -> Check:
    """Make the check of a host of which the plan, or its interface, asks nothing."""
    return Check(target.name, (), lambda _: ())
