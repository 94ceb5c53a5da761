"""Two clusters on the same hosts: five members with DNS names, and beside three of them one with IPv6.

Every member of the first has ports of its own, some have several URLs, two have a unit of their own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from live.conftest import THREE_MEMBERS
from live.stories import shell, written

from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import run
from orchestrator.lab.provisioning import credentials
from orchestrator.lab.provisioning.initial_settings import drop_in

SECOND = "second/plan.yaml"  # in the lab's directory
SERVICES = {4: "etcd-d", 5: "etcd@five"}
CLIENTS = {1: (2379, 2378), 2: (12379,), 3: (2379,), 4: (2379,), 5: (15379, 2379)}
PEERS = {1: (2380,), 2: (12380,), 3: (13380, 13381), 4: (2380,), 5: (15380,)}
TRIAL = 12399  # the usual one is a member's own
BOTH = ("server1", "server3", "server5")  # hosts of both clusters
EVERYWHERE = "0.0.0.0"  # noqa: S104 - in the lab
UNIT = """\
[Service]
Type=notify
User=etcd
EnvironmentFile=/etc/kv/%i.env
ExecStart=/usr/bin/etcd
[Install]
WantedBy=multi-user.target
"""
PLAN = """\
cluster: second
service: kv@second
members:
{members}
ssh: {{user: root, identity_file: ../keys/id_ed25519, known_hosts: known_hosts, config: none}}
tls:
  ca: ../pki/ca.pem
  certificate: "{{name}}.pem"
  key: "{{name}}-key.pem"
  client_certificate: ../pki/client.pem
  client_key: ../pki/client-key.pem
  directory: /etc/etcd2
ports: {{client: 2479, peer: 2480}}
clients: {{overlap: true, extra_port: 2478, quiet: 3s}}
"""


@dataclass(frozen=True, slots=True)
class Etcd:
    """An etcd on a host: its unit, where its data lies, and how it is asked there before it speaks https."""

    host: Host
    unit: str
    data: str
    url: str

    @property
    def process(self) -> str:
        """Its process, when that began, and its arguments and variables."""
        return shell(
            self.host,
            f"pid=$(systemctl show --property=MainPID --value {self.unit}); echo $pid; "
            "cut -d ' ' -f 22 /proc/$pid/stat; cat /proc/$pid/cmdline /proc/$pid/environ | tr '\\0' '\\n'",
        )


def first(lab: Lab) -> Sequence[Etcd]:
    return [
        Etcd(host, host.unit, "/var/lib/etcd/first", f"http://127.0.0.1:{CLIENTS[n][0]}")
        for n, host in enumerate(lab.hosts, start=1)
    ]


def second(lab: Lab) -> Sequence[Etcd]:
    own = "kv@second.service", "/var/lib/etcd/second", "http://[::1]:2479"
    return [Etcd(lab.host(name), *own) for name in BOTH]


def first_plan(folder: Path) -> Path:
    """The plan of the first, as the lab makes its copy of it."""
    services = {n: f", service: {service}" for n, service in SERVICES.items()}
    members = "".join(f"  - {{name: server{n}, address: {_name(n)}{services.get(n, '')}}}\n" for n in PEERS)
    text = re.sub(r"(?<=members:\n)(  - .*\n)+", members, THREE_MEMBERS.read_text())
    plan = folder / "plan.yaml"
    overlap = "clients: {overlap: true, extra_port: 2377}\n"  # one of them has 2378 already
    plan.write_text(text.replace("local: 4001", f"trial: {TRIAL}") + overlap)
    return plan


def shape_first(lab: Lab) -> None:
    """Form the lab's own cluster anew, with ports and URLs of each member's own."""
    everyone = {f"server{n}": _urls(_name(n), PEERS[n]) for n in PEERS}
    for n, each in enumerate(first(lab), start=1):
        listens = _urls(EVERYWHERE, CLIENTS[n]), _urls(EVERYWHERE, PEERS[n])
        own = _settings(each, listens, _urls(_name(n), CLIENTS[n]), everyone)
        each.host.drop_in.write_text(drop_in(own))
    _form(first(lab))


def add_second(lab: Lab) -> None:
    """Form a second cluster on three of the hosts, by IPv6, with settings in a file; and write its plan.

    Both have certificates of one CA. The lab's own are written anew: nobody has them yet.
    """
    authority, folder = credentials.write_certificates(lab.cluster), lab.directory / "second"
    folder.mkdir()
    keys, members = lab.cluster.ssh.known_hosts.read_text(), ""
    everyone = {name: _urls(f"[{_address(name)}]", (2480, 2481)) for name in BOTH}
    for each in second(lab):
        host, name, own = each.host, each.host.name, _address(each.host.name)
        run(["ip", "-n", host.namespace, "address", "add", f"{own}/128", "dev", network.PORT, "nodad"])
        run(["ip", "-n", host.namespace, "-6", "route", "add", "default", "dev", network.PORT])
        clients = _urls(f"[{own}]", (2479,))
        settings = _settings(each, (f"{clients},http://[::1]:2479", everyone[name]), clients, everyone)
        lines = "".join(f"{key}={value}\n" for key, value in settings.items())
        written(host, "etc/kv/second.env", lines)
        written(host, "etc/systemd/system/kv@.service", UNIT)
        keys = keys.replace(f"{host.address} ", f"{own} ")
        members += f'  - {{name: {name}, address: "{own}"}}\n'
        authority.issue(name, (own, "::1", "127.0.0.1")).write(
            folder / f"{name}.pem", folder / f"{name}-key.pem"
        )
    (folder / "known_hosts").write_text(keys)
    (lab.directory / SECOND).write_text(PLAN.format(members=members.rstrip()))
    _form(second(lab))


def wait(etcds: Sequence[Etcd], asking: str, timeout_s: float = 30.0) -> None:
    """Wait until each says that it is healthy to that command, which its URL follows."""
    began = monotonic()
    for each in etcds:
        while '"true"' not in (said := shell(each.host, f"{asking} {each.url}/health || :")):
            assert monotonic() - began < timeout_s, f"{each}: {said}"
            sleep(0.1)


def _name(number: int) -> str:
    return f"etcd{number}.corp.example"


def _address(name: str) -> str:
    return f"fd00::{name.removeprefix('server')}"


def _urls(host: str, ports: Sequence[int]) -> str:
    return ",".join(f"http://{host}:{port}" for port in ports)


def _settings(
    each: Etcd, listens: tuple[str, str], advertises: str, everyone: Mapping[str, str]
) -> dict[str, str]:
    began = (f"{name}={url}" for name, urls in everyone.items() for url in urls.split(","))
    return {
        "ETCD_NAME": each.host.name,
        "ETCD_DATA_DIR": each.data,
        "ETCD_LISTEN_CLIENT_URLS": listens[0],
        "ETCD_LISTEN_PEER_URLS": listens[1],
        "ETCD_ADVERTISE_CLIENT_URLS": advertises,
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": everyone[each.host.name],
        "ETCD_INITIAL_CLUSTER": ",".join(began),
    }


def _form(etcds: Sequence[Etcd]) -> None:
    for each in etcds:
        shell(each.host, f"systemctl stop {each.unit}; rm -rf {each.data}; systemctl daemon-reload")
    for each in etcds:
        shell(each.host, f"systemctl --quiet enable {each.unit}; systemctl --no-block start {each.unit}")
    wait(etcds, "curl -sm 2")
