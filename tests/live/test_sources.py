"""Each layout is served where its settings are, on old and new etcds, and given back as it was."""

import shlex

import pytest
from live import hosts_table, layouts
from live.layouts import FORGET, Layout, config_flag, debian, drop_in, flags, laid_out
from live.running_members import configuration, others, running, settings
from live.stories import (
    OURS,
    carry_out,
    failure,
    fingerprint,
    found,
    orchestrator,
    reported,
    restarts,
    shell,
    wait_until_healthy,
    writing,
    written,
)
from live.untouched import Before

from orchestrator.lab.hosts import journald
from orchestrator.lab.hosts.etcd_programs import OWN, VERSIONS
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.proof import evidence, outcome
from orchestrator.lab.provisioning import initial_settings
from orchestrator.lab.provisioning.plan_copy import PLAN

OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]
THERE = (["check", PLAN], ["run", PLAN, "--yes"], ["status", PLAN])


def cases() -> list[object]:
    """The first cluster on every version, the others on the usual and the newest one."""
    tried = [(cluster, etcd) for cluster in layouts.CLUSTERS for etcd in VERSIONS]
    return [
        pytest.param(
            cluster,
            etcd,
            id=f"{'+'.join(layout.__name__ for layout in cluster)}-{etcd}",
            marks=()
            if etcd in ({OLDEST, NEWEST} if len(cluster) == 1 else {OWN, NEWEST})
            else pytest.mark.table,
        )
        for cluster, etcd in tried
        if len(cluster) == 1 or etcd in {OWN, NEWEST}
    ]


@pytest.mark.parametrize(("cluster", "etcd"), cases(), indirect=["etcd"])
def test_it_is_served_where_its_settings_are_and_given_back(
    lab: Lab, cluster: tuple[Layout, ...], etcd: str
) -> None:
    given = laid_out(lab, cluster)
    before, was = Before.of(lab), {host.name: running(host) for host in lab.hosts}
    theirs = {host.name: others(host) for host in lab.hosts}
    files, starts = configuration(lab), {host.name: journald.starts(host) for host in lab.hosts}
    with writing(lab) as report:
        for words in THERE:
            done = orchestrator(lab, *words)
            assert done.returncode == 0, f"{shlex.join(words)}: {failure(done)}"
    assert theirs == {host.name: others(host) for host in lab.hosts}
    for host in lab.hosts:
        assert {"name", "data-dir"} <= theirs[host.name].keys()
        listeners = settings(host)["listen-client-urls"].split(",")
        assert all(url.startswith(("https://", "http://127.0.0.1:")) for url in listeners), listeners
    for proof in evidence.of_members(lab, starts):
        assert [] == list(outcome.of_member(lab.cluster, proof))
        assert 2 == proof.restarts
    ours: dict[str, set[str]] = {layout.__name__: set() for layout in cluster}
    for server, _, name in (added.partition(":") for added in configuration(lab).keys() - files.keys()):
        if "40-tls" in name:
            ours[given[server].__name__].add(f"/{name}")

    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    wait_until_healthy(lab)
    before.assert_again(lab)
    assert was == {host.name: running(host) for host in lab.hosts}
    assert files == configuration(lab)
    hosts_table.served(etcd, ours, report[0])


@pytest.mark.parametrize(
    "etcd",
    [pytest.param(each, marks=() if each == OWN else pytest.mark.table) for each in (OLDEST, OWN, NEWEST)],
    indirect=True,
)
def test_what_cannot_be_served_is_named_with_what_helps_and_nothing_is_changed(lab: Lab, etcd: str) -> None:
    one, two, three = lab.hosts
    for host in lab.hosts:
        host.drop_in.write_text("[Service]\n")
        own = initial_settings.of_member(lab.cluster, host.entry)
        if host is one:  # a script gives the flags
            script = f"#!/bin/sh\nexec /usr/bin/etcd {' '.join(flags(own))}\n"
            written(one, "usr/local/bin/start", script, mode=0o755)
            drop_in(one, f"{FORGET}ExecStart=\nExecStart=/usr/local/bin/start\n")
        elif host is two:  # others may not read the file
            config_flag(two, own)
            shell(two, "chgrp etcd /etc/etcd/etcd.conf.yml && chmod 640 /etc/etcd/etcd.conf.yml")
        else:
            debian(three, own)
            written(three, f"{OURS}/50-late.conf", "[Service]\nEnvironmentFile=/etc/default/etcd\n")
        shell(host, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")
        wait_until_healthy(lab)
    before, starts = fingerprint(lab), restarts(lab)
    findings = found(lab)
    assert "ExecStart= starts /usr/local/bin/start" in reported(findings, "origin", "server1")
    assert "let ExecStart= start etcd itself" in carry_out(findings, "origin", "server1")
    assert "which not everybody may read" in reported(findings, "origin", "server2")
    assert "50-late.conf is read after our 40-tls.conf" in reported(findings, "origin", "server3")
    facts = reported(findings, "facts", "cluster")
    assert "the check 'origin' prints what to do" in facts
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 5, failure(done)
    assert (before, starts) == (fingerprint(lab), restarts(lab))

    shell(two, carry_out(findings, "origin", "server2").partition(": ")[2])
    shell(three, carry_out(findings, "origin", "server3"))
    assert "" == reported(found(lab), "origin", "server2")
    assert "" == reported(found(lab), "origin", "server3")
    for host, kind in (
        (one, "flags from a start script"),
        (two, "a configuration file with mode 0640"),
        (three, "a drop-in that is read after ours"),
    ):
        words = (reported(findings, "origin", host.name), carry_out(findings, "origin", host.name))
        hosts_table.refused(kind, etcd, *words)
