"""What would make the next start fail, with no check before it: the trial names it, and no member restarts.

Each fault is put into the unit of a member that goes on running as it did, so what it was started with says
nothing. Which check names it before is said with each; where none is said, the trial alone finds it.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import OURS, failure, found, orchestrator, reported, restarts, shell, unhealthy, written
from support.kinds import Files

from orchestrator.commands.recall import recall
from orchestrator.commands.status import read_progress
from orchestrator.etcd import trial
from orchestrator.host.operations import Job
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import open_session

UNCHECKED = Path(__file__).parents[1] / "support" / "unchecked.py"
MEMBERS = ("server1", "server2", "server3")
STOPPED = 7
PATIENCE_S = 6
PROXY = 'Environment="HTTPS_PROXY=http://user:geheim@198.18.0.1:3128" "NO_PROXY=localhost,.corp.example"'
FLAG = "ExecStart=\nExecStart=/usr/bin/etcd --{}"


@dataclass(frozen=True)
class Fault:
    """Lines for [Service] on some hosts, what the run has to say, and which check says it before."""

    name: str
    lines: str
    reported: tuple[str, ...]
    hosts: tuple[str, ...] = ("server2",)
    check: str = ""
    step: str = "prove/server2"

    def __str__(self) -> str:
        return self.name


NOT_UP = "the trial on server2 did not stay up"
READ_ONLY = (NOT_UP, "read-only file system")
UNREACHED = "{} cannot reach https://{}:12380 over TLS"
OBEYED = "its etcd obeys HTTPS_PROXY, and a connection without it works: exempt every member in NO_PROXY"

# fmt: off
FAULTS = (
    Fault("a proxy on all", PROXY, (UNREACHED.format("server1", "198.18.0.102"), OBEYED),
          MEMBERS, "http proxy"),
    Fault("a proxy on one", PROXY, (UNREACHED.format("server3", "198.18.0.101"), OBEYED),
          ("server3",), "http proxy", step="prove/server3"),
    Fault("a proxy that does not answer", PROXY.replace("198.18.0.1:", "198.18.0.99:"),
          (UNREACHED.format("server3", "198.18.0.101"), OBEYED),
          ("server3",), "http proxy", step="prove/server3"),
    Fault("ProtectSystem", "ProtectSystem=strict", READ_ONLY),
    Fault("ReadOnlyPaths", "ReadOnlyPaths=/var/lib/etcd", READ_ONLY),
    Fault("InaccessiblePaths", "InaccessiblePaths=/etc/etcd2",
          (NOT_UP, "/etc/etcd2/server2.pem", "permission denied"), check="sandbox"),
    Fault("PrivateNetwork", "PrivateNetwork=yes", ("the trial on server2 has a network of its own",)),
    Fault("a user that cannot read", "User=daemon", (NOT_UP, "error listing data dir: /var/lib/etcd")),
    Fault("a flag and a variable", FLAG.format("cert-file=/etc/etcd2/server2.pem"),
          (NOT_UP, "ETCD_CERT_FILE", "shadowed by corresponding command-line flag")),
    Fault("an unknown flag", FLAG.format("no-such-flag"),
          (NOT_UP, "flag provided but not defined: -no-such-flag")),
    Fault("an edited value", 'Environment="ETCD_QUOTA_BACKEND_BYTES=lots"',
          (NOT_UP, "lots", "QUOTA_BACKEND_BYTES"), check="origin"),
    Fault("a program that is gone", "ExecStart=\nExecStart=/opt/etcd/gone",
          (NOT_UP, "/opt/etcd/gone", "No such file or directory")),
)
# fmt: on


@pytest.fixture(scope="module")
def shared(base_system: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:  # noqa: ARG001 - it has to be there
    """A cluster that each fault leaves as it was: nothing restarts, and the run is rolled back."""
    plan = tmp_path_factory.mktemp("plan") / "plan.yaml"
    plan.write_text(THREE_MEMBERS.read_text().replace("gate: 90s", f"gate: {PATIENCE_S}s"))
    with booted(FRESH, plan) as lab:
        yield lab


def unchecked(lab: Lab, *arguments: str) -> tuple[int, str]:
    """Return the exit code and all that is said: where every member fails, that is long."""
    done = lab.run([sys.executable, str(UNCHECKED), *arguments], check=False, timeout_s=180.0)
    return done.returncode, done.stdout + done.stderr


def edit(lab: Lab, fault: Fault) -> None:
    for name in fault.hosts:
        written(lab.host(name), f"{OURS}/15-edited.conf", f"[Service]\n{fault.lines}\n")
        shell(lab.host(name), "systemctl daemon-reload")


def put_back(lab: Lab, fault: Fault) -> None:
    for name in fault.hosts:
        shell(lab.host(name), f"rm /{OURS}/15-edited.conf && systemctl daemon-reload")


def left_of_trials(lab: Lab) -> set[str]:
    units = "systemctl list-units --all --no-legend 'orchestrator-trial*'"
    look = f"ls -d {trial.DIRECTORY} {trial.DROP_INS}; {units}"
    return {host.run(["sh", "-c", f"cd /; {look}"], check=False).stdout for host in lab.hosts}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_trial_finds_it_and_nothing_restarts(shared: Lab, fault: Fault) -> None:
    lab = shared
    status, says = unchecked(lab, "run", PLAN, "--yes", "--until", "staged")
    assert status == 0, says
    edit(lab, fault)
    try:
        try:
            status, says = unchecked(lab, "run", PLAN, "--resume")
            assert status == STOPPED, says
            assert fault.step in says
            assert [] == [words for words in fault.reported if words not in says], says
            assert "geheim" not in says
            assert {0} == set(restarts(lab).values())
            assert {} == unhealthy(lab)
        finally:
            back = orchestrator(lab, "rollback", PLAN, "--yes")
        assert back.returncode == 0, failure(back)
        assert {""} == left_of_trials(lab)
        findings = found(lab)
        named = {one.check for one in findings if one.verdict == "fail"}
        assert (fault.check in named) if fault.check else (named == set()), findings
        assert all(reported(findings, fault.check, name) for name in fault.hosts if fault.check)
    finally:
        put_back(lab, fault)  # also behind a failure: the next fault finds the cluster as it was


def tried(lab: Lab, host: str) -> str:
    """Begin the trials up to a host's, with nothing before them, and return what the proof says."""
    with lab.in_bastion(), open_session(lab.plan, None) as session:
        runbook, executor = recall(session, read_progress(session)), LiveExecutor(session.hosts)
        names = MEMBERS[: MEMBERS.index(host) + 1]
        number = time.monotonic_ns()
        try:
            for name in names:
                step = runbook.step(f"prove/{name}")
                assert (
                    executor.perform(Job(f"t-{name}-{number}", name, step.operations, 60.0)).exit_status == 0
                )
            time.sleep(PATIENCE_S)
            return "; ".join(map(str, executor.refusals(runbook.step(f"prove/{host}").proof)))
        finally:
            for name in names:
                undoing = runbook.step(f"undo-prove/{name}").operations
                assert executor.perform(Job(f"u-{name}-{number}", name, undoing, 60.0)).exit_status == 0


def byte_order_mark(lab: Lab, _: Path) -> None:
    place = lab.host("server2").root / "etc/etcd2/server2.pem"
    place.write_bytes(b"\xef\xbb\xbf" + place.read_bytes())


def curve_that_go_lacks(lab: Lab, folder: Path) -> None:
    made = Files(folder)
    made.make_leaf("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    for name, file in (("server2.pem", made.leaf), ("server2-key.pem", made.key)):
        (lab.host("server2").root / "etc/etcd2" / name).write_bytes(file.read_bytes())
        shell(
            lab.host("server2"),
            f"openssl {'x509 -noout' if file is made.leaf else 'pkey -noout'} -in /etc/etcd2/{name}",
        )


@pytest.mark.parametrize(
    ("spoil", "reported"),
    [
        (byte_order_mark, "tls: failed to find any PEM data in certificate input"),
        (curve_that_go_lacks, "elliptic curve"),
    ],
)
def test_material_that_openssl_takes_and_go_does_not(
    shared: Lab, tmp_path: Path, spoil: Callable[[Lab, Path], None], reported: str
) -> None:
    """No plan gets that far: every check and gate of files is left out here."""
    lab = shared
    status, says = unchecked(lab, "run", PLAN, "--yes", "--until", "staged")
    assert status == 0, says
    place = lab.host("server2").root / "etc/etcd2"
    kept = {name: (place / name).read_bytes() for name in ("server2.pem", "server2-key.pem")}
    try:
        spoil(lab, tmp_path)
        said = tried(lab, "server2")
    finally:
        for name, content in kept.items():
            (place / name).write_bytes(content)
        back = orchestrator(lab, "rollback", PLAN, "--yes")
    assert "the trial on server2 did not stay up" in said
    assert reported in said
    assert back.returncode == 0, failure(back)
    assert {""} == left_of_trials(lab)
    assert {0} == set(restarts(lab).values())


def test_a_home_that_the_unit_protects(shared: Lab) -> None:
    lab, plan = shared, shared.plan.read_text()
    fault = Fault(
        "ProtectHome", "ProtectHome=yes", (NOT_UP, "/home/core/.ssl/certs/server2.pem"), check="sandbox"
    )
    lab.plan.write_text(plan.replace("directory: /etc/etcd2", "directory: /home/core/.ssl/certs"))
    try:
        test_the_trial_finds_it_and_nothing_restarts(lab, fault)
    finally:
        lab.plan.write_text(plan)


def test_afterwards_the_whole_of_it_goes_through(shared: Lab) -> None:
    text = shared.plan.read_text()
    shared.plan.write_text(re.sub(r"gate: \w+", "gate: 90s", text))  # a restart may take its time
    done = orchestrator(shared, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    assert {2} == set(restarts(shared).values())
    assert {""} == left_of_trials(shared)
