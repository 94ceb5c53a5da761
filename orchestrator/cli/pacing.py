"""The options with which an operator takes a run carefully: by steps, behind a canary, with a probe."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.prompts import can_ask, confirm_loss
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.runbook import model

Step = Annotated[bool, typer.Option("--step", help="Ask before each step.")]
Canary = Annotated[
    str | None,
    typer.Option(metavar="MEMBER", help="This member takes each round first.", show_default=False),
]
Soak = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="Watch the canary so long after its first restart, before anybody follows.",
        show_default=False,
    ),
]

Probe = Annotated[
    bool,
    typer.Option(
        "--probe", help="Use the cluster meanwhile: write and read, and stop if that fails or takes too long."
    ),
]


def probe_of(*, wanted: bool, dry_run: bool) -> None:
    """Refuse to probe where nothing is done."""
    if wanted and dry_run:
        raise UsageError(
            "--probe measures what is done, and --dry-run changes nothing: leave one of them out"
        )


def asking(*, wanted: bool) -> "Callable[[model.Step], bool] | None":
    """Return what asks before each step; None if that is not wanted, UsageError if there is nobody to ask."""
    if not wanted:
        return None
    if not can_ask():
        raise UsageError("--step asks before each step, and there is no terminal to ask at: leave it out")

    def permits(step: "model.Step") -> bool:
        restart = ", restarts it" if step.restarts else ""
        return confirm_loss(f"{step.id}: {step.source} to {step.target}{restart}. Take this step?")

    return permits


def soak_of(soak: str | None, canary: str | None) -> float:
    """Return for how many seconds the canary is watched; UsageError for what is no time, or without one."""
    from orchestrator.plan import spelling  # noqa: PLC0415 -- imported only where it is needed

    if soak is None:
        return 0.0
    if canary is None:
        raise UsageError("--soak says how long a canary is watched: name it with --canary MEMBER")
    try:
        spelling.duration(soak)
        return spelling.seconds(soak)
    except ValueError as error:
        raise UsageError(f"--soak: {error}") from error
