"""Names of jobs: what is made is read again, also where rounds and hosts have names like others."""

import re
from pathlib import Path

import pytest

from orchestrator.host import names

RUN = "ab12cd34"
ROUNDS = ("stage", "stage-proxies", "undo-stage", "undo-stage-proxies", "accept")
HOSTS = ("server1", "proxies-server1", "handover", "a-1", "handover-2")
ENGINE = Path(names.__file__).parents[1] / "engine"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("round_", ROUNDS)
def test_a_name_is_read_as_it_was_made(round_: str, host: str) -> None:
    attempt = names.of_attempt(RUN, round_, host, 12)
    handover = names.of_handover(RUN, round_, host, 3)
    assert names.Numbered(round_, 12, is_handover=False) == names.read(attempt, RUN, host, ROUNDS)
    assert names.Numbered(round_, 3, is_handover=True) == names.read(handover, RUN, host, ROUNDS)
    assert (round_, host) == names.round_and_host(names.of_step(round_, host))


@pytest.mark.parametrize(
    "name",
    [
        names.of_keeping(RUN, "server1", "0a1b2c3d"),
        names.of_lock(f"{RUN} 17"),
        names.of_release(f"{RUN} 17"),
        names.of_unlock("0a1b2c3d"),
        names.of_backup("0a1b2c3d"),
        names.of_attempt(RUN, "stage", "server2", 1),
        names.of_attempt("00000000", "stage", "server1", 1),
        f"{RUN}-stage-server1-0",
    ],
)
def test_what_is_no_step_of_that_run_on_that_host_is_not_read_as_one(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", name)
    with pytest.raises(ValueError, match="no step of run ab12cd34 has such a job"):
        names.read(name, RUN, "server1", ROUNDS)


@pytest.mark.parametrize("module", sorted(ENGINE.glob("*.py")), ids=lambda path: path.stem)
def test_the_engine_takes_no_name_apart_and_knows_no_kind_of_run(module: Path) -> None:
    taken_apart = re.compile(r'rehears|dry|undo-|"/"')
    code = re.sub(r'"""[\s\S]*?"""|#.*', "", module.read_text())
    assert [] == [line for line in code.splitlines() if taken_apart.search(line)]
