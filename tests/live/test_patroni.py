"""Patroni with PostgreSQL is moved to https by the plan of its page, and back, while transactions go on."""

import json
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.packages import layer
from live.stories import failure, orchestrator, shell, wait_until_healthy, written

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine.programs import wait_until
from orchestrator.lab.provisioning.plan_copy import PLAN

PAGE = Path(__file__).parents[2] / "docs/clients/patroni.md"
PATRONICTL = "patronictl -c /etc/patroni/config.yml"
BIN = "/usr/lib/postgresql/15/bin"
A_SECOND = 25
LONGEST_S = 900
PATIENCE_S = 2.0  # for one transaction, from when it was due
# More patience than usual: three hosts share what this machine has, and a node that cannot renew its lock in
# time restarts its PostgreSQL, whatever keeps it from that. A shorter loop only spares the test time.
CONFIGURATION = """\
scope: demo
name: {name}
restapi: {{listen: "{address}:8008", connect_address: "{address}:8008"}}
{etcd3}
bootstrap:
  dcs: {{ttl: 60, loop_wait: 2, retry_timeout: 25}}
  initdb: [encoding: UTF8, data-checksums]
  pg_hba: [host all all 198.18.0.0/15 scram-sha-256, host replication replicator 198.18.0.0/15 scram-sha-256]
postgresql:
  listen: "{address},127.0.0.1:5432"
  connect_address: "{address}:5432"
  data_dir: /var/lib/postgresql/15/demo
  bin_dir: {bin}
  parameters: {{unix_socket_directories: /var/run/postgresql, fsync: "off"}}
  authentication:
    superuser: {{username: postgres, password: hunter2}}
    replication: {{username: replicator, password: hunter2}}
"""


def of_page(language: str, beginning: str) -> str:
    """The block of that language on the page that begins like this."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return next(
        text for text in (textwrap.dedent(block) for _, block in blocks) if text.startswith(beginning)
    )


HTTPS = of_page("yaml", "etcd3:")
HTTP = "".join(
    line for line in HTTPS.splitlines(keepends=True) if not re.match(r" +(protocol|ca|cert|key|use)", line)
).replace("2378", "2379")


@dataclass(frozen=True, slots=True)
class Load:
    """What a load of transactions came to; the longest one is counted from when it was due."""

    transactions: int
    failed: int
    longest_s: float


@pytest.fixture
def databases(base_system: Path, tmp_path: Path) -> Iterator[Lab]:
    """Three hosts with etcd, Patroni and PostgreSQL, and the page's plan."""
    plan = tmp_path / "plan.yaml"
    clients, units = of_page("yaml", "clients:").split("  units:\n")
    plan.write_text(f"{THREE_MEMBERS.read_text()}{clients.rstrip()}\n  quiet: 10s\n")
    with booted(FRESH, plan, above=(layer(base_system, "patroni", "postgresql-15"),)) as lab:
        lab.plan.write_text(f"{lab.plan.read_text().rstrip()}\n  units:\n{units}")  # are nobody's in a lab
        for host in lab.hosts:
            furnish(lab, host)
            shell(host, "systemctl start patroni")
            wait_until(lambda: len(running(lab)) > lab.hosts.index(host), "Patroni runs", timeout_s=60)  # noqa: B023
        yield lab


def furnish(lab: Lab, host: Host) -> None:
    """Its configuration with http, the new one beside the plan, and what the page wants before a run."""
    values = {"name": host.name, "address": host.entry.address, "bin": BIN}
    written(host, "etc/patroni/config.yml", CONFIGURATION.format(**values, etcd3=HTTP), mode=0o640)
    new = lab.directory / f"patroni/{host.name}.yml"
    new.parent.mkdir(exist_ok=True)
    new.write_text(CONFIGURATION.format(**values, etcd3=HTTPS))
    tls = lab.cluster.tls
    files = {"ca.pem": tls.ca, "client.pem": tls.client_certificate, "client-key.pem": tls.client_key}
    for name, file in files.items():
        written(host, f"root/{name}", file.read_text(), mode=0o600)
    shell(host, "chown root:postgres /etc/patroni/config.yml")
    shell(host, f"cd /root\n{of_page('sh', 'install')}")


def members(lab: Lab) -> list[dict[str, Any]]:
    listed = lab.hosts[0].run(["sh", "-c", f"{PATRONICTL} list -f json"], check=False)
    found: list[dict[str, Any]] = json.loads(listed.stdout) if listed.returncode == 0 else []
    return found


def running(lab: Lab) -> list[str]:
    return [one["Member"] for one in members(lab) if one["State"] in {"running", "streaming"}]


def roles(lab: Lab) -> dict[str, tuple[str, int]]:
    """Each member's role and timeline: a fail-over changes both."""
    return {one["Member"]: (one["Role"], one["TL"]) for one in members(lab)}


def said(lab: Lab) -> str:
    """What Patroni logged of its leadership, on every host."""
    words = "promot|demot|leader|lock|failed|Timeout|refused"
    command = f"journalctl --unit patroni --output short-precise --no-pager | grep -Ei '{words}' | tail -n 60"
    return "\n".join(shell(host, command) for host in lab.hosts)


@contextmanager
def loaded(lab: Lab, name: str) -> Iterator[list[Load]]:
    """A load of transactions through the leader, on one connection; its account is there behind the end."""
    host, unit = lab.hosts[1], f"load-{name}"
    leader = next(member for member, (role, _) in roles(lab).items() if role == "Leader")
    to = f"--host={lab.host(leader).entry.address} --username=postgres postgres"
    steady = f"--no-vacuum --log --log-prefix=/tmp/{unit} --rate={A_SECOND} --time={LONGEST_S}"
    said = f"-p StandardOutput=file:/tmp/{unit}.said -p StandardError=file:/tmp/{unit}.said"
    start = f"systemd-run --quiet --uid=postgres --setenv=PGPASSWORD=hunter2 {said}"
    shell(host, f"{start} --wait {BIN}/pgbench --initialize --quiet {to}")
    shell(host, f"{start} --unit={unit} {BIN}/pgbench {steady} {to}")
    loads: list[Load] = []
    yield loads
    # the signal with which it ends after --time
    ended = f"while systemctl is-active --quiet {unit}; do sleep 0.1; done"
    shell(host, f"systemctl kill --signal=ALRM {unit}; {ended}")
    loads.append(counted(shell(host, f"cat /tmp/{unit}.said"), shell(host, f"cat /tmp/{unit}.[0-9]*")))


def counted(said: str, log: str) -> Load:
    """Read what pgbench said at its end, and its log of transactions."""
    failed = re.search(r"number of failed transactions: (\d+)", said)
    assert failed, said
    took_us = [int(line.split()[2]) for line in log.splitlines()]
    return Load(len(took_us), int(failed[1]), max(took_us) / 1e6)


def succeeds(lab: Lab, *arguments: str) -> None:
    done = orchestrator(lab, *arguments)
    assert done.returncode == 0, failure(done)


def test_no_transaction_fails_and_no_node_takes_over(databases: Lab) -> None:
    lab = databases
    before = roles(lab)
    assert sorted(before.values()) == [("Leader", 1), ("Replica", 1), ("Replica", 1)]
    with loaded(lab, "there") as there:
        succeeds(lab, "run", PLAN, "--yes")  # to its end: nobody speaks plain http any more
    assert before == roles(lab), said(lab)
    with loaded(lab, "back") as back:
        succeeds(lab, "rollback", PLAN, "--yes")
        wait_until_healthy(lab)
    assert before == roles(lab), said(lab)
    for host in lab.hosts:
        assert "protocol" not in shell(host, "cat /etc/patroni/config.yml")
    for load in (*there, *back):
        assert load.failed == 0, load
        assert load.transactions > 20 * A_SECOND, load
        assert load.longest_s < PATIENCE_S, load
