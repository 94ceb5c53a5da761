"""The command for whoever looks on at a run from another terminal."""

from orchestrator.cli.lab import Plan
from orchestrator.cli.outputs import Output, is_json, shown
from orchestrator.cli.sessions import State


def watch(plan: Plan, *, state: State = None, output: Output = "text") -> None:
    """Show the run of PLAN that is under way, or how the last one ended; logs in nowhere, changes nothing."""
    from orchestrator.commands.watch import Followed  # noqa: PLC0415 -- imported only where it is needed
    from orchestrator.session import unconnected  # noqa: PLC0415 -- same

    wants_json, session = is_json(output), unconnected(plan, state)
    run = Followed(session.state, session.cluster, session.migration)
    with session.advising(), shown(session.cluster.name, run.past, is_json=wants_json) as take:
        run.follow(take)
