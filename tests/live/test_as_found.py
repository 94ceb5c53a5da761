"""A rehearsal of the hosts as they are: booted as found, migrated, rolled back; by the same runbook."""

import re
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from live.conftest import FRESH, SHARED, THREE_MEMBERS, booted
from live.stories import LEISURE, OURS, failure, fingerprint, orchestrator, shell, wait_until_healthy, written

from orchestrator.commands import as_found, data
from orchestrator.etcd import effective
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab, down
from orchestrator.lab.proof.rehearsal import program, rehearse
from orchestrator.lab.proof.rendering import render
from orchestrator.lab.provisioning import initial_settings, login
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.probe import v3
from orchestrator.probe.http_session import Endpoint, Session
from orchestrator.session import open_session

SECRET = "hunter22"  # noqa: S105 - of nobody, and as long as what stands for it
WAL = "/var/lib/etcd-log"
KEYS = {f"/app/{number:03d}": f"value {number}" for number in range(300)} | {"/prober/theirs": "a key"}
LEASED = "/app/leased"
PROXY = f"HTTP_PROXY=http://anna:{SECRET}@proxy.example.org:3128\nNO_PROXY=*\n"


@pytest.fixture
def real(base_system: Path, tmp_path: Path) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    """Three members that stand for real ones, by DNS names, each laid out in another way."""
    plan = tmp_path / "plan.yaml"
    text = re.sub(r"198\.18\.0\.10(\d)", r"etcd\1.example.org", THREE_MEMBERS.read_text())
    known = "clients: {overlap: true}\n"  # by auto it would depend on who speaks http just then
    plan.write_text(f"{text}auth: {{user: migrator, password_file: password}}\n{known}")
    with booted(SHARED, plan) as lab:
        for host in lab.hosts:
            lay_out(lab, host)
            shell(host, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")
            wait_until_healthy(lab)
        yield lab


def lay_out(lab: Lab, host: Host) -> None:
    settings = initial_settings.of_member(lab.cluster, host.entry)
    host.drop_in.write_text("[Service]\n")
    drop_in = "[Service]\nEnvironment=\n"
    if host.name == "server1":  # as kubespray does, with a secret, a user and a program of its own
        lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
        written(host, "etc/etcd.env", lines + PROXY, mode=0o640)
        shell(host, "useradd --system kv; mkdir -p /opt/etcd; mv /usr/bin/etcd /opt/etcd/etcd-v3")
        shell(host, "ln -s /opt/etcd/etcd-v3 /usr/bin/etcd; chown -R kv /var/lib/etcd")
        drop_in += "User=kv\nEnvironmentFile=/etc/etcd.env\n"
    else:
        if host.name == "server3":  # its log on a disk of its own
            settings["ETCD_WAL_DIR"] = WAL
            shell(host, f"systemctl stop etcd2; cp -a {lab.data_directory(host)}/member/wal {WAL}")
        flags = (f"--{effective.flag(name)}={value}" for name, value in settings.items())
        drop_in += f"ExecStart=\nExecStart=/usr/bin/etcd {' '.join(flags)}\n"
    written(host, f"{OURS}/15-theirs.conf", drop_in)


def started(host: Host) -> str:
    """How a host's etcd is started: its unit, and its process with user, variables, arguments and program."""
    process = (
        "pid=$(systemctl show -p MainPID --value etcd2); stat -c %U /proc/$pid; readlink /proc/$pid/exe; "
        "tr '\\0' '\\n' < /proc/$pid/cmdline; tr '\\0' '\\n' < /proc/$pid/environ | grep ^ETCD_ | sort"
    )
    files = "stat -c '%n %a %U %G %s' /etc/etcd.env /usr/bin/etcd /opt/etcd/etcd-v3 2> /dev/null; true"
    return "\n".join((shell(host, "systemctl cat etcd2.service"), shell(host, process), shell(host, files)))


@contextmanager
def client(lab: Lab, host: Host) -> Iterator[Session]:
    """A client of one member on the bastion, as the user of the plan."""
    endpoint = Endpoint("http", host.address, lab.cluster.ports.client)
    with lab.in_bastion():
        session = Session(endpoint, None, timeout_s=5.0, login=login.of(lab.cluster))
        with closing(session):
            yield session


def plant(lab: Lab) -> str:
    """Write keys, some of them again, one of them with a lease; return the lease's ID."""
    with client(lab, lab.hosts[0]) as session:
        lease = str(session.ask(v3.grant(3600))["ID"])
        for key, value in (*KEYS.items(), *KEYS.items()):
            session.ask(v3.put(key, value))
        session.ask(v3.put(LEASED, "leased", lease=lease))
    return lease


def outline(printed: str) -> str:
    found = re.search(r"as in a rehearsal: runbook ([0-9a-f]{12})", printed)
    assert found, printed[-2000:]
    return found[1]


def test_what_was_found_is_rehearsed_with_its_data_and_its_runbook_is_that_of_the_hosts(
    real: Lab, tmp_path: Path
) -> None:
    lease, before, copy = plant(real), fingerprint(real), tmp_path / "copy"
    runs = [started(host) for host in real.hosts]
    copy.touch(mode=0o600)
    with real.in_bastion(), open_session(real.plan, None) as session:
        facts = as_found.read_facts(session)
        found, reported = as_found.read(session, facts, tmp_path / "programs", with_data=True)
        source = data.choose(session, facts)
        found = replace(found, snapshot=data.fetch(session, source, copy))
    assert (before, runs) == (fingerprint(real), [started(host) for host in real.hosts])
    assert [""] * 3 == [shell(host, "ls -d /var/lib/orchestrator 2> /dev/null; true") for host in real.hosts]
    listed = "\n".join(reported)
    assert "server1: etcd.service (2 drop-ins), /etc/default/etcd, /etc/etcd.env, etcd 3.4.23, " in listed
    assert "server1: not copied: /etc/etcd.env: the password in a URL" in listed
    assert SECRET not in f"{listed}{found}"
    assert 2 == len(list((tmp_path / "programs").iterdir()))  # etcd and etcdctl, once for all members

    down(FRESH)
    said: list[str] = []
    log, command = tmp_path / "log", program("run", PLAN, "--yes")
    undoing = program("rollback", PLAN, "--yes")
    try:
        outcome = rehearse(
            tmp_path / "plan.yaml",
            command,
            found=found,
            undoing=undoing,
            prefix=FRESH,
            log=log,
            leisure=LEISURE,
            keep=True,
            report=said.append,
        )
        assert 0 == outcome.exit_code, render(outcome) + log.read_text()[-3000:]
        restored = rf"restored {len(KEYS) + 1} keys, revision \d+, of {source.target.name}'s snapshot: hash "
        assert [line for line in said if re.match(restored, line)], said
        assert not copy.exists()
        rehearsed = Lab.find(FRESH)
        with client(rehearsed, rehearsed.hosts[1]) as reader:
            assert KEYS.items() <= v3.everything(reader, "/", serializable=False).items()
            (leased,) = reader.ask(v3.get(LEASED))["kvs"]
            assert lease == leased["lease"]
        assert [started(host) for host in real.hosts] == [
            started(host).replace(":replaced@", f":{SECRET}@") for host in rehearsed.hosts
        ]
    finally:
        down(FRESH)
    done = orchestrator(real, "run", PLAN, "--dry-run")
    assert done.returncode == 0, failure(done)
    assert outline(log.read_text()) == outline(done.stdout)
    assert f"runbook without certificates and IDs: {outline(done.stdout)}" in listed
