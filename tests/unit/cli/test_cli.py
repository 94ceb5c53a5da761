"""The command line: exit codes are a stable interface, and errors say what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAN = Path(__file__).parents[3] / "plans" / "three-members.yaml"


def program(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **more}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@pytest.mark.parametrize(
    "arguments", [("frobnicate",), ("run",), ("run", "--frobnicate"), ("table", "nonesuch")]
)
def test_usage_errors_exit_64(arguments: tuple[str, ...]) -> None:
    done = program(*arguments)
    assert (64, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("error: ")


def test_a_usage_error_names_what_is_missing_and_the_help_of_its_own_command() -> None:
    said = program("check").stderr
    assert said.startswith("error: Missing argument 'PLAN'. See: ")
    assert said.endswith(" check --help\n")


def test_a_plan_with_several_faults_exits_3_with_a_line_for_each(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        PLAN.read_text()
        .replace("name: server3, address: 198.18.0.103", "name: server3, adress: 198.18.0.103")
        .replace("port: 22", "port: ssh")
        .replace("strategy: bridge", "strategy: brigde")
    )
    done = program("run", plan, "--yes")

    assert done.returncode == 3
    lines = done.stderr.splitlines()
    for place in ("5:", "9:", "10:"):
        assert any(f"plan.yaml:{place}" in line for line in lines), done.stderr
    assert "did you mean 'address'" in done.stderr
    assert not (tmp_path / "plan.yaml.state.jsonl").exists()


def test_data_is_restored_to_what_was_found_alone() -> None:
    done = program("rehearse", PLAN, "--with-data")
    assert (64, "") == (done.returncode, done.stdout)
    assert f"rehearse {PLAN} --as-found --with-data" in done.stderr


def test_resuming_nothing_is_a_usage_error_or_a_fault_of_the_plan(tmp_path: Path) -> None:
    done = program("run", tmp_path / "nowhere.yaml", "--resume")
    assert done.returncode == 3
    assert "nowhere.yaml" in done.stderr


def test_version_help_table_and_graph_need_no_plan() -> None:
    for arguments in (("--version",), ("--help",), ("table",), ("graph", "bridge")):
        done = program(*arguments)
        assert (0, "") == (done.returncode, done.stderr), arguments
        assert done.stdout


def test_help_needs_none_of_the_heavy_modules() -> None:
    probe = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "import runpy, json, contextlib\n"
        "with contextlib.suppress(SystemExit):\n"
        "    runpy.run_module('orchestrator', run_name='__main__')\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert not modules & {"paramiko", "pydantic", "cryptography", "ruamel.yaml", "transitions"}


def test_no_program_that_we_start_sees_etcds_password(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f"#!/bin/sh\n(echo ssh; env) >> {seen}\necho \"proxycommand sh -c '(echo proxy; env) >> {seen}'\"\n"
    )
    ssh.chmod(0o755)
    done = program(
        "hostkeys", PLAN, PATH=f"{tmp_path}:{os.environ['PATH']}", ETCDCTL_USER="root:PLANTED", MARK="1"
    )
    assert 4 == done.returncode, done.stderr
    lines = seen.read_text().splitlines()
    assert {"ssh", "proxy", "MARK=1"} <= set(lines)
    assert not [line for line in lines if "PLANTED" in line]
