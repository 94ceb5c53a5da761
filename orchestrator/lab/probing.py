"""Start the prober on a lab's bastion, follow it, and stop it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from orchestrator.lab.command import LabError, wait_until
from orchestrator.lab.lab import Lab
from orchestrator.lab.tally import ProbeReport

MODULE = "orchestrator.lab.prober"


@dataclass(frozen=True, slots=True)
class RunningProber:
    """A prober at work on the bastion; it ends when we do."""

    process: subprocess.Popen[bytes]
    log: Path
    report: Path

    @classmethod
    def start(cls, lab: Lab, *, interval_ms: float = 10.0) -> "RunningProber":
        """Start a prober of all members of the lab's cluster."""
        cluster = lab.cluster
        log, report = lab.directory / "logs/prober.log", lab.directory / "prober.json"
        report.unlink(missing_ok=True)
        argv = [sys.executable, "-m", MODULE, "--port", str(cluster.ports.client), "--report", str(report)]
        for member in cluster.members:
            argv += ["--address", member.address]
        tls = cluster.tls
        argv += ["--ca", str(tls.ca), "--certificate", str(tls.client_certificate)]
        argv += ["--key", str(tls.client_key), "--interval-ms", f"{interval_ms:g}"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                lab.command(argv),
                stdin=subprocess.PIPE,  # its end tells the prober to stop, even if we are killed
                stdout=output,
                stderr=subprocess.STDOUT,
                env=lab.environment(),
                start_new_session=True,  # Ctrl-C at our terminal is not meant for it
            )
        return cls(process, log, report)

    def wait_for_writes(self, *, for_s: float = 1.0, timeout_s: float = 30.0) -> None:
        """Wait until it has been writing for that long from now on, with success."""
        since = self.progress()
        wait_until(
            lambda: self._has_advanced(since, for_s),
            "the prober's writes are acknowledged",
            timeout_s=timeout_s,
        )

    def _has_advanced(self, since: "Progress", for_s: float) -> bool:
        if self.process.poll() is not None:
            raise LabError(f"the prober ended by itself:\n{self.log.read_text(errors='replace')[-2000:]}")
        now = self.progress()
        return now.after_s - since.after_s >= for_s and now.acknowledged > since.acknowledged

    def progress(self) -> "Progress":
        """Return what the prober last said of itself."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.startswith("{")]
        try:
            last = json.loads(lines[-1])
        except (IndexError, ValueError):  # nothing said yet, or half a line
            return Progress(0.0, 0)
        return Progress(last["after_s"], last["acknowledged"])

    def stop(self, *, timeout_s: float = 180.0) -> ProbeReport:
        """Stop writing, have everything read back from every member, and return the report."""
        try:
            self.process.communicate(timeout=timeout_s)
            return ProbeReport.model_validate_json(self.report.read_text())
        except subprocess.TimeoutExpired as cause:
            self.kill()
            raise LabError(f"the prober does not end; its log is {self.log}") from cause
        except (FileNotFoundError, ValidationError) as cause:
            said = self.log.read_text(errors="replace")[-2000:]
            raise LabError(f"the prober left no report; it said:\n{said}") from cause

    def kill(self) -> None:
        """End the prober at once, without a report."""
        self.process.kill()
        self.process.communicate()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the prober is: seconds since its first write, and writes acknowledged."""

    after_s: float
    acknowledged: int
