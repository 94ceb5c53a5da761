"""``python -m orchestrator``, and the command ``orchestrator``."""

import signal
from typing import NoReturn

from orchestrator import garbage


def main() -> NoReturn:
    """Run the program; until it can answer signals itself, Ctrl-C just ends it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    garbage.let_it_lie()
    from orchestrator.cli import main as command_line  # noqa: PLC0415 -- importing takes long enough for somebody to press Ctrl-C

    command_line.main()


if __name__ == "__main__":
    main()
