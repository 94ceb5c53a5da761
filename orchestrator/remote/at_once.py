"""Doing the same for several hosts at a time, but for no more of them than one sshd before them takes."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Got = TypeVar("Got")

AT_ONCE = 8  # hosts; sshd drops connections at random when more than ten are logging in


def at_once(do: Callable[[Given], Got], each: Iterable[Given]) -> list[Got]:
    """Do it for each, and return what came of it, in their order; an error is raised once all have ended."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="host") as pool:
        return list(pool.map(do, each))
