"""When a host and its member are ready: looked at from the bastion, as a client would."""

import http.client
import json

from orchestrator.cluster.model import Cluster
from orchestrator.lab import host, network
from orchestrator.lab.command import LabError, wait_until
from orchestrator.lab.host import Host


def wait(each: Host, cluster: Cluster, *, timeout_s: float) -> None:
    """Wait until the host takes SSH connections and its member says over HTTP that it is healthy."""
    name, address, port = each.member.name, each.member.address, cluster.ports.client
    try:
        host.wait_for_ssh(each, timeout_s=timeout_s)
        with network.entered(each.bastion):
            wait_until(lambda: is_healthy(address, port), f"{name}: etcd is healthy", timeout_s=timeout_s)
    except LabError as cause:
        raise LabError(f"{cause}\n{last_words(each)}") from cause


def is_healthy(address: str, port: int) -> bool:
    """Tell whether a member answers over plain HTTP that it is healthy."""
    connection = http.client.HTTPConnection(address, port, timeout=5.0)
    try:
        connection.request("GET", "/health")
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return bool(answer.get("health") == "true")


def last_words(each: Host) -> str:
    """Return what a host said last: etcd's journal if the host lives, else its console."""
    try:
        journal = ["journalctl", "--no-pager", "--output=cat", "--lines=15", f"--unit={each.unit}"]
        said = each.run(journal, check=False).stdout
    except LabError:
        said = ""
    console = each.console.read_text(errors="replace").splitlines()[-15:]
    return said or "\n".join([f"{each.console} ends with:", *console])
