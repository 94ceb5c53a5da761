"""What Ctrl-C and SIGTERM mean now: leave at once, or stop in good order at the next safe place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class InterruptedAtOnce(BaseException):
    """The program is left where it stands, as whoever sent the signal was told.

    Like KeyboardInterrupt it is no Exception, so that nobody catches it by chance.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Moment:
    """Where a command stands.

    ``is_orderly`` says that it stops by itself, at its next safe place; otherwise it is left at once, and
    ``truth`` is what is true then. ``on_leaving`` are done if it has to be left without unwinding.
    """

    def __init__(self) -> None:
        self.is_orderly = False
        self.has_changed = False
        self.truth = "nothing was changed"
        self.on_leaving: list[Callable[[], None]] = []

    @contextmanager
    def orderly(self) -> Iterator[None]:
        """Go on to the next safe place, whatever signal comes: hosts are locked, and may be half-way."""
        self.is_orderly = self.has_changed = True
        try:
            yield
        finally:
            self.is_orderly = False

    def change(self, truth: str) -> None:
        """Go beyond looking; ``truth`` is what is to be known if the command is left from here on."""
        self.has_changed, self.truth = True, truth
