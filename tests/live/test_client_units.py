"""`clients.units` on real hosts, members' and another: a client is moved to https, and given back."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import failure, orchestrator, shell, written

from orchestrator.host import places
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

UNIT, FILE, PROGRAM, FAILED = "poller", "etc/poller.env", "usr/local/bin/poller", "/run/poller-failed"
WATCHED = "etc/poller.secret"
# One read after the other with what its file says at that moment; a failure stays to be counted.
POLLER = f"""#!/bin/sh
while :; do
  . /{FILE}
  if etcdctl get a >/run/poller-last 2>&1
  then date +%s >/run/poller-well
  else cat /run/poller-last >>{FAILED}
  fi
  sleep 0.2
done
"""
SERVICE = f"""[Service]
ExecStart=/bin/sh /{PROGRAM}
"""
HTTP = """export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://198.18.0.101:2379,http://198.18.0.102:2379
PASSWORD=hunter2
"""
HTTPS = """export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=https://198.18.0.101:2378,https://198.18.0.102:2378
export ETCDCTL_CACERT=/etc/etcd2/ca.pem
export ETCDCTL_CERT=/etc/etcd2/{name}.pem ETCDCTL_KEY=/etc/etcd2/{name}-key.pem
PASSWORD=hunter3
"""
APP = "{name: app1, address: 198.18.0.121}"
# A lab boots hosts that run etcd: this one is a proxy there, until its etcd is stopped.
CLIENTS = f"""
proxies:
  - {APP}
clients:
  overlap: true
  quiet: 5s
"""
UNITS = f"""  hosts:
    - {APP}
  units:
    - unit: {UNIT}
      on: [server1, server3, app1]
      files:
        - {{path: /{FILE}, content: "poller/{{name}}.env"}}
        - {{path: /{WATCHED}, content: "poller/secret"}}
      healthy: test $(($(date +%s) - $(cat /run/poller-well))) -le 3
"""


@pytest.fixture
def moving_lab(base_system: Path, tmp_path: Path) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{THREE_MEMBERS.read_text()}{CLIENTS}")
    with booted(FRESH, plan) as lab:
        text = lab.plan.read_text().replace(f"proxies:\n  - {APP}\n", "").rstrip()
        assert APP not in text
        lab.plan.write_text(f"{text}\n{UNITS}")  # its clients are nobody's in a lab
        yield lab


def furnished(lab: Lab) -> tuple[Host, Host, Host]:
    one, _, three, app = lab.hosts
    shell(app, "systemctl stop etcd2 && mkdir /etc/etcd2")
    entry = app.entry  # its certificate and the CA are there before the run, as docs/clients/index.md has it
    for source, name in ((lab.cluster.tls.ca, "ca"), (entry.certificate, "app1"), (entry.key, "app1-key")):
        written(app, f"etc/etcd2/{name}.pem", source.read_text())
    (lab.directory / "poller").mkdir()
    (lab.directory / "poller/secret").write_text("https\n")
    for host in (one, three, app):
        written(host, PROGRAM, POLLER)
        written(host, FILE, HTTP)
        written(host, WATCHED, "http\n", mode=0o640)
        shell(host, f"chown root:etcd /{WATCHED}")
        written(host, f"etc/systemd/system/{UNIT}.service", SERVICE)
        (lab.directory / f"poller/{host.name}.env").write_text(HTTPS.replace("{name}", host.name))
        shell(host, f"systemctl start {UNIT}; sleep 1")
    return one, three, app


def as_it_lies(host: Host) -> str:
    return shell(host, f"sha256sum /{FILE} /{WATCHED}; stat -c '%a %U:%G' /{FILE} /{WATCHED}")


def failures(host: Host) -> str:
    return shell(host, f"cat {FAILED} 2>/dev/null || true")


def test_a_client_is_moved_and_given_back_and_never_fails(moving_lab: Lab) -> None:
    lab = moving_lab
    one, three, app = hosts = furnished(lab)
    before = [as_it_lies(host) for host in hosts]

    shell(app, f"systemctl stop {UNIT}")
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 5, failure(done)
    assert f"{UNIT}.service is inactive" in done.stdout
    assert "moved clients (app1)" in done.stderr
    shell(app, f"systemctl start {UNIT}; sleep 1")

    done = orchestrator(lab, "run", PLAN, "--dry-run")
    assert done.returncode == 0, failure(done)
    shown = [line.strip() for line in done.stdout.splitlines()]
    assert "| -export ETCDCTL_API=..." in shown  # no values but those of a kind that is harmless
    assert "hunter" not in done.stdout
    assert "| (what differs is not shown: not everybody may read the file, 0640 root:etcd)" in shown
    assert f"run systemctl try-restart {UNIT}.service" in shown
    assert "move-clients-elsewhere" in done.stdout

    # a file that somebody has changed since stays as it is, and the run goes on once it is put back
    done = orchestrator(lab, "run", PLAN, "--yes", "--until", "bridged")
    assert done.returncode == 0, failure(done)
    written(three, FILE, f"{HTTP}# by hand\n")
    done = orchestrator(lab, "run", PLAN, "--resume", "--yes", "--until", "moved")
    assert done.returncode != 0
    assert "somebody has changed it, and it stays as it is" in done.stderr + done.stdout, failure(done)
    assert shell(three, f"cat /{FILE}") == f"{HTTP}# by hand\n"
    assert shell(one, f"cat /{FILE}") == HTTPS.replace("{name}", "server1")
    written(three, FILE, HTTP)

    done = orchestrator(lab, "run", PLAN, "--resume", "--yes", "--until", "calling-safely")
    assert done.returncode == 0, failure(done)
    assert shell(app, f"cat /{FILE}") == HTTPS.replace("{name}", "app1")
    listed = orchestrator(lab, "clients", PLAN)
    assert " app1 (198.18.0.121) " in listed.stdout, failure(listed)
    assert "app1" in orchestrator(lab, "unlock", PLAN).stdout

    done = orchestrator(lab, "run", PLAN, "--resume", "--yes")
    assert done.returncode == 0, failure(done)
    for host in hosts:
        assert shell(host, f"cat /{FILE}") == HTTPS.replace("{name}", host.name)
        assert shell(host, f"stat -c '%a %U:%G' /{WATCHED}") == "640 root:etcd\n"
        assert shell(host, f"stat -c %a {places.REPLACED}/etc") == "700\n"
    assert shell(lab.hosts[1], f"ls {places.KEPT}").count("replaced") == 0
    status = orchestrator(lab, "status", PLAN)
    assert status.returncode == 0, failure(status)
    assert re.search(r"app1 +198\.18\.0\.121 +calling-safely +calling-safely", status.stdout), failure(status)

    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    assert before == [as_it_lies(host) for host in hosts]
    for host in hosts:
        assert shell(host, f"find {places.REPLACED} -type f") == ""
    assert ["", "", ""] == [failures(host) for host in hosts]
    state = (lab.directory / "plan.yaml.state.jsonl").read_text()
    assert "hunter" not in state
    assert hashlib.sha256(HTTP.encode()).hexdigest() in state
