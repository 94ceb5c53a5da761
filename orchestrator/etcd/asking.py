"""How a gate is written: a function of a host that makes a check; its name is the check's, in words."""

from collections.abc import Callable
from dataclasses import replace

from orchestrator.host.checks import Check
from orchestrator.plan.facts import Subject

GateMaker = Callable[[Subject], Check]


def gate(make: GateMaker) -> GateMaker:
    """Give a check the name of the function that makes it."""
    name = make.__name__.replace("_", " ")

    def maker(subject: Subject) -> Check:
        return replace(make(subject), name=name)

    maker.__name__ = make.__name__
    maker.__doc__ = make.__doc__
    return maker


def always_holds(subject: Subject) -> Check:
    """Make the check of a host of which the plan, or its interface, asks nothing."""
    return Check(subject.name, (), lambda _: ())
