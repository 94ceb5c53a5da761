"""What a command that touches hosts imports costs its operator time at every call."""

import subprocess
import sys


def test_nothing_is_imported_for_match_exec_which_is_never_followed() -> None:
    wanted = "{'paramiko', 'invoke.tasks', 'unittest'}"
    code = f"import sys, orchestrator.remote.ssh; print(*{wanted} & {{*sys.modules}})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ["paramiko"] == found.stdout.split()
