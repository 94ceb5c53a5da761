"""Jobs as scripts that a real shell runs."""

import subprocess
from pathlib import Path

from orchestrator.host.operations import Operation
from orchestrator.remote.job_script import job_script


def shell(script: str, where: Path | None = None, program: str = "sh") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program], input=script, cwd=where, capture_output=True, text=True, timeout=60, check=False
    )


def perform(
    operations: list[Operation], where: Path, program: str = "sh"
) -> subprocess.CompletedProcess[str]:
    script, payloads = job_script(operations)
    for name, content in payloads.items():
        (where / name).write_bytes(content)
    return shell(script, where, program)
