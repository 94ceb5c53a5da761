"""What local clients log: orchestrator/etcd/checks/local_clients.py."""

import base64

from support.judging import Case, Change, fails, plan, prints

from orchestrator.plan.model import Watch

UNITS = plan(watch=Watch(units=("fleet", "flanneld"), quiet_s=10.0))


def heard(since_s: float, fleet: str = "", state: str = "active") -> Change:
    journal = base64.b64encode(fleet.encode()).decode()
    units = f"unit fleet {state} {journal}\nunit flanneld active \n"
    return prints("server1", "watched.SINCE_RESTART", f"since {since_s}\n{units}")


# fmt: off
CASES = (
    Case("local_clients_healthy", "switched"),  # nobody is watched
    Case("local_clients_healthy", "switched", (UNITS, heard(12.0, "Engine leadership changed\n"))),
    Case("local_clients_healthy", "switched", (UNITS, heard(10.0))),
    Case("local_clients_healthy", "switched", (UNITS, heard(9.9)),
         "watching fleet, flanneld: 10 of 10 s since the restart"),
    Case("local_clients_healthy", "switched", (UNITS, heard(12.0, state="failed")), "fleet is failed"),
    Case("local_clients_healthy", "switched", (UNITS, heard(12.0, "ok\nERROR: not reachable\n")),
         "fleet reports 1 errors in the last 10 s: ERROR: not reachable"),
    Case("local_clients_healthy", "switched", (UNITS, fails("server1", "watched.SINCE_RESTART")), "cannot tell: timed out"),
    Case("local_clients_healthy", "switched", (UNITS, prints("server1", "watched.SINCE_RESTART", "since x\n")), "cannot tell"),
)
# fmt: on
