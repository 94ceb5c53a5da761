"""The events of a short run, and the state file that holds them."""

from pathlib import Path

from orchestrator.engine.events import (
    Opened,
    Recorded,
    RoundBegan,
    RunBegan,
    RunEnded,
    StepStarted,
    StepSucceeded,
)
from orchestrator.engine.state_file import StateFile
from orchestrator.plan.facts import Facts

OPENED = Opened(
    tool="0",
    run="ab12cd34",
    cluster="x",
    migration="bridge",
    runbook="d1" * 32,
    facts=Facts(cluster_id="c1", members={}),
)


BEGAN = RunBegan(pid=77, host="bastion", user="anna", runbook="d1" * 32, is_resumed=False)


ROUND = RoundBegan(round="stage", target="staged", hosts=("a",), order="one by one")


STARTED = StepStarted(
    step="stage/a", host="a", source="plaintext", target="staged", attempt=1, operations="d2" * 32
)


SUCCEEDED = StepSucceeded(step="stage/a", host="a", target="staged", took_s=0.1)


OVER = RunEnded(outcome="finished")


EVENTS: list[Recorded] = [OPENED, BEGAN, ROUND, STARTED, SUCCEEDED]


def write(path: Path) -> None:
    with StateFile(path) as event_log:
        for event in EVENTS:
            event_log.append(event)
