"""Etcds as people configure them: each layout gives a member its settings in another way."""

import shlex
from collections.abc import Callable, Mapping
from itertools import cycle

from live.stories import OURS, shell, wait_until_healthy, written

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning import initial_settings

Settings = Mapping[str, str]
Layout = Callable[[Host, Settings], None]
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


def cloud_config(host: Host, settings: Settings) -> None:
    """a drop-in with `Environment=` lines, as the guide assumes"""
    drop_in(host, environment_lines({**settings, "ETCD_SNAPSHOT_COUNT": "10000"}))


def debian(host: Host, settings: Settings) -> None:
    """`/etc/default/etcd`, which Debian's unit names"""
    written(host, "etc/default/etcd", f"# Debian's own\n{variables(settings)}")


def kubespray(host: Host, settings: Settings) -> None:
    """`/etc/etcd.env` with mode 0640"""
    written(host, "etc/etcd.env", variables(settings), mode=0o640)
    drop_in(host, "EnvironmentFile=/etc/etcd.env\n")


def mixed(host: Host, settings: Settings) -> None:
    """name and client listeners in `/etc/default/etcd`, all else in `Environment=` lines"""
    filed = {name: settings[name] for name in ("ETCD_LISTEN_CLIENT_URLS", "ETCD_NAME")}
    written(host, "etc/default/etcd", variables(filed))
    drop_in(host, environment_lines({name: settings[name] for name in settings if name not in filed}))


def tutorial(host: Host, settings: Settings) -> None:
    """flags over several lines, some as two words, one quoted"""
    words = (
        " \\\n  ".join(flags(settings)).replace("--name=", "--name ").replace("--data-dir=", "-data-dir '")
    )
    words = words.replace(" \\\n  --listen-client", "' \\\n  --listen-client", 1)
    drop_in(host, f"{FORGET}ExecStart=\nExecStart=/usr/bin/etcd \\\n  {words}\n")


def half_tutorial(host: Host, settings: Settings) -> None:
    """listeners as flags, one flag with a `${VARIABLE}`, all else in `Environment=` lines"""
    reported = {name: settings[name] for name in settings if name not in URLS}
    words = [*flags({name: settings[name] for name in URLS}), "--heartbeat-interval", "${BEAT}"]
    command = f"ExecStart=\nExecStart=/usr/bin/etcd {' '.join(words)}\n"
    drop_in(host, f"{environment_lines(reported)}Environment=BEAT=120\n{command}")


def daemon_args(host: Host, settings: Settings) -> None:
    """flags in `DAEMON_ARGS` of `/etc/default/etcd`"""
    written(host, "etc/default/etcd", f'DAEMON_ARGS="{" ".join(flags(settings))}"\n')
    drop_in(host, FORGET)


def centos(host: Host, settings: Settings) -> None:
    """flags in `bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd …"`"""
    words = " ".join(f'{word.replace("=", "=" + chr(92) + chr(34), 1)}\\"' for word in flags(settings))
    drop_in(host, f'{FORGET}ExecStart=\nExecStart=/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd {words}"\n')


def config_flag(host: Host, settings: Settings) -> None:
    """a file that `--config-file` names"""
    written(host, "etc/etcd/etcd.conf.yml", yaml(settings))
    drop_in(host, "ExecStart=\nExecStart=/usr/bin/etcd --config-file /etc/etcd/etcd.conf.yml\n")


def config_variable(host: Host, settings: Settings) -> None:
    """a file that `ETCD_CONFIG_FILE` in `/etc/default/etcd` names"""
    written(host, "etc/etcd/etcd.conf.yml", yaml(settings))
    written(host, "etc/default/etcd", "ETCD_CONFIG_FILE=/etc/etcd/etcd.conf.yml\nETCD_NAME=ignored\n")


# One cluster each: a layout is a host's own affair, and a migration of three hosts tries three of them.
CLUSTERS: tuple[tuple[Layout, ...], ...] = (
    (cloud_config,),
    (debian, kubespray, mixed),
    (tutorial, half_tutorial, daemon_args),
    (centos, config_flag, config_variable),
)
LAYOUTS = tuple(layout for cluster in CLUSTERS for layout in cluster)


def laid_out(lab: Lab, cluster: tuple[Layout, ...]) -> Mapping[str, Layout]:
    """Give every member its settings in another way, one after the other; return which has which."""
    given = dict(zip((host.name for host in lab.hosts), cycle(cluster), strict=False))
    for host in lab.hosts:
        settings = initial_settings.of_member(lab.cluster, host.entry)
        host.drop_in.write_text("[Service]\n")
        given[host.name](host, settings)
        shell(host, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")
        wait_until_healthy(lab)
    return given
