"""Two members: one that a step has taken away takes the quorum with it, and comes back all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import failure, fingerprint, orchestrator, run_and_kill, shell, unhealthy

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

PATIENCE_S = 15  # more than a restart takes, and little for one that never comes back


def two_members(folder: Path) -> Path:
    plan = folder / "plan.yaml"
    lines = [line for line in THREE_MEMBERS.read_text().splitlines() if "server3" not in line]
    text = "\n".join([*lines, "accept_downtime: true", ""])
    plan.write_text(text.replace("gate: 90s", f"gate: {PATIENCE_S}s"))
    return plan


@contextmanager
def never_starting(host: Host) -> Iterator[None]:
    host.run(["chmod", "-x", "/usr/bin/etcd"])
    yield
    host.run(["chmod", "+x", "/usr/bin/etcd"])


def units(lab: Lab) -> dict[str, str]:
    return {
        path: how for path, how in fingerprint(lab).items() if "etc/systemd" in path or "etc/etcd" in path
    }


def ends(lab: Lab, code: int, *words: str) -> str:
    done = orchestrator(lab, *words)
    assert code == done.returncode, f"{words}: {failure(done)}"
    return done.stderr


def test_a_restart_that_took_the_quorum_away_is_taken_again_or_undone(
    base_system: Path,  # noqa: ARG001 - it has to be there
    tmp_path: Path,
) -> None:
    with booted(FRESH, two_members(tmp_path)) as lab:
        one, two = lab.hosts
        before = units(lab)
        ends(lab, 0, "run", PLAN, "--yes", "--until", "proven")
        with never_starting(one):
            assert "A restart needs no quorum" in ends(lab, 9, "run", PLAN, "--resume")
            assert {"server1", "server2"} == set(unhealthy(lab))
        ends(lab, 0, "run", PLAN, "--resume", "--until", "bridged")
        assert not unhealthy(lab)

        with never_starting(two):
            run_and_kill(lab, lambda seen: "step='switch/server2'" in str(seen[-1]), "run", PLAN, "--resume")
            ends(lab, 9, "rollback", PLAN, "--yes")
        ends(lab, 0, "rollback", PLAN, "--yes")
        assert not unhealthy(lab)
        listed = shell(one, "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379 member list")
        assert all(f" http://{host.entry.address}:2380, " in listed for host in lab.hosts), listed
        assert before == units(lab)
