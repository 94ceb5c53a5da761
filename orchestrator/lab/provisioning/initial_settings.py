"""etcd's settings as a rehearsal starts out, on plain HTTP: the members', and the proxies'."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.plan.model import Cluster, Host, Proxy


@dataclass(frozen=True, slots=True)
class Extra:
    """Settings beside the guide's own, for every member and for every proxy; they win."""

    members: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)


def of(cluster: Cluster, host: Host, extra: Extra) -> dict[str, str]:
    """Return a host's settings, by its role."""
    if isinstance(host, Proxy):
        return {**of_proxy(cluster, host), **extra.proxies}
    return {**of_member(cluster, host), **extra.members}


def of_member(cluster: Cluster, member: Host) -> dict[str, str]:
    """Return a member's settings as the guide's cluster starts out; the v2 API where the plan needs it."""
    client, peer = cluster.ports.client, cluster.ports.peer
    v2 = {"ETCD_ENABLE_V2": "true"} if serves_v2(cluster) else {}
    return {
        "ETCD_NAME": member.name,
        "ETCD_DATA_DIR": data_directory(cluster, member),
        "ETCD_LISTEN_CLIENT_URLS": url("http", everywhere(member), client),
        "ETCD_ADVERTISE_CLIENT_URLS": url("http", member.address, client),
        "ETCD_LISTEN_PEER_URLS": url("http", everywhere(member), peer),
        "ETCD_INITIAL_ADVERTISE_PEER_URLS": url("http", member.address, peer),
        "ETCD_INITIAL_CLUSTER": initial_cluster(cluster),
        "ETCD_INITIAL_CLUSTER_TOKEN": cluster.name,
        "ETCD_INITIAL_CLUSTER_STATE": "new",
        **v2,
    }


def of_proxy(cluster: Cluster, proxy: Host) -> dict[str, str]:
    """Return the settings of a v2 proxy that everybody may use, as before the guide's step for proxies."""
    return {
        "ETCD_PROXY": "on",
        "ETCD_NAME": proxy.name,
        "ETCD_DATA_DIR": data_directory(cluster, proxy),
        "ETCD_LISTEN_CLIENT_URLS": url("http", everywhere(proxy), cluster.ports.client),
        "ETCD_INITIAL_CLUSTER": initial_cluster(cluster),
    }


def serves_v2(cluster: Cluster) -> bool:
    """Tell whether the members have to serve the v2 API: a proxy passes on nothing else."""
    return bool(cluster.proxies) or cluster.api == "v2"


def initial_cluster(cluster: Cluster) -> str:
    """Return every member with its first peer URL."""
    peer = cluster.ports.peer
    return ",".join(f"{each.name}={url('http', each.address, peer)}" for each in cluster.members)


def data_directory(cluster: Cluster, host: Host) -> str:
    """Return where etcd keeps its files on a host."""
    suffix = "-proxy" if isinstance(host, Proxy) else ""
    return f"/var/lib/etcd/{cluster.name}{suffix}"


def everywhere(host: Host) -> str:
    """Return the address of all of a host's interfaces."""
    return "::" if ":" in host.address else "0.0.0.0"  # noqa: S104 - the guide's clusters listen everywhere


def url(scheme: str, address: str, port: int) -> str:
    """Write a URL; an IPv6 address stands in brackets."""
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}:{port}"


def drop_in(values: Mapping[str, str]) -> str:
    """Write settings as a systemd drop-in, one Environment line each, as cloud-init did."""
    lines = (f'Environment="{name}={_escaped(value)}"' for name, value in values.items())
    return "\n".join(("[Service]", *lines, ""))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
