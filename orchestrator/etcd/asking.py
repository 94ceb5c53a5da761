"""How a check of one host is written: a function of the host that makes it, be it a gate or not."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from orchestrator.host.checks import Check
from orchestrator.plan.facts import Subject

HostCheck = Callable[[Subject], Check]


def gate(make: HostCheck) -> HostCheck:
    """Give a check the name of the function that makes it."""
    name = make.__name__.replace("_", " ")

    @wraps(make)
    def maker(subject: Subject) -> Check:
        return replace(make(subject), name=name)

    return maker


def always_holds(subject: Subject) -> Check:
    """Make the check of a host of which the plan, or its interface, asks nothing."""
    return Check(subject.name, (), lambda _: ())
