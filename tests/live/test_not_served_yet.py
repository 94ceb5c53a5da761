"""Clusters that are not served yet: named by check, with a fix that works as it is printed."""

import shlex
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.hosts_table import refused
from live.stories import carry_out, failure, found, orchestrator, reported, shell, wait_until_healthy

from orchestrator.lab.hosts.etcd_programs import OWN, VERSIONS
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.initial_settings import Extra
from orchestrator.lab.provisioning.plan_copy import PLAN

ETCDCTL = "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379"
AUTH_ENABLE = (
    f"{ETCDCTL} user add root:geheim && {ETCDCTL} role add root && {ETCDCTL} user grant-role root root && "
    f"{ETCDCTL} auth enable"
)

on_each_etcd = pytest.mark.parametrize(
    "etcd", [OWN, pytest.param(VERSIONS[-1], marks=pytest.mark.table)], indirect=True
)


def command_for(fix: str, host: str) -> str:
    """The command that a fix prints for a host: from behind its name up to what is said of it."""
    return fix.partition(f"on {host}: ")[2].partition(" (")[0]


@on_each_etcd
def test_authentication_is_named_and_turned_off_as_printed(lab: Lab, etcd: str) -> None:
    shell(lab.hosts[0], AUTH_ENABLE)
    findings = found(lab)
    assert "authentication is on: the plan names no user" in reported(findings, "quorum", "cluster")
    assert "is not healthy" not in reported(findings, "quorum", "cluster")
    # 3.5 refuses what the facts ask of a member already, 3.4 the look at its health alone
    other = ("facts", "cluster") if etcd == VERSIONS[-1] else ("gate: healthy", "server2")
    assert "authentication is on" in reported(findings, *other)
    fix = carry_out(findings, "quorum", "cluster")
    assert "auth enable" in fix
    assert "quorum" in f"{reported(findings, *other)} {carry_out(findings, *other)}"
    shell(lab.hosts[0], command_for(fix, "server1").replace("PASSWORD", "geheim"))
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 0, failure(done)
    shell(lab.hosts[0], fix.rpartition("on server1: ")[2])
    assert "user name is empty" in lab.hosts[0].run(shlex.split(f"env {ETCDCTL} get x"), check=False).stderr
    refused("authentication is on", etcd, reported(findings, "quorum", "cluster"), fix)


@on_each_etcd
def test_an_advertised_address_that_nobody_can_dial_is_named_and_put_right_as_printed(
    lab: Lab, etcd: str
) -> None:
    two = lab.host("server2")
    line = "ETCD_ADVERTISE_CLIENT_URLS="
    two.drop_in.write_text(
        two.drop_in.read_text().replace(f"{line}http://198.18.0.102", f"{line}http://0.0.0.0")
    )
    shell(two, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")
    wait_until_healthy(lab)
    findings = found(lab)
    assert "server2 advertises http://0.0.0.0:2379" in reported(findings, "registry", "cluster")
    assert {"registry"} == {one.check for one in findings if one.verdict == "fail"}
    shell(two, command_for(carry_out(findings, "registry", "cluster"), "server2"))
    wait_until_healthy(lab)
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 0, failure(done)
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    words = (reported(findings, "registry", "cluster"), carry_out(findings, "registry", "cluster"))
    refused("a member that advertises 0.0.0.0", etcd, *words)


@on_each_etcd
def test_a_member_that_speaks_https_only_is_named_and_the_printed_fixes_lead_on(lab: Lab, etcd: str) -> None:
    two = lab.host("server2")
    entry = two.entry
    etc = two.root / "etc/own-tls"
    etc.mkdir()
    for source, name in ((lab.cluster.tls.ca, "ca"), (entry.certificate, "cert"), (entry.key, "key")):
        (etc / name).write_bytes(source.read_bytes())
        (etc / name).chmod(0o644)
    tls = "".join(
        f'Environment="ETCD_{name}=/etc/own-tls/{file}"\n'
        for name, file in (("CERT_FILE", "cert"), ("KEY_FILE", "key"))
    )
    https = two.drop_in.read_text().replace("CLIENT_URLS=http:", "CLIENT_URLS=https:") + tls
    two.drop_in.write_text(https)
    shell(two, "systemctl daemon-reload && systemctl restart etcd2.service")

    findings = found(lab)
    evidence = reported(findings, "listeners", "server2")
    fix = carry_out(findings, "listeners", "server2")
    assert (
        "none of its client listeners speaks http (https://0.0.0.0:2379), so it cannot be asked" == evidence
    )
    for name in ("versions", "quorum"):
        assert "'listeners' prints comes first" in carry_out(findings, name, "cluster")
    assert "the check 'listeners' prints what to do" in reported(findings, "facts", "cluster")
    wanted = fix.partition("let it be ")[2].partition(" and then, as root: ")
    two.drop_in.write_text(
        https.replace("LISTEN_CLIENT_URLS=https://0.0.0.0:2379", f"LISTEN_CLIENT_URLS={wanted[0]}")
    )
    shell(two, wanted[2].partition(" (then check again)")[0])
    wait_until_healthy(lab)

    findings = found(lab)
    assert [] == [one for one in findings if one.verdict == "fail"]
    done = orchestrator(lab, "check", PLAN)
    assert done.returncode == 0, failure(done)
    refused("a member that speaks https only", etcd, evidence, fix)


@on_each_etcd
def test_authentication_of_the_v2_interface_is_named_and_turned_off_as_printed(
    base_system: Path,  # noqa: ARG001 -- it has to be there
    tmp_path: Path,
    etcd: str,
) -> None:
    plan = tmp_path / "v2.yaml"
    plan.write_text(THREE_MEMBERS.read_text() + "api: v2\n")
    with booted(FRESH, plan, Extra(members={"ETCD_ENABLE_V2": "true"}), etcd) as lab:
        one = lab.hosts[0]
        words = "ETCDCTL_API=2 etcdctl --no-sync --endpoints http://127.0.0.1:2379"
        shell(one, f"{words} user add root:geheim && {words} auth enable")
        findings = found(lab)
        assert "authentication is on: not supported through v2" in reported(findings, "quorum", "cluster")
        fix = carry_out(findings, "quorum", "cluster")
        refused(
            "authentication of the v2 interface is on", etcd, reported(findings, "quorum", "cluster"), fix
        )
        shell(one, command_for(fix, "server1").replace("PASSWORD", "geheim"))
        done = orchestrator(lab, "check", PLAN)
        assert done.returncode == 0, failure(done)
        shell(one, fix.rpartition("on server1: ")[2])
        revoke = f"{words} --username root:geheim role revoke guest --path '/*' -rw"
        shell(one, revoke)
        findings = found(lab)
        assert "authentication is on: not supported through v2" in reported(findings, "quorum", "cluster")
        assert "authentication is on" in reported(findings, "facts", "cluster")
