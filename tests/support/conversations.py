"""Jobs that a real shell performs, without SSH between."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from unit.remote.shells import ShellChannel

from orchestrator.host.operations import Job, Run
from orchestrator.remote.conversation import Conversation
from orchestrator.remote.job import Performance


@contextmanager
def conversation(performance: Performance, environment: dict[str, str]) -> Iterator[Conversation]:
    with closing(ShellChannel(("sh", "-s", "--", *performance.arguments), environment)) as channel:
        yield Conversation(channel, time.monotonic)


def counting(job: str, counter: Path, then: str = "true", deadline_s: float = 20) -> Job:
    return Job(job, "h", (Run(("sh", "-c", f"echo once >>{counter}; {then}")),), deadline_s)
