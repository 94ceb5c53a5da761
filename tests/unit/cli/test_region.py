"""What stands at a terminal's lower end is replaced where it stands, whatever its size."""

import pytest

from orchestrator.cli.region import Region

FRAME = ("member  state", "step 1 of 18")


def region(*frame: str, columns: int = 80) -> Region:
    drawn = Region("utf-8")
    drawn.frame = frame
    drawn.around(b"", columns)
    return drawn


def test_a_text_stands_above_the_frame() -> None:
    drawn = region(*FRAME)
    assert b"\x1b[2F\x1b[Jhello\nmember  state\nstep 1 of 18\n" == drawn.around(b"hello\n", 80)


def test_what_has_not_changed_is_not_drawn_anew() -> None:
    assert b"" == region(*FRAME).around(b"", 80)


def test_a_terminal_that_grew_narrower_has_wrapped_what_is_there() -> None:
    drawn = region("x" * 79, "\x1b[32m" + "y" * 40 + "\x1b[0m")
    drawn.frame = ("z",)
    assert b"\x1b[3F\x1b[Jz\n" == drawn.around(b"", 40), "two rows and one: colours take no room"


def test_a_question_is_left_in_peace_until_it_is_answered() -> None:
    drawn = region(*FRAME)
    assert b"\x1b[2F\x1b[JSure? " == drawn.around(b"Sure? ", 80)
    drawn.frame = ("other",)
    assert b"" == drawn.around(b"", 80)
    drawn.answered()
    assert b"other\n" == drawn.around(b"", 80)


def test_an_empty_frame_takes_it_away() -> None:
    drawn = region(*FRAME)
    drawn.frame = ()
    assert b"\x1b[2F\x1b[J" == drawn.around(b"", 80)
    assert b"bye\n" == drawn.around(b"bye\n", 80)


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", "…\n".encode()), ("ascii", b"\\u2026\n")])
def test_a_frame_is_written_as_the_locale_can(encoding: str, expected: bytes) -> None:
    drawn = Region(encoding)
    drawn.frame = ("…",)
    assert expected == drawn.around(b"", 80)
