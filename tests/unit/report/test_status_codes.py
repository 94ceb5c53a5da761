"""``status`` ends with 0 only if every host stands where it should."""

from engine.walking import NO_FACTS

from orchestrator.engine.events import Opened
from orchestrator.engine.order import Unsettled
from orchestrator.engine.progress import Progress
from orchestrator.report.status import Seen, judge

FINALS = {"server1": "sealed", "server2": "sealed"}
OPENED = Opened(tool="0", run="ab12cd34", cluster="c", migration="bridge", runbook="0" * 64, facts=NO_FACTS)
DOUBT = {"server2": Unsettled("switch/server2", "bridged", "switched", 1)}


def seen(
    one: str | None, other: str | None, recorded: str = "bridged", *, silent: bool = False
) -> tuple[Seen, ...]:
    return (
        Seen("server1", "198.18.0.101", one, recorded, ""),
        Seen("server2", "198.18.0.102", other, recorded, "away", is_silent=silent),
    )


def code(found: tuple[Seen, ...], progress: Progress) -> int:
    error = judge(found, progress, FINALS)
    return error.exit_code if error else 0


def test_everybody_where_the_file_says_is_fine() -> None:
    assert 0 == code(seen("bridged", "bridged"), Progress(opened=OPENED, outcome="paused"))
    assert 0 == code(seen("plaintext", "plaintext", "plaintext"), Progress())
    assert 0 == code(seen("sealed", "sealed", "sealed"), Progress(opened=OPENED, outcome="finished"))


def test_a_migrated_cluster_without_a_state_file_is_fine() -> None:
    assert 0 == code(seen("sealed", "sealed", "plaintext"), Progress())


def test_a_host_that_stands_elsewhere_needs_a_person() -> None:
    assert 9 == code(seen("bridged", "accepting"), Progress(opened=OPENED, outcome="paused"))
    assert 9 == code(seen("bridged", None), Progress(opened=OPENED, outcome="finished"))
    assert 9 == code(seen("sealed", "plaintext", "plaintext"), Progress())


def test_a_step_in_doubt_can_be_resumed_wherever_its_host_stands() -> None:
    for state in (None, "bridged", "switched"):
        assert 7 == code(seen("bridged", state), Progress(opened=OPENED, unsettled=DOUBT))


def test_a_host_that_does_not_answer_comes_first() -> None:
    assert 4 == code(seen(None, None, silent=True), Progress(opened=OPENED, unsettled=DOUBT))
