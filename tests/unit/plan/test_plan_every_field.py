"""Whatever a plan says is in the cluster that is loaded from it: no field is read and dropped."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from unit.plan.plan_texts import loaded

from orchestrator.plan.model import Cluster
from orchestrator.plan.plan import SECTIONS

PLAN: dict[str, Any] = {
    "cluster": "c",
    "members": [{"name": f"m{i}", "address": f"10.0.0.{i}"} for i in (1, 2, 3)],
    "proxies": [{"name": "p", "address": "10.0.0.9"}],
    "tls": {
        "ca": "ca.pem",
        "certificate": "{name}.pem",
        "key": "{name}.key",
        "client_certificate": "client.pem",
        "client_key": "client.key",
        "directory": "/etc/etcd",
    },
}
FOLDER = Path("/folder/of/the/plan")
SSH = {
    "port": (2222, 2222),
    "user": ("admin", "admin"),
    "identity_file": ("id", FOLDER / "id"),
    "known_hosts": ("kh", FOLDER / "kh"),
    "become": ("doas", "doas"),
    "config": ("conf", FOLDER / "conf"),
    "jump": ("ops@gw:2222, gw2", "ops@gw:2222, gw2"),
}
KEY = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
HOST_SSH = SSH | {"host": ("10.1.0.1", "10.1.0.1"), "host_key": (KEY, KEY)}
REACHED = {"name": ("other", "other"), "address": ("10.0.0.8", "10.0.0.8")}
HOST = REACHED | {
    "service": ("etcd9", "etcd9"),
    "certificate": ("own/{name}.pem", FOLDER / "own/NAME.pem"),
    "key": ("own/{name}.key", FOLDER / "own/NAME.key"),
}
# what a plan may say in each field, other than its default, and what the cluster makes of it
VALUES: dict[str, dict[str, tuple[Any, Any]]] = {
    "": {
        "cluster": ("other", "other"),
        "service": ("etcd9", "etcd9"),
        "strategy": ("guide", "guide"),
        "api": ("v2", "v2"),
        "accept_downtime": (True, True),
        "compare_data": (True, True),
        "persist": ("in_place", "in_place"),
    },
    "members.*": HOST,
    "members.*.ssh": HOST_SSH,
    "proxies.*": HOST,
    "proxies.*.ssh": HOST_SSH,
    "ssh": SSH,
    "tls": {
        "ca": ("x.pem", FOLDER / "x.pem"),
        "certificate": ("own/{name}.pem", "own/{name}.pem"),
        "key": ("own/{name}.key", "own/{name}.key"),
        "client_certificate": ("x.pem", FOLDER / "x.pem"),
        "client_key": ("x.key", FOLDER / "x.key"),
        "directory": ("/etc/other", "/etc/other"),
        "client_cert_auth": (False, False),
        "peer_cert_auth": (True, True),  # nothing else is possible
        "trust": ("files", "files"),
    },
    "auth": {"user": ("root", "root"), "password_file": ("root.password", FOLDER / "root.password")},
    "ports": dict.fromkeys(("client", "peer", "local", "trial"), (12999, 12999)),
    "patience": {"gate": ("61s", 61.0), "pause": ("2m", 120.0)},
    "watch": {"units": (["fleet"], ("fleet",)), "quiet": ("1500ms", 1.5), "errors": ("lost", "lost")},
    "probe": {"stall": ("1500ms", 1.5), "failures": (3, 3), "rate": (50, 50)},
    "notify": {
        "hook": ("logger -t 'a run'", ("logger", "-t", "a run")),
        "webhook": ("https://hooks.example.com/x?y=z", "https://hooks.example.com/x?y=z"),
        "metrics_file": ("x.prom", FOLDER / "x.prom"),
    },
    "clients": {
        "overlap": (True, True),
        "extra_port": (2399, 2399),
        "quiet": ("1500ms", 1.5),
        "close": (["local"], ("local",)),
        "cert_auth": ("switch", "switch"),
    },
    "clients.hosts.*": REACHED,
    "clients.hosts.*.ssh": HOST_SSH,
    "clients.units.*": {
        "unit": ("vitess", "vitess"),
        "on": (["m2"], ("m2",)),
        "restart": ("reload", "reload"),
        "before": ("pause", "pause"),
        "after": ("resume", "resume"),
        "healthy": ("list", "list"),
    },
    "clients.units.*.files.*": {
        "path": ("/etc/other.yml", "/etc/other.yml"),
        "content": ("own/{name}.yml", FOLDER / "own/{name}.yml"),
    },
}
ONLY_ONE_VALUE = {("tls", "peer_cert_auth")}
FIELDS = [
    (place, field.alias or name, name)
    for place, section in SECTIONS.items()
    for name, field in section.model_fields.items()
    if f"{place}.{name}".removeprefix(".") not in SECTIONS  # a section of its own
    and f"{place}.{name}.*".removeprefix(".") not in SECTIONS
]


def test_there_is_a_value_for_every_field() -> None:
    assert {(place, written) for place, written, _ in FIELDS} == {
        (place, written) for place, values in VALUES.items() for written in values
    }


@pytest.mark.parametrize(("place", "written", "name"), FIELDS)
def test_what_a_plan_says_is_in_the_cluster(tmp_path: Path, place: str, written: str, name: str) -> None:
    value, expected = VALUES[place][written]
    plan = copy.deepcopy(PLAN)
    if place == "watch":
        plan["watch"] = {"units": ["flanneld"]}
    if place == "auth":
        plan["auth"] = {"user": "ops", "password_file": "ops.password"}
    if written == "persist":
        del plan["proxies"]  # they have no files edited
    if place.startswith("clients.units"):
        file = {"path": "/etc/patroni.yml", "content": "{name}.yml"}
        plan["clients"] = {"units": [{"unit": "patroni", "files": [file]}]}
    if place.startswith("clients.hosts"):
        unit = {"unit": "patroni", "on": ["app"], "files": [{"path": "/etc/p", "content": "p"}]}
        plan["clients"] = {"units": [unit], "hosts": [{"name": "app", "address": "10.0.0.7"}]}
    before = load(tmp_path, plan)
    part: Any = plan
    for step in place.split(".") if place else ():
        part = part[0] if step == "*" else part.setdefault(step, {})
    part[written] = value
    if (place, written) == ("clients.hosts.*", "name"):
        plan["clients"]["units"][0]["on"] = [value]  # it runs there, by whatever name
    after = load(tmp_path, plan)
    seen: Any = after
    for step in place.split(".") if place else ():
        seen = seen[0] if step == "*" else getattr(seen, step)
    actual = getattr(seen, name)
    if isinstance(expected, Path):
        expected = moved(expected, tmp_path, getattr(seen, "name", ""))
    assert expected == actual
    assert (before != after) is ((place, written) not in ONLY_ONE_VALUE)


def load(folder: Path, plan: dict[str, Any]) -> Cluster:
    return loaded(folder, json.dumps(plan)).cluster


def moved(path: Path, folder: Path, name: str) -> Path:
    return folder / str(path.relative_to(FOLDER)).replace("NAME", name)


@pytest.mark.parametrize("place", ["members.*", "proxies.*"])
def test_a_host_without_a_value_of_its_own_has_the_plans(tmp_path: Path, place: str) -> None:
    plan = copy.deepcopy(PLAN) | {
        "service": "etcd9",
        "ssh": {name: value for name, (value, _) in SSH.items()},
    }
    cluster = load(tmp_path, plan)
    host = cluster.members[0] if place == "members.*" else cluster.proxies[0]
    shared = {name: moved(e, tmp_path, "") if isinstance(e, Path) else e for name, (_, e) in SSH.items()}
    assert shared | {"host": host.address, "host_key": None} == host.ssh.model_dump()
    files = (tmp_path / f"{host.name}.pem", tmp_path / f"{host.name}.key")
    assert ("etcd9", *files) == (host.service, host.certificate, host.key)
