"""`clients.close` and `cert_auth: switch` on hosts: whoever still uses a port is named, and waited for."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from live.conftest import FRESH, NOTHING_MORE, booted
from live.stories import events, failure, orchestrator, restarts, shell, unhealthy, writing

from orchestrator.engine.events import Recorded, StepStarted, StepSucceeded
from orchestrator.lab.hosts.etcd_programs import OWN
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.lab.provisioning.plan_copy import PLAN

LOCAL, CLIENT, EXTRA = 4001, 2379, 2378
LISTENING = "ss --no-header --listening --tcp --numeric --processes | grep etcd | awk '{print $4}' | sort"
QUIET_S = 5
ANSWERED, REFUSED = 0, 7  # what curl ends with
GUIDES_LISTENERS = "http://0.0.0.0:2379,http://127.0.0.1:4001"


@dataclass(frozen=True, slots=True)
class Case:
    etcd: str
    beside: int  # the port that serves https beside http
    close: tuple[str, ...]
    before: Extra = NOTHING_MORE


BOTH = Case(OWN, EXTRA, ("local", "extra"))
THE_GUIDES = Case("3.5.30", CLIENT, ("local",), Extra({"ETCD_LISTEN_CLIENT_URLS": GUIDES_LISTENERS}))


@contextmanager
def closing(case: Case, plan: Path) -> Iterator[Lab]:
    """A cluster whose plan closes ports in the end, and has clients show certificates once http is closed."""
    clients = f"overlap: true, quiet: {QUIET_S}s, cert_auth: switch, close: [{', '.join(case.close)}]"
    plan.write_text(f"{plan.read_text().rstrip()}\nclients: {{{clients}}}\n")
    with booted(FRESH, plan, case.before, etcd=case.etcd) as lab:
        yield lab


def succeeds(lab: Lab, *arguments: str, exits: int = 0) -> str:
    done = orchestrator(lab, *arguments)
    assert done.returncode == exits, failure(done)
    return done.stdout + done.stderr


def asked(lab: Lab, scheme: str, port: int, *, with_certificate: bool = False) -> list[int]:
    """What curl on the bastion ends with, for each member."""
    tls = lab.cluster.tls
    own = ["--cert", str(tls.client_certificate), "--key", str(tls.client_key)] if with_certificate else []
    words = ["curl", "--silent", "--fail", "--max-time", "5", "--cacert", str(tls.ca), *own]
    urls = [f"{scheme}://{host.entry.address}:{port}/health" for host in lab.hosts]
    return [lab.run([*words, url], check=False).returncode for url in urls]


def asked_locally(lab: Lab) -> list[int]:
    """What curl on each member's host ends with at its local port."""
    words = ["curl", "--silent", "--fail", "--max-time", "5", f"http://127.0.0.1:{LOCAL}/health"]
    return [host.run(words, check=False).returncode for host in lab.hosts]


def listeners(lab: Lab) -> list[str]:
    return [shell(host, LISTENING) for host in lab.hosts]


@contextmanager
def watching(lab: Lab, port: int) -> Iterator[None]:
    """A client on the bastion that keeps one TLS connection to the first member."""
    tls, program = lab.cluster.tls, str(lab.hosts[0].root / "usr/bin/etcdctl")
    files = [f"--cacert={tls.ca}", f"--cert={tls.client_certificate}", f"--key={tls.client_key}"]
    url = f"https://{lab.hosts[0].entry.address}:{port}"
    words = ["env", "ETCDCTL_API=3", program, f"--endpoints={url}", *files, "watch", "x"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(lab.command(words), stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield
        assert process.poll() is None, "it ended by itself"
    finally:
        process.kill()
        process.wait()


def one_at_a_time(recorded: list[Recorded], round_: str) -> bool:
    """Whether each member's step of a round had ended before the next one's began."""
    steps = [
        event for event in recorded
        if isinstance(event, StepStarted | StepSucceeded) and event.step.startswith(f"{round_}/")
    ]  # fmt: skip
    pairs = list(zip(steps[::2], steps[1::2], strict=True))
    return len(pairs) == 3 and all(
        isinstance(began, StepStarted) and isinstance(ended, StepSucceeded) and began.step == ended.step
        for began, ended in pairs
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", [BOTH, THE_GUIDES], ids=["both-3.4.23", "the-guides-3.5.30"])
def test_a_port_is_closed_once_nobody_uses_it_and_opened_again_on_the_way_back(
    base_system: Path,  # noqa: ARG001 - it has to be there
    hasty_plan: Path,
    case: Case,
) -> None:
    everywhere = [ANSWERED] * 3
    gone = [REFUSED] * 3
    with closing(case, hasty_plan) as lab, writing(lab):
        before = listeners(lab)
        succeeds(lab, "run", PLAN, "--yes", "--until", "bridged")
        assert everywhere == asked(lab, "http", CLIENT)
        assert everywhere == asked(lab, "https", case.beside)  # scheme first, certificate later

        succeeds(lab, "run", PLAN, "--resume", "--yes", "--until", "sealed")
        for port in {CLIENT, case.beside}:
            assert everywhere == asked(lab, "https", port, with_certificate=True)
            assert ANSWERED not in asked(lab, "https", port)
        assert everywhere == asked_locally(lab)
        assert dict.fromkeys(restarts(lab), 2) == restarts(lab)

        who_stays(lab, case)
        assert dict.fromkeys(restarts(lab), 3) == restarts(lab)
        assert one_at_a_time(events(lab), "close")
        assert gone == asked_locally(lab)
        assert everywhere == asked(lab, "https", CLIENT, with_certificate=True)
        if "extra" in case.close:
            assert gone == asked(lab, "https", EXTRA, with_certificate=True)
        assert "nothing to do" in succeeds(lab, "run", PLAN, "--yes")
        succeeds(lab, "status", PLAN)

        succeeds(lab, "rollback", PLAN, "--yes")
        assert before == listeners(lab)
        assert everywhere == asked(lab, "http", CLIENT)
        assert not unhealthy(lab)
        if case.before.members:
            assert everywhere == asked_locally(lab)


def who_stays(lab: Lab, case: Case) -> None:
    """A run stops for those on the ports and names them, and cuts them off only if it is told to."""
    one = lab.hosts[0]
    local = "systemd-run --quiet --unit=stays --setenv=ETCDCTL_API=3 etcdctl"
    shell(one, f"{local} --endpoints=http://127.0.0.1:{LOCAL} watch x")
    expected = ["etcdctl (stays.service) on server1 to server1:4001 uses that port (connected now)"]
    if "extra" in case.close:
        expected.append("to server1:2378 uses that port (connected now)")
    with watching(lab, EXTRA if "extra" in case.close else CLIENT):
        stopped = succeeds(lab, "run", PLAN, "--resume", "--yes", exits=7)
        assert [] == [words for words in expected if words not in stopped], stopped
        assert "--cut-off" in stopped
        assert dict.fromkeys(restarts(lab), 2) == restarts(lab)
        assert [ANSWERED] * 3 == asked_locally(lab)

        cut = succeeds(lab, "run", PLAN, "--resume", "--yes", "--cut-off")
    warned = "".join(line for line in cut.splitlines() if "warning: cut off, as asked: " in line)
    assert [] == [words for words in expected if words.split(" uses")[0] not in warned], cut
    shell(one, "systemctl stop stays")
