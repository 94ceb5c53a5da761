"""Phases of a run with --probe: a client of our own tries the cluster, and uses it until the run ends."""

from dataclasses import replace

from orchestrator.commands import probing
from orchestrator.commands.phases.call import Call, warn
from orchestrator.plan.facts import Facts


def try_it(call: Call) -> None:
    """Refuse before a person reads the review if the probe could not begin; what it wrote is removed."""
    if call.options.probe:
        tried = probing.begun(call.session, call.run, call.facts, warn)
        tried.end()
        _introduce(call, tried)


def begin(call: Call) -> None:
    """Let the probe use the cluster from now on, as the witness of the run."""
    if not call.options.probe:
        return
    began = probing.begun(call.session, call.run, _facts(call), warn, call.direction)
    call.held.callback(began.end)
    if call.event_log.progress.attempts:  # nobody has tried it before
        _introduce(call, began)
    began.probe.start()
    call.context = replace(call.context, witness=began)


def _facts(call: Call) -> Facts:
    opened = call.event_log.progress.opened
    return opened.facts if opened else call.facts


def _introduce(call: Call, probe: probing.Probing) -> None:
    budget = call.session.cluster.probe
    call.say(
        f"probe: writes and reads {budget.rate} times a second through {', '.join(probe.through)}, "
        f"below {probe.prefix}; stops the run if more than {budget.failures} operations fail, "
        f"or none of its writes is acknowledged for {budget.stall_s:g} s"
    )
    if call.session.cluster.auth:
        warn("the probe logs in as the plan's user: over plain http, until the members serve https")
    for one in probe.missed:
        warn(f"the probe does not use a member that it cannot reach from here: {one}")
