"""The lab's own copy of a plan: the same cluster, but every file below the lab's directory."""

from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import addressing
from orchestrator.plan import spelling
from orchestrator.plan.loading import load
from orchestrator.plan.model import Cluster

PLAN = "plan.yaml"
TLS = {
    "ca": "pki/ca.pem",
    "certificate": "pki/members/{name}.pem",
    "key": "pki/members/{name}-key.pem",
    "client_certificate": "pki/client.pem",
    "client_key": "pki/client-key.pem",
}
PASSWORD = "keys/etcd.password"  # noqa: S105 - a file's name
SSH = {"identity_file": "keys/id_ed25519", "known_hosts": "keys/known_hosts", "config": "none"}
AT_THEIR_ADDRESSES: Mapping[str, str] = {}
LONGEST_QUIET_S = 3.0
NOT_RUN = ("units", "hosts")  # of the plan's clients
NOT_HERE = ("host", "identity_file", "known_hosts", "config", "jump", "host_key")


def relocated(text: str, reached: Mapping[str, str] = AT_THEIR_ADDRESSES, user: str = "") -> str:
    """Rewrite a plan so that each of its files is the lab's own and each host is reached at its address.

    A host's own files and its way (``ssh.host``, jump hosts) go; what else it overrides stays, comments too.
    How long nobody may have spoken plain http is shortened: a rehearsal does not wait ten minutes for that.
    ``reached`` are IP addresses of hosts that the plan has DNS names of, by the hosts' names. ``user`` is
    whom etcd is asked as, if it is not the plan that says so.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)  # as the example plans are written
    yaml.width = 4096  # no new line breaks
    plan: Any = yaml.load(text)
    for section, paths in (("tls", TLS), ("ssh", SSH)):
        plan.setdefault(section, {}).update(paths)
    plan["ssh"].pop("jump", None)
    plan.pop("notify", None)  # nobody is to be called at night for a rehearsal
    _shorten(plan.setdefault("clients", {}))
    if user:
        plan["auth"] = {"user": user}
    if plan.get("api") == "v2":
        plan.pop("auth", None)  # users of the v2 interface are others, and not served
    if plan.get("auth"):
        plan["auth"]["password_file"] = PASSWORD
    for host in (*plan["members"], *plan.get("proxies", ())):
        for name in ("certificate", "key"):
            host.pop(name, None)
        for name in NOT_HERE:
            (host.get("ssh") or {}).pop(name, None)
        if "ssh" in host and not host["ssh"]:
            del host["ssh"]
        if host["name"] in reached:
            host.setdefault("ssh", {})["host"] = reached[host["name"]]
    _without_units(plan)
    written = StringIO()
    yaml.dump(plan, written)
    return written.getvalue()


def _without_units(plan: Any) -> None:  # noqa: ANN401 - YAML
    """Take out clients that the plan moves, which nobody runs in the lab, and what is for them alone."""
    for name in NOT_RUN:
        plan["clients"].pop(name, None)
    watch = plan.get("watch")
    if isinstance(watch, dict) and not watch.get("units"):
        del plan["watch"]


def rehearsed(cluster: Cluster) -> Cluster:
    """Return a cluster without the clients that nobody runs in the lab, as the lab's copy of its plan is."""
    clients = cluster.clients.model_copy(update=dict.fromkeys(NOT_RUN, ()))
    return cluster.model_copy(update={"clients": clients})


def _shorten(clients: Any) -> None:  # noqa: ANN401 - YAML
    if "quiet" not in clients or spelling.seconds(clients["quiet"]) > LONGEST_QUIET_S:
        clients["quiet"] = f"{LONGEST_QUIET_S:g}s"


def copy(
    plan: Path,
    directory: Path,
    found: Mapping[str, Sequence[str]] = addressing.NONE_FOUND,
    user: str = "",
) -> Cluster:
    """Write the lab's copy of a plan and return its cluster; faults are reported in the operator's own file.

    ``found`` are the IP addresses that hosts were found with, if any, by the hosts' names; ``user`` as
    ``relocated`` has it.
    """
    theirs = read(plan)
    target = directory / PLAN
    if plan.resolve() == target.resolve():
        raise LabError(f"{plan} is the lab's own copy: name the plan it was made from")
    first = {name: str(addresses[0]) for name, addresses in addressing.of(theirs, found).items()}
    named = {host.name: first[host.name] for host in theirs.etcd_hosts if host.address != first[host.name]}
    target.write_text(relocated(plan.read_text(), named, user))
    return read(target)


def read(plan: Path) -> Cluster:
    """Return a plan's cluster. The files that it names need not exist."""
    return load(plan, _AnyStrategy(), files=False).cluster


class _AnyStrategy(frozenset[str]):
    """Every strategy's name: which there are is the program's business, and it checks the copy again."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)
