"""The commands that walk hosts through a runbook, or show how; heavy modules are imported where needed."""

from dataclasses import replace
from typing import Annotated

import typer

from orchestrator.cli import completing, reviews
from orchestrator.cli.lab import Plan
from orchestrator.cli.logins import AskPass, Login, PassFile
from orchestrator.cli.outputs import Output, is_json
from orchestrator.cli.pacing import Canary, Probe, Soak, Step, asking, probe_of, soak_of
from orchestrator.cli.prompts import can_ask, confirm, confirm_loss
from orchestrator.cli.sessions import State, session_of


def run(  # noqa: PLR0913 -- one parameter for each option
    plan: Plan,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show every step; touch nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a stop, a crash or a pause.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: State = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            help="Pause when every member stands in this state.",
            autocompletion=completing.states,
        ),
    ] = None,
    accept_risk: Annotated[
        bool, typer.Option("--accept-risk", help="Go on with a strategy that is unsafe by design.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First register members with the scheme that they listen with.")
    ] = False,
    cut_off: Annotated[
        bool, typer.Option("--cut-off", help="Do not wait for clients of what is closed: http, or a port.")
    ] = False,
    step: Step = False,
    canary: Canary = None,
    soak: Soak = None,
    probe: Probe = False,
    output: Output = "text",
    out: reviews.Out = None,
    reviewed: reviews.Reviewed = None,
    form: reviews.Format = reviews.Form.text,
    verbose: reviews.Verbose = False,
    as_runbook: reviews.AsRunbook = False,
    offline: reviews.Offline = False,
    detailed_exitcode: reviews.DetailedExitcode = False,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Migrate the cluster of PLAN: look, show the steps, ask, then walk every member through them."""
    from orchestrator.commands.phases.call import RunOptions  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.commands.run import dry, live  # noqa: PLC0415 -- see the module's docstring

    shape = reviews.shape_of(form, verbose=verbose, as_runbook=as_runbook, out=out, offline=offline)
    reviews.only_with_dry_run(shape, dry_run=dry_run, detailed=detailed_exitcode)
    permits, soak_s = asking(wanted=step), soak_of(soak, canary)
    probe_of(wanted=probe, dry_run=dry_run)
    is_pending, verb, wants_json = False, "" if dry_run else "run", is_json(output)
    reviews.only_of_a_run(reviewed, dry_run=dry_run, is_json=wants_json)
    with session_of(plan, state, Login(asks, password), verb, is_json=wants_json) as (session, context):
        if dry_run:
            is_pending = dry(session, context, shape, canary)
        else:
            live(
                session,
                replace(context, permits=permits),
                RunOptions(resume, until, accept_risk, repair, cut_off, reviewed, canary, soak_s, probe),
                confirm=None if yes else confirm,
                confirm_loss=confirm_loss if can_ask() and not yes else None,
            )
    reviews.ended(is_pending=is_pending, detailed=detailed_exitcode)


def rollback(  # noqa: PLR0913 -- one parameter for each option
    plan: Plan,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show every step; touch nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: State = None,
    step: Step = False,
    probe: Probe = False,
    output: Output = "text",
    out: reviews.Out = None,
    reviewed: reviews.Reviewed = None,
    form: reviews.Format = reviews.Form.text,
    verbose: reviews.Verbose = False,
    as_runbook: reviews.AsRunbook = False,
    detailed_exitcode: reviews.DetailedExitcode = False,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Undo what was done to PLAN's cluster, round by round, back to plain http."""
    from orchestrator.commands.rollback import dry, live  # noqa: PLC0415 -- see the module's docstring

    shape = reviews.shape_of(form, verbose=verbose, as_runbook=as_runbook, out=out)
    reviews.only_with_dry_run(shape, dry_run=dry_run, detailed=detailed_exitcode)
    probe_of(wanted=probe, dry_run=dry_run)
    permits, is_pending, wants_json = asking(wanted=step), False, is_json(output)
    reviews.only_of_a_run(reviewed, dry_run=dry_run, is_json=wants_json)
    with session_of(plan, state, Login(asks, password), "rollback", is_json=wants_json) as (session, context):
        if dry_run:
            is_pending = dry(session, context, shape)
        else:
            live(
                session,
                replace(context, permits=permits),
                confirm=None if yes else confirm,
                reviewed=reviewed,
                probe=probe,
            )
    reviews.ended(is_pending=is_pending, detailed=detailed_exitcode)


def plan_of(  # noqa: PLR0913 -- one parameter for each option
    plan: Plan,
    *,
    form: reviews.Format = reviews.Form.text,
    verbose: reviews.Verbose = False,
    as_runbook: reviews.AsRunbook = False,
    offline: reviews.Offline = False,
    detailed_exitcode: reviews.DetailedExitcode = False,
    out: reviews.Out = None,
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Show what a run of PLAN would do, as run --dry-run does: read the hosts, and change nothing."""
    from orchestrator.commands.run import dry  # noqa: PLC0415 -- see the module's docstring

    shape = reviews.shape_of(form, verbose=verbose, as_runbook=as_runbook, out=out, offline=offline)
    with session_of(plan, state, Login(asks, password)) as (session, context):
        is_pending = dry(session, context, shape)
    reviews.ended(is_pending=is_pending, detailed=detailed_exitcode)
