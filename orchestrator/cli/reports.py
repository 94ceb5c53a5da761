"""The commands that give a run's story away; heavy modules are imported only where they are needed."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.lab import Plan
from orchestrator.output import out


def traces(
    plan: Plan,
    *,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="State file, if not PLAN.state.jsonl.", show_default=False),
    ] = None,
) -> None:
    """Send PLAN's run as an OpenTelemetry trace to OTEL_EXPORTER_OTLP_ENDPOINT. No host is asked."""
    from orchestrator.commands.traces import sent  # noqa: PLC0415 -- see the module's docstring

    out(sent(plan, state))


def report(
    plan: Plan,
    *,
    destination: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to, if not PLAN.report.html.", show_default=False),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="State file, if not PLAN.state.jsonl.", show_default=False),
    ] = None,
) -> None:
    """Write what became of PLAN's run as one HTML file, for the change ticket. No host is asked."""
    from orchestrator.commands import filing  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.session import unconnected  # noqa: PLC0415 -- see the module's docstring

    session = unconnected(plan, state)
    out(filing.written(session, destination or filing.default_report(session.state)))
