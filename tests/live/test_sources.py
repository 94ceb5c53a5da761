"""Each layout is served where its settings are, on old and new etcds, and given back as it was."""

import shlex

import pytest
from live import hosts_table, layouts
from live.layouts import FORGET, LAYOUTS, Layout, config_flag, debian, drop_in, flags, laid_out
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
SERVED = [
    *((layouts.cloud_config, etcd) for etcd in VERSIONS),
    *((layout, etcd) for etcd in (OWN, NEWEST) for layout in LAYOUTS[1:]),
]
# These in every test run; the others for the table alone.
ALWAYS = [
    *((layouts.cloud_config, etcd) for etcd in (OLDEST, NEWEST)),
    *((layout, OWN) for layout in LAYOUTS[1:]),
    *((layout, NEWEST) for layout in (layouts.half_tutorial, layouts.config_variable)),
]
THERE = (["check", PLAN], ["run", PLAN, "--yes"], ["status", PLAN])


def cases() -> list[object]:
    return [
        pytest.param(
            layout,
            etcd,
            id=f"{layout.__name__}-{etcd}",
            marks=() if (layout, etcd) in ALWAYS else pytest.mark.table,
        )
        for layout, etcd in SERVED
    ]


@pytest.mark.parametrize(("layout", "etcd"), cases(), indirect=["etcd"])
def test_it_is_served_where_its_settings_are_and_given_back(lab: Lab, layout: Layout, etcd: str) -> None:
    laid_out(lab, layout)
    before, was = Before.of(lab), {host.name: running(host) for host in lab.hosts}
    theirs = {host.name: others(host) for host in lab.hosts}
    files, starts = configuration(lab), {host.name: journald.starts(host) for host in lab.hosts}
    with writing(lab) as report:
        for words in THERE:
            done = orchestrator(lab, *words)
            assert done.returncode == 0, f"{layout.__name__}: {shlex.join(words)}: {failure(done)}"
    assert theirs == {host.name: others(host) for host in lab.hosts}
    assert {"name", "data-dir"} <= theirs["server1"].keys()
    for host in lab.hosts:
        listeners = settings(host)["listen-client-urls"].split(",")
        assert all(url.startswith(("https://", "http://127.0.0.1:")) for url in listeners), listeners
    for proof in evidence.of_members(lab, starts):
        assert [] == list(outcome.of_member(lab.cluster, proof))
        assert 2 == proof.restarts
    ours = {name.partition(":")[2] for name in configuration(lab).keys() - files.keys()}

    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    wait_until_healthy(lab)
    before.assert_again(lab)
    assert was == {host.name: running(host) for host in lab.hosts}
    assert files == configuration(lab)
    settings_of_ours = {f"/{name}" for name in ours if "40-tls" in name}
    hosts_table.served(layout.__name__, etcd, settings_of_ours, report[0])


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
