"""In which form a run is shown: to people on standard error, and to programs on standard output."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import streams
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.engine.events import Event
    from orchestrator.report.view import View

Output = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="text|json", help="json: each event is a line of JSON on standard output."
    ),
]


def is_json(output: str) -> bool:
    """Whether events are wanted as JSON; UsageError for what there is not."""
    if output not in {"text", "json"}:
        raise UsageError(f"--output {output}: there is text and json")
    return output == "json"


@contextlib.contextmanager
def shown(
    cluster: str, past: "Callable[[], View | None]", *, is_json: bool
) -> "Iterator[Callable[[Event], None]]":
    """Yield what shows a run's events; ``past`` is the run at the first one, as its state file tells it."""
    from orchestrator.report import event_lines  # noqa: PLC0415 -- imported only where it is needed
    from orchestrator.report.live import Live  # noqa: PLC0415 -- same

    with contextlib.ExitStack() as stack:
        show = stack.enter_context(Live(past).showing())
        if not is_json:
            yield show
            return
        write = stack.enter_context(streams.for_programs(event_lines.LEFT_OUT))
        print_line = event_lines.printer(write, cluster, past)

        def take(event: "Event") -> None:
            print_line(event)
            show(event)

        yield take
