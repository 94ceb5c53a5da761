"""Etcds as people configure them: each is served where its settings are, and given back as it was."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
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

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning import initial_settings
from orchestrator.lab.provisioning.plan_copy import PLAN

Settings = Mapping[str, str]
# Debian's unit sets a name and a directory; the same as a flag too is fatal from 3.4 on.
FORGET = "Environment=\n"
# Off with a configuration file (3.4), and the clients here write through it.
GATEWAY = "enable-grpc-gateway: true\n"
URLS = ("ETCD_LISTEN_CLIENT_URLS", "ETCD_LISTEN_PEER_URLS")


def flags(settings: Settings) -> list[str]:
    return [
        f"--{name.removeprefix('ETCD_').lower().replace('_', '-')}={value}"
        for name, value in settings.items()
    ]


def yaml(settings: Settings) -> str:
    lines = [f"{word.removeprefix('--').replace('=', ': ', 1)}\n" for word in flags(settings)]
    return "".join(("# written by hand\n", *lines, "snapshot-count: 10000  # for small disks\n", GATEWAY))


def environment_lines(settings: Settings) -> str:
    return "".join(f'Environment="{name}={value}"\n' for name, value in settings.items())


def variables(settings: Settings) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())


def drop_in(host: Host, text: str) -> None:
    written(host, f"{OURS}/15-theirs.conf", f"[Service]\n{text}")


def debian(host: Host, settings: Settings) -> None:
    written(host, "etc/default/etcd", f"# Debian's own\n{variables(settings)}")


def kubespray(host: Host, settings: Settings) -> None:
    written(host, "etc/etcd.env", variables(settings), mode=0o640)
    drop_in(host, "EnvironmentFile=/etc/etcd.env\n")


def mixed(host: Host, settings: Settings) -> None:
    filed = {name: settings[name] for name in ("ETCD_LISTEN_CLIENT_URLS", "ETCD_NAME")}
    written(host, "etc/default/etcd", variables(filed))
    drop_in(host, environment_lines({name: settings[name] for name in settings if name not in filed}))


def tutorial(host: Host, settings: Settings) -> None:
    words = (
        " \\\n  ".join(flags(settings)).replace("--name=", "--name ").replace("--data-dir=", "-data-dir '")
    )
    words = words.replace(" \\\n  --listen-client", "' \\\n  --listen-client", 1)
    drop_in(host, f"{FORGET}ExecStart=\nExecStart=/usr/bin/etcd \\\n  {words}\n")


def half_tutorial(host: Host, settings: Settings) -> None:
    reported = {name: settings[name] for name in settings if name not in URLS}
    words = [*flags({name: settings[name] for name in URLS}), "--heartbeat-interval", "${BEAT}"]
    command = f"ExecStart=\nExecStart=/usr/bin/etcd {' '.join(words)}\n"
    drop_in(host, f"{environment_lines(reported)}Environment=BEAT=120\n{command}")


def daemon_args(host: Host, settings: Settings) -> None:
    written(host, "etc/default/etcd", f'DAEMON_ARGS="{" ".join(flags(settings))}"\n')
    drop_in(host, FORGET)


def centos(host: Host, settings: Settings) -> None:
    words = " ".join(f'{word.replace("=", "=" + chr(92) + chr(34), 1)}\\"' for word in flags(settings))
    drop_in(host, f'{FORGET}ExecStart=\nExecStart=/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd {words}"\n')


def config_flag(host: Host, settings: Settings) -> None:
    written(host, "etc/etcd/etcd.conf.yml", yaml(settings))
    drop_in(host, "ExecStart=\nExecStart=/usr/bin/etcd --config-file /etc/etcd/etcd.conf.yml\n")


def config_variable(host: Host, settings: Settings) -> None:
    written(host, "etc/etcd/etcd.conf.yml", yaml(settings))
    written(host, "etc/default/etcd", "ETCD_CONFIG_FILE=/etc/etcd/etcd.conf.yml\nETCD_NAME=ignored\n")


LAYOUTS: tuple[Callable[[Host, Settings], None], ...] = (
    *(debian, kubespray, mixed),
    *(tutorial, half_tutorial, daemon_args, centos),
    *(config_flag, config_variable),
)


def laid_out(lab: Lab, layout: Callable[[Host, Settings], None]) -> None:
    """Give every member its settings in another way, one after the other."""
    for host in lab.hosts:
        settings = initial_settings.of_member(lab.cluster, host.entry)
        host.drop_in.write_text("[Service]\n")
        layout(host, settings)
        shell(host, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")
        wait_until_healthy(lab)


def running(host: Host) -> str:
    """The member's command line and variables, as far as they are etcd's."""
    reported = shell(
        host,
        "pid=$(systemctl show -p MainPID --value etcd2); tr '\\0' '\\n' < /proc/$pid/cmdline; "
        "tr '\\0' '\\n' < /proc/$pid/environ | grep ^ETCD_ | sort",
    )
    return f"{reported}\n{shell(host, 'systemctl cat etcd2.service')}"


def configuration(lab: Lab) -> dict[str, str]:
    """Every file of the hosts' configuration, with content, mode and time; but for the trust store's own."""
    reported = {
        name: text for name, text in fingerprint(lab).items() if name.partition(":")[2].startswith("etc/")
    }
    return {name: text for name, text in reported.items() if ":etc/ssl/certs/" not in name}


THERE = (
    ["check", PLAN],
    ["run", PLAN, "--yes", "--until", "bridged"],
    ["run", PLAN, "--resume"],
    ["status", PLAN],
)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_it_is_served_where_its_settings_are_and_given_back(
    lab: Lab, layout: Callable[[Host, Settings], None]
) -> None:
    laid_out(lab, layout)
    before, was = Before.of(lab), {host.name: running(host) for host in lab.hosts}
    files = configuration(lab)
    with writing(lab):
        for words in THERE:
            done = orchestrator(lab, *words)
            assert done.returncode == 0, f"{layout.__name__}: {shlex.join(words)}: {failure(done)}"
    for host in lab.hosts:
        port = lab.cluster.ports.client
        refused = host.run(["curl", "-sf", "--max-time", "3", f"http://127.0.0.1:{port}/health"], check=False)
        assert refused.returncode != 0
        assert "https://0.0.0.0:2380" in f"{running(host)}{_configured(host)}"
    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    wait_until_healthy(lab)
    before.assert_again(lab)
    assert was == {host.name: running(host) for host in lab.hosts}
    assert files == configuration(lab)


def test_what_cannot_be_served_is_named_with_what_helps_and_nothing_is_changed(lab: Lab) -> None:
    one, two, three = lab.hosts
    for host in lab.hosts:
        host.drop_in.write_text("[Service]\n")
        settings = initial_settings.of_member(lab.cluster, host.entry)
        if host is one:  # a script gives the flags
            script = f"#!/bin/sh\nexec /usr/bin/etcd {' '.join(flags(settings))}\n"
            written(one, "usr/local/bin/start", script, mode=0o755)
            drop_in(one, f"{FORGET}ExecStart=\nExecStart=/usr/local/bin/start\n")
        elif host is two:  # others may not read the file
            config_flag(two, settings)
            shell(two, "chgrp etcd /etc/etcd/etcd.conf.yml && chmod 640 /etc/etcd/etcd.conf.yml")
        else:
            debian(three, settings)
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


def _configured(host: Host) -> str:
    copies = [path.read_text() for path in Path(host.root / "etc/etcd").glob("*40-tls*")]
    return "".join(copies)
