"""When a host and what runs there are ready: looked at from outside, as a client would."""

import http.client
import json

from orchestrator.lab.hosts import host, journald
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError, wait_until
from orchestrator.plan.model import Cluster, Proxy
from orchestrator.probe import v2


def wait(each: Host, cluster: Cluster, *, timeout_s: float) -> None:
    """Wait until the host takes SSH connections, and its etcd and its local clients are at work."""
    try:
        host.wait_for_ssh(each, timeout_s=timeout_s)
        if isinstance(each.entry, Proxy):
            _wait_for_proxy(each, cluster.ports.client, timeout_s)
        else:
            _wait_for_member(each, cluster, timeout_s)
    except LabError as cause:
        raise LabError(f"{cause}\n{last_words(each)}") from cause


def _wait_for_member(each: Host, cluster: Cluster, timeout_s: float) -> None:
    address, port = each.address, cluster.ports.client
    with network.entered(each.bastion):
        wait_until(lambda: is_healthy(address, port), f"{each.name}: etcd is healthy", timeout_s=timeout_s)
    if cluster.watch.units:
        units = cluster.watch.units
        wait_until(
            lambda: _are_active(each, units),
            f"{each.name}: {', '.join(units)} are active",
            timeout_s=timeout_s,
        )


def _wait_for_proxy(each: Host, port: int, timeout_s: float) -> None:
    with network.entered(each.namespace):  # it may listen on loopback only
        wait_until(
            lambda: _get("127.0.0.1", port, v2.KEYS) is not None,
            f"{each.name}: the proxy passes requests on",
            timeout_s=timeout_s,
        )


def _are_active(each: Host, units: tuple[str, ...]) -> bool:
    found = each.run(["systemctl", "is-active", *units], check=False).stdout.split()
    return found == ["active"] * len(units)


def is_healthy(address: str, port: int) -> bool:
    """Tell whether a member answers over plain HTTP that it is healthy."""
    answer = _get(address, port, "/health")
    return isinstance(answer, dict) and answer.get("health") == "true"


def _get(address: str, port: int, path: str) -> object:
    """Return what is answered over plain HTTP, as JSON; None if nothing good is."""
    connection = http.client.HTTPConnection(address, port, timeout=5.0)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        said: object = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return said if response.status == 200 else None


def last_words(each: Host) -> str:
    """Return what a host said last: etcd's journal if the host lives, else its console."""
    try:
        shown = ["--no-pager", "--output=cat", "--lines=15", f"--unit={journald.etcd(each)}"]
        said = each.run(["journalctl", *shown], check=False).stdout
    except LabError:
        said = ""
    console = each.console.read_text(errors="replace").splitlines()[-15:]
    return said or "\n".join([f"{each.console} ends with:", *console])
