"""Clusters of other shapes on real hosts, and two of them on the same hosts: neither touches the other."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from live import shapes
from live.conftest import FRESH, booted
from live.shapes import SECOND, Etcd
from live.stories import failure, fingerprint, orchestrator, shell

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

OF_FIRST = re.compile(r":(etc/etcd2/|etc/systemd/system/etcd|usr/local/share/ca-certificates/etcd-three-)")
OF_SECOND = re.compile(r":(etc/kv/|etc/systemd/system/kv@|usr/local/share/ca-certificates/etcd-second-)")
TLS = "curl -sm 2 --cacert {0}/ca.pem --cert {0}/{1}.pem --key {0}/{1}-key.pem"


def ends(lab: Lab, code: int, *words: str) -> str:
    done = orchestrator(lab, *words)
    assert code == done.returncode, f"{words}: {failure(done)}"
    return " ".join(f"{done.stdout}{done.stderr}".split())


def processes(etcds: Sequence[Etcd]) -> list[str]:
    return [each.process for each in etcds]


def files(lab: Lab, whose: re.Pattern[str]) -> dict[str, str]:
    return {path: how for path, how in fingerprint(lab).items() if whose.search(path)}


@pytest.mark.timeout(900)
def test_two_clusters_on_the_same_hosts_go_their_ways_without_touching_each_other(
    base_system: Path,  # noqa: ARG001 - it has to be there
    tmp_path: Path,
) -> None:
    with booted(FRESH, shapes.first_plan(tmp_path)) as lab:
        shapes.shape_first(lab)
        shapes.add_second(lab)
        first, second = shapes.first(lab), shapes.second(lab)
        plain = processes(second), files(lab, OF_SECOND)

        ends(lab, 0, "run", PLAN, "--yes")
        sealed = processes(first), files(lab, OF_FIRST)
        assert {
            "server1:etc/etcd2/ca.pem",
            "server5:etc/systemd/system/etcd@five.service.d/40-tls.conf",
        } < set(sealed[1])

        # where the first has its certificates the second cannot have its own, and nobody moves them away
        says = ends(lab, 5, "run", SECOND, "--yes")
        for name, unit in zip(
            shapes.BOTH, ("etcd.service", "etcd.service", "etcd@five.service"), strict=True
        ):
            assert re.search(
                rf"{name}: {unit} \(pid \d+\) uses /etc/etcd2/ca.pem, /etc/etcd2/{name}.pem", says
            )
        assert plain == (processes(second), files(lab, OF_SECOND))

        plan = lab.directory / SECOND
        plan.write_text(plan.read_text().replace("/etc/etcd2", "/etc/kv/second"))
        ends(lab, 0, "run", SECOND, "--yes")
        assert "server3 fd00::3 sealed sealed" in ends(lab, 0, "status", SECOND)
        ends(lab, 0, "rollback", SECOND, "--yes")
        shapes.wait(second, "curl -sm 2")
        assert plain[1] == files(lab, OF_SECOND)

        assert sealed == (processes(first), files(lab, OF_FIRST))
        for each in first[-2:]:
            shell(each.host, f"systemctl restart {each.unit}")
            again = replace(each, url=each.url.replace("http:", "https:"))
            shapes.wait([again], TLS.format("/etc/etcd2", each.host.name))
        ends(lab, 0, "status", PLAN)
