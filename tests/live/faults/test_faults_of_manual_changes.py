"""Somebody changes a host by hand between a stop and a resume: it is named, and nothing is done over it."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from live.faults.record import STOPPED, case, succeed
from live.faults.strikes import at_work, job_done
from live.stories import orchestrator, restarts, run_and_kill

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

DROP_INS = "/etc/systemd/system/etcd2.service.d"
CERTS, LISTENERS = f"{DROP_INS}/30-certs.conf", f"{DROP_INS}/40-tls.conf"
CERTIFICATE = "/etc/etcd2/server2.pem"
PEER_URL = "http://198.18.0.102:2380"
RIVAL, HTTP_ONLY = f"{DROP_INS}/95-theirs.conf", "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380"
KEPT = "/root/kept"
REFUSED = 5
BEATEN = "the resume names it before the next restart, and changes nothing; with it gone the run goes on"
MANUAL = "manual change found: server2: "
OTHER = "the hosts are not as the state file left them: server2: "
EXPECTED = "the resume names the host and what differs, and does nothing; put back as it was, it goes on"


@contextmanager
def changed(host: Host, path: str, script: str) -> Iterator[None]:
    """A file that a script has changed; not as it is meant to be, until it is put back."""
    host.run(["cp", "-a", path, KEPT])
    host.run(["sh", "-c", script, "change", path])
    before = host.run(["sha256sum", path], check=False).stdout
    yield
    assert before == host.run(["sha256sum", path], check=False).stdout, "it was written over"
    host.run(["cp", "-aT", KEPT, path])


@contextmanager
def registered(host: Host, urls: str, usual: str) -> Iterator[None]:
    """A member whose peer URLs somebody has registered anew."""
    etcdctl = ["etcdctl", "--endpoints=http://127.0.0.1:4001"]
    lines = host.run([*etcdctl, "member", "list"]).stdout.splitlines()
    id_ = next(line.split(",")[0] for line in lines if usual in line)
    host.run([*etcdctl, "member", "update", id_, f"--peer-urls={urls}"])
    yield
    host.run([*etcdctl, "member", "update", id_, f"--peer-urls={usual}"])


def edited(host: Host, path: str = CERTS) -> AbstractContextManager[None]:
    return changed(host, path, 'echo "# by hand" >> "$1"')


def removed(host: Host) -> AbstractContextManager[None]:
    return changed(host, CERTS, 'rm "$1"')


def replaced(host: Host) -> AbstractContextManager[None]:
    return changed(host, CERTIFICATE, 'cat /etc/etcd2/ca.pem > "$1"')


def registered_back(host: Host) -> AbstractContextManager[None]:
    return registered(host, PEER_URL, f"{PEER_URL},{PEER_URL.replace('http', 'https')}")


# fmt: off
CHANGES: tuple[tuple[str, Callable[[Host], AbstractContextManager[None]], str, str], ...] = (
    # what is changed                       by               is told as
    ("a drop-in is edited by hand",         edited,          MANUAL, f"{CERTS} has another content"),
    ("a drop-in is removed by hand",        removed,         MANUAL, f"{CERTS} is missing"),
    ("a certificate is replaced by hand",   replaced,        MANUAL, f"{CERTIFICATE} has another content"),
    ("a member is registered back by hand", registered_back, OTHER, f"sees peer URLs {PEER_URL}, not"),
)
# fmt: on


def resume_over(
    lab: Lab, fault: str, change: AbstractContextManager[None], *reported: str, until: str, moment: str
) -> None:
    """Have a resume stop at a change, touch nothing, and go on once it is put back."""
    with case(lab, fault, moment, exits=((STOPPED, 0),), expected=EXPECTED) as under_way:
        with change:
            starts = restarts(lab)
            stopped = under_way.run("run", PLAN, "--resume")
            assert [] == [words for words in reported if words not in stopped.stderr], stopped.stderr
            assert starts == restarts(lab)
        under_way.run("run", PLAN, "--resume", "--until", until)


@pytest.mark.timeout(900)
def test_hosts_are_changed_by_hand_between_a_stop_and_a_resume(hasty_lab: Lab) -> None:
    lab = hasty_lab
    host = lab.host("server2")
    succeed(orchestrator(lab, "run", PLAN, "--yes", "--until", "accepting"))
    for fault, change, *reported in CHANGES:
        resume_over(lab, fault, change(host), *reported, until="bridged", moment="resume")

    fault = "a drop-in that beats ours is put there by hand"
    with case(lab, fault, "resume", exits=((REFUSED, 0),), expected=BEATEN) as under_way:
        host.run(["sh", "-c", f"printf '[Service]\\nEnvironment={HTTP_ONLY}\\n' > {RIVAL}"])
        host.run(["systemctl", "daemon-reload"])
        starts = restarts(lab)
        refused = under_way.run("run", PLAN, "--resume")
        assert f"server2: {RIVAL} is read after our 40-tls.conf" in " ".join(refused.stderr.split())
        assert starts == restarts(lab)
        host.run(["rm", RIVAL])
        host.run(["systemctl", "daemon-reload"])
        under_way.run("run", PLAN, "--resume", "--until", "bridged")

    run_and_kill(lab, job_done(lab, "switch", 1), "run", PLAN, "--resume")
    host = at_work(lab)
    while restarts(lab)[host.name] < 2:  # the job does not wait for it
        time.sleep(0.1)
    half_way = f"{host.name}: half way through switch/{host.name}: {LISTENERS} has another content"
    fault = "a drop-in is edited by hand on a host whose step is in doubt"
    resume_over(lab, fault, edited(host, LISTENERS), half_way, until="switched", moment="switch")
