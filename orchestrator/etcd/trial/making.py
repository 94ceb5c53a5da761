"""Making the trial out of the member's unit, starting it, and leaving nothing of it behind."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd import install, settings
from orchestrator.etcd.install import drop_ins, environment_file
from orchestrator.etcd.trial import urls
from orchestrator.etcd.trial.copying import COPY
from orchestrator.etcd.trial.place import (
    COMMAND,
    DIRECTORY,
    DROP_INS,
    LAST,
    MEMORY_MIB,
    OURS,
    UNIT,
    UNIT_FILE,
)
from orchestrator.host.operations import MakeDirectory, Operation, Run, Write
from orchestrator.plan.facts import Target

_SLACK_S = 60  # beyond the patience with which the members' trials are waited for
_LOG = "ETCD_WAL_DIR"
_ANY_PORT = "127.0.0.1:0"  # the kernel chooses one, and nobody else knows it

# Patterns, for one may match nothing and a name may not. What ends it in its time runs this too, and has no
# semicolon in it: systemd-run (252) writes one with a backslash into the unit of a timer. Its directory is
# made first and goes last: where there is none, nothing of a trial is there, and systemd need not reload.
END = (
    f"systemctl stop '{UNIT}*.timer' '{UNIT}.[s]ervice' && ([ ! -e {DIRECTORY} ] || "
    f"(rm -rf {UNIT_FILE} {DROP_INS} && systemctl daemon-reload && "
    f"systemctl reset-failed '{UNIT}.[s]ervice' && rm -rf {DIRECTORY}))"
)

# A new cluster of trials: nothing that a member was founded with counts. Its log is the journal, whatever the
# member's is; these two listen beside the client port, and would find their ports taken.
_NEUTRAL: Mapping[str, str] = {
    "ETCD_DISCOVERY": "",
    "ETCD_DISCOVERY_SRV": "",
    "ETCD_DISCOVERY_SRV_NAME": "",
    "ETCD_DISCOVERY_PROXY": "",
    "ETCD_DISCOVERY_FALLBACK": "proxy",
    "ETCD_FORCE_NEW_CLUSTER": "false",
    "ETCD_LISTEN_CLIENT_HTTP_URLS": "",
    "ETCD_LOG_PACKAGE_LEVELS": "",
    "ETCD_LOG_OUTPUT": "default",
    "ETCD_LOG_OUTPUTS": "default",
    "ETCD_ENABLE_LOG_ROTATION": "false",
    "ETCD_LOG_ROTATION_CONFIG_JSON": "{}",
}


def begin(target: Target) -> Iterable[Operation]:
    """Start the member's unit under the trial's name; it ends by itself in the end, and leaves nothing."""
    script, lasts_s = f"{DIRECTORY}/copy", round(target.cluster.patience.gate_s) + _SLACK_S
    yield from end(target)
    timer = ("--quiet", "--collect", f"--unit={UNIT}-end", f"--on-active={lasts_s}")
    yield Run(("systemd-run", *timer, "--timer-property=AccuracySec=1s", "sh", "-c", END))
    for directory in (DIRECTORY, OURS, DROP_INS):
        yield MakeDirectory(directory)
    written, lines, variables = install.of(target).copied(OURS, DIRECTORY, _differing(target), _NEUTRAL)
    yield from written
    if lines:
        yield Write(f"{OURS}/{COMMAND}", drop_ins.text(lines))
    yield Write(f"{DIRECTORY}/environment", environment_file.text(variables))
    yield Write(script, COPY, 0o700)
    yield Run(("sh", script, target.etcd.service))
    yield Write(f"{DROP_INS}/{LAST}", _last(lasts_s))
    yield Run(("systemctl", "daemon-reload"))
    yield Run(("systemctl", "--no-block", "start", f"{UNIT}.service"))


def end(target: Target) -> Iterable[Operation]:
    """Stop it if it still runs, and leave nothing of it."""
    del target
    yield Run(("sh", "-c", END))


def _differing(target: Target) -> Mapping[str, str]:
    """Settings that cannot be the member's own: the ports, a cluster of trials only, and its log's place."""
    log = target.found.environment.get(_LOG)
    return {
        **({_LOG: f"{log}/{UNIT}"} if log else {}),  # what is hidden is the one above
        settings.LISTEN_PEER: ",".join(urls.listeners(target)),
        settings.INITIAL_ADVERTISE_PEER: ",".join(urls.urls(target)),
        settings.INITIAL_CLUSTER: urls.cluster(target),
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        "ETCD_INITIAL_CLUSTER_TOKEN": UNIT,
        # clients are no part of it, but their certificate is: etcd reads it for this listener
        settings.LISTEN_CLIENT: f"https://{_ANY_PORT}",
        settings.ADVERTISE_CLIENT: f"https://{_ANY_PORT}",
        "ETCD_LISTEN_METRICS_URLS": f"http://{_ANY_PORT}",
        "ETCD_LOG_LEVEL": "info",  # it logs whom it has dialled
    }


def _last(lasts_s: int) -> str:
    """Return the drop-in of what a trial beside a member has to have otherwise than the member.

    It is killed: it has nothing to keep, and etcd takes a second to say goodbye over TLS.
    """
    return f"""\
[Unit]
Description={UNIT}
[Service]
EnvironmentFile={DIRECTORY}/environment
UnsetEnvironment={" ".join(_NEUTRAL)}
Restart=no
TimeoutStartSec={lasts_s}
KillMode=control-group
KillSignal=SIGKILL
TimeoutStopSec=10
RuntimeMaxSec={lasts_s}
RuntimeDirectoryPreserve=yes
Nice=10
IOSchedulingClass=idle
CPUWeight=10
MemoryMax={MEMORY_MIB}M
OOMScoreAdjust=900
"""
