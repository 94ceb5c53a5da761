"""Rehearse the whole guide four times, both orders, both interfaces; print the stalls as a Markdown table.

The proxy refreshes every 5 s here instead of every 30 s, which shortens the runs and nothing else.
Every stall is what an operator would see, as the probers write all the while. As root.
"""

import sys
import tempfile
from pathlib import Path

from orchestrator.lab.proof.outcome import Outcome, shortcomings
from orchestrator.lab.proof.rehearsal import program, rehearse
from orchestrator.lab.provisioning.plan_copy import PLAN

WHOLE_GUIDE = Path(__file__).parents[2] / "plans" / "whole-guide.yaml"
REFRESH = {"ETCD_PROXY_REFRESH_INTERVAL": "5000"}
HEAD = ("strategy", "api", "through", "writes", "failed", "lost", "longest stall", "program")


def rows(strategy: str, api: str, outcome: Outcome) -> list[tuple[str, ...]]:
    """One row for each way to the cluster."""
    return [
        (
            *(strategy, api, name, str(report.attempts), str(report.failed), str(report.lost)),
            *(f"{report.longest_stall_s:.3f} s", f"{outcome.program_took_s:.0f} s"),
        )
        for name, report in {"every member": outcome.probe, **outcome.single_ways}.items()
    ]


def rehearsed(strategy: str, api: str, folder: Path) -> Outcome:
    """Migrate the whole-guide plan in one order through one interface."""
    plan = folder / f"{strategy}-{api}.yaml"
    text = WHOLE_GUIDE.read_text().replace("strategy: bridge ", f"strategy: {strategy} ")
    plan.write_text(text.replace("api: auto ", f"api: {api} "))
    command = program("run", PLAN, "--yes", "--accept-risk")
    log = plan.with_suffix(".log")
    return rehearse(plan, command, prefix="orn", proxy_settings=REFRESH, log=log)


def main() -> int:
    """Print the table; fail if a run did not end, or a write was lost."""
    is_good = True
    sys.stdout.write("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        for strategy in ("bridge", "guide"):
            for api in ("v3", "v2"):
                outcome = rehearsed(strategy, api, Path(folder))
                for row in rows(strategy, api, outcome):
                    sys.stdout.write("| " + " | ".join(row) + " |\n")
                sys.stdout.flush()
                for sentence in shortcomings(outcome):
                    sys.stderr.write(f"{strategy} {api}: {sentence}\n")
                if outcome.program_exit != 0:
                    log = Path(folder, f"{strategy}-{api}.log")
                    sys.stderr.write(log.read_text(errors="replace")[-3000:])
                lost = outcome.probe.lost + sum(report.lost for report in outcome.single_ways.values())
                is_good = is_good and lost == 0 and outcome.program_exit == 0
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
