"""A terminal that shows what a person sees: tmux, with a server of its own."""

import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.waiting import MOST_S, until


def is_head(line: str) -> bool:
    """Whether a live table begins in a line."""
    return line.startswith("member ")


def table_of(lines: Sequence[str]) -> list[str]:
    """Return the last live table on a screen: everything from its head on."""
    heads = [number for number, line in enumerate(lines) if is_head(line)]
    return list(lines[heads[-1] :]) if heads else []


class Screen:
    """A program in a tmux of its own; what it said is what stands on the screen."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self._folder, self._socket = folder, socket

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout

    def start(self, command: Sequence[str], env: Mapping[str, str], columns: int, rows: int) -> None:
        variables = [f"{name}={value}" for name, value in env.items() if name not in {"TERM", "TMUX"}]
        # the shell stays: what is left on the screen can be looked at, and the exit code is kept
        script = f"cd {self._folder}; {shlex.join(['env', *variables, *command])}; echo $? >exit; sleep 600"
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), f"bash -c {shlex.quote(script)}")
        self._tmux("set-option", "-g", "window-size", "manual")

    def shown(self) -> list[str]:
        """What stands on the screen now, line by line."""
        return self._tmux("capture-pane", "-p").rstrip("\n").split("\n")

    def all(self) -> list[str]:
        """The same, with what has left it at the upper end."""
        return self._tmux("capture-pane", "-p", "-S", "-").rstrip("\n").split("\n")

    def coloured(self, *, is_all: bool = False) -> list[str]:
        """The same with its colours, as a terminal is told them."""
        above = ("-S", "-") if is_all else ()
        return self._tmux("capture-pane", "-p", "-e", *above).rstrip("\n").split("\n")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def wait_for(self, text: str, within_s: float = MOST_S) -> list[str]:
        """Wait until a text is shown; returns the screen."""
        seen: list[str] = []

        def is_there() -> bool:
            seen[:] = self.shown()
            return text in "\n".join(seen)

        until(is_there, lambda: "\n".join([repr(text), "in", *seen]), within_s=within_s)
        return seen

    def wait_for_table(self, holds: Callable[[list[str]], bool], within_s: float = MOST_S) -> list[str]:
        """Wait until one live table stands there, and is as it has to be; returns it, from its head on."""
        table: list[str] = []

        def is_there() -> bool:
            lines = self.shown()
            table[:] = table_of(lines)
            return 1 == sum(map(is_head, lines)) and holds(table)

        until(is_there, lambda: "\n".join(self.shown()), within_s=within_s)
        return table

    def exit_code(self, within_s: float = MOST_S) -> int:
        """Wait until the program has ended."""
        path = self._folder / "exit"

        def has_ended() -> bool:
            return path.exists() and path.read_text().endswith("\n")

        until(has_ended, lambda: "\n".join(self.shown()), within_s=within_s)
        return int(path.read_text())

    def end(self) -> None:
        subprocess.run(
            ["tmux", "-S", str(self._socket), "kill-server"], check=False, capture_output=True, timeout=20
        )


@contextmanager
def screen(
    folder: Path, command: Sequence[str], env: Mapping[str, str], columns: int, rows: int = 24
) -> Iterator[Screen]:
    """Start a program in a tmux of that size, in a folder; it is gone afterwards."""
    started = Screen(folder, folder / "tmux.socket")
    (folder / "exit").unlink(missing_ok=True)
    try:
        started.start(command, env, columns, rows)
        yield started
    finally:
        started.end()
