"""Clients that the plan moves: orchestrator/etcd/checks/client_units.py."""

import base64
from pathlib import Path

from support.judging import Case, Change, fails, found, gone, lies, plan, prints, sha256

from orchestrator.plan.facts import ClientFile
from orchestrator.plan.model import Clients, Watch
from orchestrator.plan.sections import ClientFile as Replaced
from orchestrator.plan.sections import ClientUnit

PATH = "/etc/patroni/config.yml"
HEALTHY = "patronictl list"


def patroni(healthy: str | None = HEALTHY) -> Clients:
    file = Replaced(path=PATH, content=Path("patroni/{name}.yml"))
    return Clients(units=(ClientUnit(unit="patroni", on=("server1",), files=(file,), healthy=healthy),))


WATCH = plan(watch=Watch(quiet_s=10.0))
UNITS = plan(clients=patroni())
FILES = found(
    "server1",
    client_files=(
        ClientFile(
            path=PATH,
            sha256=sha256("http"),
            replaced_sha256=sha256("https"),
            mode=0o640,
            owner="root",
            group="root",
        ),
    ),
)


def heard(since_s: float, journal: str = "", state: str = "active") -> Change:
    encoded = base64.b64encode(journal.encode()).decode()
    return prints(
        "server1", "watched.SINCE_CHANGE 10 patroni", f"since {since_s}\nunit patroni {state} {encoded}\n"
    )


ASKED = "watched.HEALTHY patronictl list"

# fmt: off
CASES = (
    Case("holding_client_files", "bridged"),  # nobody is moved
    Case("holding_client_files", "bridged", (FILES, lies("server1", PATH, "https", 0o640))),
    Case("holding_client_files", "bridged", (FILES, lies("server1", PATH, "http", 0o640)), f"{PATH} is not as the plan has it"),
    Case("holding_client_files", "bridged", (FILES, lies("server1", PATH, "https", 0o644)), f"{PATH} is 0644 root:root, which it was not"),
    Case("holding_client_files", "bridged", (FILES, lies("server1", PATH, "https", 0o640), gone("server1", PATH)), f"{PATH} is missing"),
    Case("holding_client_files_as_found", "bridged"),
    Case("holding_client_files_as_found", "bridged", (FILES, lies("server1", PATH, "http", 0o640))),
    Case("holding_client_files_as_found", "bridged", (FILES, lies("server1", PATH, "https", 0o640)), f"{PATH} is not as it was found"),
    Case("client_units_active", "bridged"),
    Case("client_units_active", "bridged", (UNITS,), host="server2"),  # it does not run there
    Case("client_units_active", "bridged", (UNITS, WATCH, heard(10.0, "I am (a), the leader with the lock\n"))),
    Case("client_units_active", "bridged", (UNITS, WATCH, heard(9.9)), "patroni: watched for 10 of 10 s"),
    Case("client_units_active", "bridged", (UNITS, WATCH, heard(12.0, state="failed")), "patroni is failed"),
    Case("client_units_active", "bridged", (UNITS, WATCH, heard(12.0, "connection refused\n")), "patroni reports 1 errors in the last 10 s"),
    Case("client_units_active", "bridged", (UNITS, WATCH, fails("server1", "watched.SINCE_CHANGE")), "cannot tell: timed out"),
    Case("client_units_healthy", "bridged"),
    Case("client_units_healthy", "bridged", (plan(clients=patroni(None)),)),
    Case("client_units_healthy", "bridged", (UNITS,), host="server2"),
    Case("client_units_healthy", "bridged", (UNITS, prints("server1", ASKED, ""))),
    Case("client_units_healthy", "bridged", (UNITS, fails("server1", ASKED, "no leader")), "patroni is not well, says its command 'healthy': no leader"),
    Case("client_units_healthy", "bridged", (UNITS, fails("server1", ASKED, "", 124)), "no answer in time"),
)
# fmt: on
