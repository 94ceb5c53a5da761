"""The lab's own copy of a plan: the same cluster, but every file below the lab's directory."""

from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from orchestrator.lab.machine.programs import LabError
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
SSH = {"identity_file": "keys/id_ed25519", "known_hosts": "keys/known_hosts", "config": "none"}
NOT_HERE = ("host", "identity_file", "known_hosts", "config", "jump", "host_key")


def relocated(text: str) -> str:
    """Rewrite a plan so that each of its files is the lab's own and each host is reached at its address.

    A host's own files and its way (``ssh.host``, jump hosts) go; what else it overrides stays, comments too.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)  # as the example plans are written
    yaml.width = 4096  # no new line breaks
    plan: Any = yaml.load(text)
    for section, paths in (("tls", TLS), ("ssh", SSH)):
        plan.setdefault(section, {}).update(paths)
    plan["ssh"].pop("jump", None)
    plan.pop("auth", None)  # the lab's cluster is a new one, whose authentication is off
    for host in (*plan["members"], *plan.get("proxies", ())):
        for name in ("certificate", "key"):
            host.pop(name, None)
        for name in NOT_HERE:
            (host.get("ssh") or {}).pop(name, None)
        if "ssh" in host and not host["ssh"]:
            del host["ssh"]
    written = StringIO()
    yaml.dump(plan, written)
    return written.getvalue()


def copy(plan: Path, directory: Path) -> Cluster:
    """Write the lab's copy of a plan and return its cluster; faults are told of the operator's own file."""
    read(plan)
    target = directory / PLAN
    if plan.resolve() == target.resolve():
        raise LabError(f"{plan} is the lab's own copy: name the plan it was made from")
    target.write_text(relocated(plan.read_text()))
    return read(target)


def read(plan: Path) -> Cluster:
    """Return a plan's cluster. The files that it names need not exist."""
    return load(plan, _AnyStrategy(), files=False).cluster


class _AnyStrategy(frozenset[str]):
    """Every strategy's name: which there are is the program's business, and it checks the copy again."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)
