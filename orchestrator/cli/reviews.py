"""The options of a review, and what they mean together; heavy modules are imported only where needed."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.commands.phases.call import Shape

CHANGES_PENDING = 2


class Form(StrEnum):
    """What a review is for: people, programs or a change ticket."""

    text = "text"
    json = "json"
    markdown = "markdown"


Format = Annotated[Form, typer.Option("--format", help="For people, programs or a change ticket.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="With the gates of each step, and long scripts in full.")
]
AsRunbook = Annotated[
    bool, typer.Option("--as-runbook", help="In Markdown: the shell commands that do the same by hand.")
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Touch no host: from PLAN alone; what is assumed is named.")
]
DetailedExitcode = Annotated[
    bool, typer.Option("--detailed-exitcode", help="End with 2 if there is anything to do, with 0 if not.")
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write what was reviewed, for --reviewed FILE.", show_default=False),
]
Reviewed = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Do what plan --out FILE has reviewed, without a question; refused if anything moved.",
        show_default=False,
    ),
]


def shape_of(
    form: Form, *, verbose: bool, as_runbook: bool, out: Path | None, offline: bool = False
) -> "Shape":
    """Return how a review is given out; UsageError for options that do not fit together."""
    from orchestrator.commands.phases.call import Shape  # noqa: PLC0415 -- see the module's docstring

    if as_runbook and form is not Form.markdown:
        raise UsageError("--as-runbook is Markdown: add --format markdown")
    if offline and out is not None:
        raise UsageError("--offline looks at no host, so that nothing can be approved by it: leave --out out")
    return Shape(form.value, verbose, as_runbook, out, offline)


def only_with_dry_run(shape: "Shape", *, dry_run: bool, detailed: bool) -> None:
    """Refuse options of a review where none is asked for."""
    if not dry_run and (detailed or shape != type(shape)()):
        raise UsageError(
            "--format, --verbose, --as-runbook, --offline, --out and --detailed-exitcode are about a review: "
            "add --dry-run"
        )


def only_of_a_run(reviewed: Path | None, *, dry_run: bool, is_json: bool) -> None:
    """Refuse options of what is done where nothing is."""
    if dry_run and reviewed is not None:
        raise UsageError("--reviewed does what was reviewed, and --dry-run nothing: leave one of them out")
    if dry_run and is_json:
        raise UsageError("--output json prints events, and here are none: the review as JSON: --format json")


def ended(*, is_pending: bool, detailed: bool) -> None:
    """End with the exit code that tells whether there is anything to do, if that is asked for."""
    if detailed and is_pending:
        raise typer.Exit(CHANGES_PENDING)
