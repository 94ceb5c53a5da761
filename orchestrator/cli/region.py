"""The lower end of a terminal, where lines are drawn in the place of those before; other text is above."""

import re

_COLORS = re.compile(r"\x1b\[[0-9;]*m")


class Region:
    """What stands at a terminal's lower end now, and what is to stand there.

    It needs no alternate screen and hides no cursor: a killed program leaves the terminal as it should be.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self.frame: tuple[str, ...] = ()
        self._drawn: tuple[str, ...] = ()
        self._is_in_a_line = False  # a question stands there: what its answer needs is left in peace

    def answered(self) -> None:
        """Draw again although the last text has not ended its line: it was a question."""
        self._is_in_a_line = False

    def around(self, text: bytes, columns: int) -> bytes:
        """Return what shows a text above the frame, on a terminal that has so many columns now."""
        if not text and self.frame == self._drawn:
            return b""
        rows = sum(_rows(line, columns) for line in self._drawn)
        erased = f"\x1b[{rows}F\x1b[J" if rows else ""
        if text:
            self._is_in_a_line = not text.endswith(b"\n")
        self._drawn = () if self._is_in_a_line else self.frame
        lines = "".join(f"{line}\n" for line in self._drawn)
        return erased.encode() + text + lines.encode(self._encoding, "backslashreplace")


def _rows(line: str, columns: int) -> int:
    """How many rows a line takes: terminals wrap their lines anew when they grow narrower."""
    return max(1, -(-len(_COLORS.sub("", line)) // max(1, columns)))
