"""``python -m orchestrator``, and the command ``orchestrator``."""

import gc
import signal
from typing import NoReturn

# What is imported stays: looking for rubbish among it again and again is a tenth of a short command's CPU.
_COLLECTED_EVERY = 300_000  # objects; imports alone make 107,000


def main() -> NoReturn:
    """Run the program; until it can answer signals itself, Ctrl-C just ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(_COLLECTED_EVERY)
    from orchestrator.cli import main as command_line  # noqa: PLC0415 -- importing takes long enough for somebody to press Ctrl-C

    command_line.main()


if __name__ == "__main__":
    main()
