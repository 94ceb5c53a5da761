"""What commands that belong together have in common: how they are listed, and where their errors go."""

from typing import Any, Literal

import typer
from typer.core import TyperGroup

# Plain help takes half the time of one with frames, and reads as well in a pipe, in a log and aloud.
MARKUP: Literal["markdown", "rich"] | None = None
_WHOLE = 400  # characters of what is said of a command; the usual 45 end in the middle of it


class Raised(BaseException):
    """What a command has raised, past typer, which takes some errors for the end of a pipe or of input."""


class Group(TyperGroup):
    """Commands, each listed with all of its first sentence; what they raise is ours to report."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # typer's own base is private
        """Run a command; what typer would take for its own passes it by."""
        try:
            return super().invoke(ctx)
        except (OSError, EOFError) as error:
            raise Raised from error

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override] # noqa: ANN401 -- same
        """List the commands in their order."""
        named = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in named if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
