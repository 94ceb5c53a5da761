"""Each import that the architecture forbids is planted in a copy, and lint-imports sees it.

Tests have a rule of their own: what several of them need is in tests/support, or in a module beside them.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# (file, planted import, the broken contract): the module that grows the import is new or has others already
WRONG = [
    ("commands/check.py", "import paramiko", "only remote speaks SSH"),
    ("session.py", "import paramiko", "only remote speaks SSH"),
    ("lab/lifecycle/lab.py", "from paramiko.client import SSHClient", "only remote speaks SSH"),
    ("report/new.py", "import paramiko", "only remote speaks SSH"),
    ("engine/step.py", "import transitions", "only the engine's machine uses transitions"),
    ("remote/ssh.py", "import transitions", "only the engine's machine uses transitions"),
    ("commands/check.py", "import tenacity", "only gates and connections retry"),
    ("engine/step.py", "from tenacity import Retrying", "only gates and connections retry"),
    ("etcd/new.py", "import tenacity", "only gates and connections retry"),
    ("etcd/gather.py", "from ruamel.yaml import YAML", "only plans and etcd's"),
    ("engine/run.py", "import rich", "only what is shown uses rich"),
    ("report/status.py", "import jinja2", "only the report's page is written in HTML"),
    ("commands/check.py", "from markupsafe import Markup", "only the report's page is written in HTML"),
    ("engine/run.py", "import structlog", "only the event lines use structlog"),
    ("lab/lifecycle/lab.py", "from orchestrator.etcd import settings", "the lab knows plan files"),
    ("lab/machine/network.py", "from orchestrator.host import operations", "the lab knows plan files"),
    ("lab/proof/new.py", "from orchestrator.remote import script", "the lab knows plan files"),
    ("lab/new.py", "", "imports inside the lab"),
    ("lab/new/__init__.py", "", "imports inside the lab"),
    ("lab/machine/network.py", "from orchestrator.lab.hosts import host", "imports inside the lab"),
    ("lab/hosts/host.py", "from orchestrator.lab.clients import probe", "imports inside the lab"),
    ("lab/clients/crowd.py", "from orchestrator.lab.lifecycle import lab", "imports inside the lab"),
    ("lab/lifecycle/lab.py", "from orchestrator.lab.proof import access", "imports inside the lab"),
    ("cli/program.py", "from orchestrator.lab.lifecycle import lab", "nothing but the command line"),
    ("lab/faults/strikes.py", "from orchestrator.lab.proof import posts", "imports inside the lab"),
    ("commands/check.py", "from orchestrator.lab.lifecycle import lab", "nothing but the command line"),
    ("etcd/facts/process.py", "from orchestrator.etcd.checks import fixes", "imports inside etcd"),
    ("etcd/facts/new.py", "from orchestrator.etcd import actions", "imports inside etcd"),
    ("etcd/api/words.py", "from orchestrator.etcd.facts import hashes", "imports inside etcd"),
    ("etcd/checks/room.py", "from orchestrator.etcd import gather", "imports inside etcd"),
    ("etcd/actions.py", "from orchestrator.etcd.checks import health", "imports inside etcd"),
    ("etcd/new.py", "", "imports inside etcd"),
    ("etcd/new/__init__.py", "", "imports inside etcd"),
    ("plan/model.py", "from orchestrator.etcd import settings", "imports go one way"),
    ("probe/v3.py", "from orchestrator.lab.hosts import host", "imports go one way"),
    ("etcd/gather.py", "from orchestrator.remote import script", "imports go one way"),
    ("engine/run.py", "from orchestrator.commands import check", "imports go one way"),
    ("runbook/model.py", "from orchestrator.remote import script", "imports go one way"),
    ("text.py", "from orchestrator.host import operations", "imports go one way"),
    ("unplaced.py", "", "imports go one way"),
    ("unplaced/__init__.py", "", "imports go one way"),
    ("plan/spelling.py", "from orchestrator.plan import kinds", "packages have no cycles inside"),
    ("etcd/settings.py", "from orchestrator.etcd import files", "packages have no cycles inside"),
]


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", LINT, "--no-cache", "--config", str(folder / "pyproject.toml"))
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "orchestrator", tmp_path / "orchestrator", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_package_as_it_is_keeps_every_contract(copy: Path) -> None:
    result = linted(copy)
    assert (0, True) == (result.returncode, " 0 broken" in result.stdout), result.stdout + result.stderr


@pytest.mark.parametrize(("file", "line", "contract"), WRONG)
def test_a_wrong_import_breaks_its_contract(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / "orchestrator" / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    result = linted(copy)
    broken = [each for each in result.stdout.splitlines() if " BROKEN" in each]
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(each.startswith(contract) for each in broken), result.stdout


def from_tests(source: str) -> list[str]:
    """The test modules that a module imports from."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = [
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in nodes
        for alias in node.names
    ]
    return [name for name in imported if any(part.startswith("test_") for part in name.split("."))]


def test_no_module_imports_from_a_test_module() -> None:
    modules = sorted((ROOT / "tests").rglob("*.py"))
    found = {str(path.relative_to(ROOT)): from_tests(path.read_text()) for path in modules}
    assert len(found) > 100
    assert {} == {path: names for path, names in found.items() if names}


@pytest.mark.parametrize(
    "line", ["from unit.test_cli import run", "import unit.test_cli", "from unit import test_cli as cli"]
)
def test_an_import_from_a_test_module_is_seen(line: str) -> None:
    assert ["test_cli"] == [name.split(".")[1] for name in from_tests(line)]


def test_checks_ask_nothing_themselves() -> None:
    """A check is a pure predicate over facts: what is asked, and how it is read, lies with the facts."""
    folder = ROOT / "orchestrator" / "etcd" / "checks"
    assert [] == [path.name for path in sorted(folder.glob("*.py")) if "Script(" in path.read_text()]
