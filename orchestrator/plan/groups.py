"""Groups of an Ansible inventory: who stands below whom, and whose variables count."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

_PRIORITY = re.compile(r"-?[0-9]{1,9}")


@dataclass(slots=True)
class Group:
    """What an inventory says of a group itself."""

    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def priority(self) -> int:
        """Which of the groups that stand equally deep counts: the greatest."""
        said = self.variables.get("ansible_group_priority", "")
        return int(said) if _PRIORITY.fullmatch(said) else 1


def below(groups: Mapping[str, Group], name: str) -> Sequence[str]:
    """Name a group and those below it, each once."""
    found: dict[str, None] = {}
    left = [name]
    while left:
        one = left.pop()
        if one in groups and one not in found:
            found[one] = None
            left.extend(reversed(groups[one].children))
    return tuple(found)


def ranked(groups: Mapping[str, Group]) -> Sequence[str]:
    """Name the groups, those that count for most last: the deepest, and then as priorities and names say.

    Source: Ansible docs, "How variables are merged"; a group is as deep as the longest way to it.
    """
    depths = dict.fromkeys(groups, 1) | {"all": 0}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, group in groups.items():
        for child in group.children:
            sorter.add(child, name)
    with suppress(CycleError):  # Ansible takes none; who does not stand behind one is ranked all the same
        sorter.prepare()
    while sorter.is_active():
        ready = sorter.get_ready()
        for name in ready:
            for child in groups[name].children if name in groups else ():
                depths[child] = max(depths.get(child, 1), depths[name] + 1)
        sorter.done(*ready)
    return sorted(groups, key=lambda name: (name != "all", depths[name], groups[name].priority, name))


def variables_of(host: str, groups: Mapping[str, Group], order: Sequence[str]) -> dict[str, str]:
    """Return a host's variables: its own beat its groups'; of these, the later in ``order`` counts."""
    holding = [name for name, group in groups.items() if host in group.hosts]
    within = set(holding) - {"all", "ungrouped"} or {"ungrouped"}
    known = 0
    while known < len(within):  # twice, but for groups in a circle: the deepest come first
        known = len(within)
        for name in reversed(order):
            if not within.isdisjoint(groups[name].children):
                within.add(name)
    found: dict[str, str] = {}
    for name in order:
        if name == "all" or name in within:
            found |= groups[name].variables
    for name in holding:
        found |= groups[name].hosts[host]
    return found
