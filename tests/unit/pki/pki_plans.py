"""A plan with members, a proxy, and a host of every kind of address, and its files in a folder."""

from collections.abc import Sequence
from pathlib import Path

from orchestrator.commands.certs import make
from orchestrator.plan.loading import load
from orchestrator.plan.model import Cluster

PLAN = """\
cluster: three-members
members:
  - {name: server1, address: 198.18.0.101}
  - {name: server2, address: "2001:DB8:0::2"}
  - {name: server3, address: etcd3.example.com.}
proxies:
  - {name: proxy1, address: 198.18.0.111, key: pki/private/proxy.key}
tls:
  ca: pki/ca.pem
  certificate: pki/{name}.pem
  key: pki/{name}-key.pem
  client_certificate: pki/client.pem
  client_key: pki/client-key.pem
  directory: /etc/etcd2
"""
PATHS = {
    "pki/ca-key.pem",
    "pki/ca.pem",
    "pki/client-key.pem",
    "pki/client.pem",
    "pki/private/proxy.key",
    "pki/proxy1.pem",
    *(f"pki/server{number}{end}.pem" for number in (1, 2, 3) for end in ("", "-key")),
}


def plan_in(folder: Path, text: str = PLAN) -> Path:
    """Write a plan."""
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def cluster_in(folder: Path, text: str = PLAN) -> Cluster:
    """Write a plan and return its cluster."""
    return load(plan_in(folder, text), {"bridge"}, files=False).cluster


def certs(
    plan: Path,
    *,
    renew: bool = False,
    key_type: str = "ec",
    days: int = 365,
    ca_days: int = 3650,
    sans: Sequence[str] = (),
) -> str:
    """Run the command with its defaults."""
    return make(plan, renew=renew, key_type=key_type, days=days, ca_days=ca_days, sans=sans)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the plan."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "plan.yaml"
    }
