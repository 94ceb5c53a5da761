"""The way back: a rollback behind a rehearsal, and whether every host is then as it was found."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.proof.outcome import WayBack
from orchestrator.plan.layout import HostLayout


def walk(lab: Lab, command: Sequence[str], log: Path | None) -> WayBack:
    """Run the command that undoes the migration, and look at every host. Its output goes behind the log's."""
    began = time.monotonic()
    exit_code = lab.execute(command, log=log and log.with_name(f"{log.name}.rollback"))
    took_s = time.monotonic() - began
    return WayBack(exit_code, took_s, tuple(_complaints(lab)))


def _complaints(lab: Lab) -> Iterator[str]:
    try:
        lab.wait_until_healthy()
    except LabError as error:
        yield f"After the rollback: {str(error).splitlines()[0]}."
    for host in lab.hosts:
        if lab.found:
            yield from _of_host(host, lab.found.hosts[host.name])


def _of_host(host: Host, found: HostLayout) -> Iterator[str]:
    """Yield which of a host's files are no longer as they were laid out."""
    wanted = {
        file.path: hashlib.sha256(file.text.encode(errors="surrogateescape")).hexdigest()
        for file in found.files
    }
    listed = host.run(["sha256sum", "--", *wanted], check=False).stdout.splitlines()
    seen = {path: digest for digest, _, path in (line.partition("  ") for line in listed)}
    for path, digest in wanted.items():
        if seen.get(path) != digest:
            yield f"{host.name}: {path} is not as it was found."
