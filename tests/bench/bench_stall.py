"""Rehearse the shipped plan several times; print each longest write stall, and the median.

The stall is also given as a multiple of the run's own median write latency, which is what compares between
machines. Usage: bench_stall.py [RUNS], five unless told; as root.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from orchestrator.lab.proof.outcome import shortcomings
from orchestrator.lab.proof.rehearsal import program, rehearse
from orchestrator.lab.provisioning.plan_copy import PLAN

THREE_MEMBERS = Path(__file__).parents[2] / "plans" / "three-members.yaml"
LIMIT_S = 0.3


def main(runs: int) -> int:
    stalls = []
    sys.stdout.write("run  stall_s  stall/median_write  writes  failed  lost  restarts  program_s\n")
    for number in range(1, runs + 1):
        with tempfile.NamedTemporaryFile() as log:
            command = program("run", PLAN, "--yes")
            outcome = rehearse(THREE_MEMBERS, command, prefix="orn", log=Path(log.name))
        probe = outcome.probe
        stalls.append(probe.longest_stall_s)
        ratio = probe.longest_stall_s / probe.median_latency_s
        restarts = "+".join(str(member.restarts) for member in outcome.members)
        sys.stdout.write(
            f"{number:3}  {probe.longest_stall_s:7.3f}  {ratio:18.1f}  {probe.attempts:6}  {probe.failed:6}  "
            f"{probe.lost:4}  {restarts:>8}  {outcome.program_took_s:9.1f}\n"
        )
        for sentence in shortcomings(outcome):
            sys.stdout.write(f"     not proved: {sentence}\n")
        sys.stdout.flush()
    median = statistics.median(stalls)
    verdict = "within" if median < LIMIT_S else "OVER"
    sys.stdout.write(f"median of the longest stalls: {median:.3f} s, {verdict} {LIMIT_S} s\n")
    return 0 if median < LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
