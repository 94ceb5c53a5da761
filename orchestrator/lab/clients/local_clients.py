"""Local clients of the members, such as fleet: a unit for each that the plan watches, and how it fared."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.hosts import journald
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import credentials, login
from orchestrator.lab.provisioning.furnishing import write
from orchestrator.plan import patterns
from orchestrator.plan.model import Cluster

PROGRAM = Path(__file__).with_name("local_client.sh")
INSTALLED = "usr/local/lib/orchestrator-lab/local_client.sh"
LOGIN = "usr/local/lib/orchestrator-lab/login.json"
UNIT = """\
[Unit]
Description={name}, a local client of etcd
After={etcd}

[Service]
Type=exec
SyslogIdentifier={name}
ExecStart=/bin/sh /{program} {name} {api} {local} {client} /{login}
RuntimeDirectory=orchestrator-lab-{name}

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class LocalClient:
    """How a watched unit fared on one host. ``is_well`` says that the last it told is no error.

    ``errors_after`` are those since etcd was last started and ready; ``last_error_s`` is the age of the last
    one.
    """

    host: str
    unit: str
    state: str
    is_well: bool
    errors_before: int
    errors_after: int
    last_error_s: float | None


def install(host: Host, cluster: Cluster) -> None:
    """Write the local clients that the plan watches to a member's host, to be started at boot."""
    units = host.root / "etc/systemd/system"
    if cluster.watch.units and cluster.local_port is None:
        raise LabError(
            "the lab's local clients need a port that stays http, and the plan says ports.local: none"
        )
    for name in cluster.watch.units:
        unit = f"{name}.service"
        if (host.root / "lib/systemd/system" / unit).exists() or (units / unit).exists():
            raise LabError(f"the plan watches {unit}, which is another program's in the lab: leave it out")
        write(host.root / INSTALLED, PROGRAM.read_text())
        if who := login.of(cluster):
            words = json.dumps({"name": who.user, "password": who.password})
            credentials.write_private(host.root / LOGIN, words.encode())
        text = UNIT.format(
            name=name,
            etcd=host.unit,
            program=INSTALLED,
            api="v2" if cluster.api == "v2" else "v3",
            local=cluster.local_port,
            client=cluster.ports.client,
            login=LOGIN,
        )
        write(units / unit, text)
        (units / "multi-user.target.wants" / unit).symlink_to(f"/etc/systemd/system/{unit}")


def states(host: Host, cluster: Cluster) -> tuple[LocalClient, ...]:
    """Look how every watched unit of a member's host fared since it was booted."""
    return tuple(_state(host, unit, cluster.watch.errors) for unit in cluster.watch.units)


def _state(host: Host, unit: str, errors: str) -> LocalClient:
    reported = journald.read(host, f"_SYSTEMD_UNIT={unit}.service")
    try:
        found = set(patterns.finding(errors, (line.text for line in reported)))
    except patterns.TooSlowError as error:
        raise LabError(
            f"watch.errors of the plan {error} over the journal of {unit} on {host.name}"
        ) from error
    times = [line.at for line in reported if line.text in found]
    start = max(journald.started(host), default=0.0)
    return LocalClient(
        host=host.name,
        unit=unit,
        state=host.run(["systemctl", "is-active", unit], check=False).stdout.strip(),
        is_well=not reported or reported[-1].text not in found,
        errors_before=sum(at < start for at in times),
        errors_after=sum(at >= start for at in times),
        last_error_s=time.time() - times[-1] if times else None,
    )
