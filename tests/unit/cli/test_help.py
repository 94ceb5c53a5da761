"""Help is plain, whole, and there at once: in a pipe, in a log, and on a busy bastion."""

import subprocess
import sys

import pytest

MODULES = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"


def helped(*words: str) -> subprocess.CompletedProcess[str]:
    """Ask for help in a process of its own, whose modules are on its stderr."""
    code = f"{MODULES}; sys.argv[1:] = {[*words, '--help']!r}; from orchestrator.cli.main import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.parametrize("group", [(), ("lab",), ("schema",)], ids="-".join)
def test_a_list_of_commands_says_all_of_what_each_does(group: tuple[str, ...]) -> None:
    _, commands, said = helped(*group).stdout.partition("Commands:")
    assert commands
    assert "..." not in said


def test_help_takes_none_of_what_only_draws_or_connects() -> None:
    loaded = {name.partition(".")[0] for name in helped("run").stderr.split()}
    assert {"typer", "orchestrator"} <= loaded
    assert set() == loaded & {"rich", "paramiko", "transitions", "structlog", "tenacity"}
