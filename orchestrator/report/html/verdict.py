"""The outcome of a run in one sentence, and what it was that stopped it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.engine.progress import Progress
from orchestrator.report.html.story import Story
from orchestrator.report.html.wording import listed

Tone = Literal["good", "waiting", "bad"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word, a sentence, and what else was said of it."""

    tone: Tone
    word: str
    sentence: str
    detail: str = ""


def verdict(
    story: Story,
    progress: Progress,
    tracks: Mapping[str, Sequence[str]],
    meanings: Mapping[str, str],
    *,
    is_in_use: bool,
) -> Verdict:
    """Say how a run has ended; ``tracks`` are the hosts' states in order.

    ``is_in_use`` is whether a process is at work on the state file.
    """
    last, cluster = story.last, story.opened.cluster
    ending = last.ending if last else None
    done, left = _steps(progress, tracks)
    so_far = f"{done} of {done + left} steps are done"
    if last is None or last.run is None:
        return Verdict("waiting", "not begun", "No step was begun: nothing was changed on any host.")
    if ending is None and is_in_use:
        return Verdict("waiting", "under way", f"A process was at work as this was written: {so_far}.")
    if ending is None:
        return Verdict("bad", "broken off", f"The last process left no word of its end: {so_far}.")
    if ending.outcome == "finished":
        return _finished(progress, cluster, meanings, is_back=last.direction == "back")
    tone: Tone = "bad" if ending.outcome == "stopped" else "waiting"
    rounds = last.rounds
    where = f"in the round {rounds[-1].round}" if rounds else "before the first round"
    word = "Paused, as asked" if ending.outcome == "paused" else f"{ending.outcome.capitalize()} {where}"
    return Verdict(tone, ending.outcome, f"{word}: {so_far}.", ending.reason)


def _finished(progress: Progress, cluster: str, meanings: Mapping[str, str], *, is_back: bool) -> Verdict:
    hosts: dict[str, list[str]] = {}
    for host, state in progress.states.items():
        hosts.setdefault(state, []).append(host)
    each = "; ".join(
        f"{listed(tuple(names))}: {state} ({meanings.get(state, '?')})" for state, names in hosts.items()
    )
    if is_back:
        return Verdict("good", "rolled back", f"Every host of {cluster} stands where it began. {each}.")
    return Verdict("good", "finished", f"Every host of {cluster} stands at the end. {each}.")


def _steps(progress: Progress, tracks: Mapping[str, Sequence[str]]) -> tuple[int, int]:
    """Return how many steps are done, and how many are left, of those that the migration has."""
    known = {host: track for host, track in tracks.items() if progress.states.get(host, track[0]) in track}
    left = progress.steps_ahead(known)
    return sum(len(track) - 1 for track in known.values()) - left, left
