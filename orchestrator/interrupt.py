"""What Ctrl-C and SIGTERM mean now: leave at once, or stop in good order at the next safe place."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NUDGES_S = (0.0, 0.05, 0.2)  # a nudge that comes just before the main thread begins to wait is lost


class InterruptedAtOnce(BaseException):
    """The program is left where it stands, as whoever sent the signal was informed.

    Like KeyboardInterrupt it is no Exception, so that nobody catches it by chance.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def answer_promptly() -> None:
    """Let Python's signal handlers run at once, whichever thread the kernel gives a signal to.

    They run in the main thread. While that waits for another thread, only a signal of its own wakes it.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGURG, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_wake_main, args=[reading], daemon=True, name="signals").start()


def _wake_main(reading: int) -> None:
    main = threading.main_thread().ident
    while (number := os.read(reading, 1)) and main is not None:
        for pause_s in _NUDGES_S if number[0] != signal.SIGURG else ():
            time.sleep(pause_s)
            signal.pthread_kill(main, signal.SIGURG)


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
