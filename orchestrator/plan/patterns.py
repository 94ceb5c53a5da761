"""The plan's regular expressions, searched within a time: some take longer than anybody waits.

Python's ``re`` has no such bound, and ``(a|a)+$`` takes twice as long for each further letter of a line that
it does not find. ``regex`` reads the same expressions and can be given a timeout.
"""

import time
import warnings
from collections.abc import Iterable

import regex

from orchestrator.text import shown

SEARCH_S = 2.0  # 100,000 lines of a journal take 0.6 s
# What is bounded before it is compiled, for compiling is not: 50,000 words take 4 s, and
# (?:(?:(?:a{100}){100}){100}){100} takes all the memory that there is.
_MOST_CHARACTERS = 1000
_MOST_REPEATS = 10_000
_TOKEN = regex.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\{(?P<least>\d*),?(?P<most>\d*)\}|.", regex.DOTALL
)


class TooSlowError(ValueError):
    """A search was given up."""


def usable(text: str) -> str:
    """Return an expression that can be compiled and that does not find just any line."""
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"{shown(text)} has more than {_MOST_CHARACTERS} characters: write a shorter one")
    if _repeats(text) > _MOST_REPEATS:
        raise ValueError(
            f"{shown(text)} repeats more than {_MOST_REPEATS} times: write smaller numbers in braces"
        )
    try:
        found = _compiled(text)
    except (regex.error, OverflowError, RecursionError) as cause:
        raise ValueError(f"{shown(text)} is not a regular expression: {cause}; correct it") from cause
    if found.search("", timeout=SEARCH_S):
        raise ValueError(f"{shown(text)} finds every line, even an empty one: write what an error looks like")
    return text


def finding(text: str, lines: Iterable[str], within_s: float = SEARCH_S) -> list[str]:
    """Return the lines that a usable expression finds; TooSlowError if that takes longer in all."""
    found, until = _compiled(text), time.monotonic() + within_s
    try:
        return [line for line in lines if found.search(line, timeout=max(0.001, until - time.monotonic()))]
    except TimeoutError as cause:
        raise TooSlowError(f"takes longer than {within_s:g} s") from cause


def _repeats(text: str) -> int:
    """How often something is repeated in all: a count multiplies those of the group that it stands behind."""
    sums, last = [0], 0  # of each group that is open, the whole first; and of what stands right before
    for token in _TOKEN.finditer(text):
        if token["least"] is not None:
            repeated = (int(token["most"] or token["least"] or 1) or 1) * max(1, last)
            sums[-1] += repeated - last
            last = repeated
        elif token[0] == ")" and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        else:
            last = 0
            if token[0] == "(":
                sums.append(0)
    return sum(sums)


def _compiled(text: str) -> "regex.Pattern[str]":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what may change its meaning one day still works today
        return regex.compile(text)
