"""Plans for tests: the shipped one, and a small one to change."""

from pathlib import Path

from orchestrator.errors import PlanInvalidError
from orchestrator.plan.loading import Loaded, load

SHIPPED = Path(__file__).parents[3] / "plans" / "three-members.yaml"
STRATEGIES = frozenset({"bridge", "guide"})
SMALL = """\
cluster: c
members:
  - {name: a, address: 10.0.0.1}
  - {name: b, address: 10.0.0.2}
  - {name: c, address: 10.0.0.3}
tls:
  ca: ca.pem
  certificate: "{name}.pem"
  key: "{name}.key"
  client_certificate: client.pem
  client_key: client.key
  directory: /etc/etcd
"""


def loaded(folder: Path, text: str, *, files: bool = False) -> Loaded:
    """Write a plan and load it."""
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    return load(path, STRATEGIES, files=files)


def faults(folder: Path, text: str, *, files: bool = False) -> list[str]:
    """Return a plan's faults, each without the folder; none if it loads."""
    try:
        loaded(folder, text, files=files)
    except PlanInvalidError as error:
        return [fault.removeprefix(f"{folder}/") for fault in error.faults]
    return []


def swapped(old: str, new: str) -> str:
    """Return the small plan with one passage exchanged."""
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)
