"""The layouts that were tried on real hosts, as tables for docs/hosts.md."""

from collections.abc import Iterable

from documented_faults import block, cells_of, table_head
from live.hosts_table import RESULTS, Tried
from live.layouts import LAYOUTS

from orchestrator.lab.hosts.etcd_programs import VERSIONS

MOST_WORDS = 24
DROP_INS = "/etc/systemd/system/etcd2.service.d/"


def served(_: str) -> str:
    """Return each layout: where its settings are, what we wrote, and the versions that served it."""
    lines = table_head("Layout", "Settings are in", "Our settings lie in", *(f"etcd {v}" for v in VERSIONS))
    for layout in LAYOUTS:
        rows = {one.etcd: one for one in tried(served_=True) if one.layout == layout.__name__}
        files = dict.fromkeys(
            name.removeprefix(DROP_INS) for one in rows.values() for name in sorted(one.files, reverse=True)
        )
        marks = ("served" if version in rows else "" for version in VERSIONS)
        named = ", ".join(f"`{name}`" for name in files)
        lines.append(cells_of(f"`{layout.__name__}`", layout.__doc__ or "", named, *marks))
    return block(lines)


def refused(_: str) -> str:
    """Return each layout that was refused, the versions on which it was, and what ``check`` prints."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in tried(served_=False):
        alike.setdefault((one.layout, beginning(one.reported), beginning(one.fix)), []).append(one.etcd)
    lines = table_head("What was set up", "etcd", "`check` says", "and to do")
    for (layout, reported, fix), versions in alike.items():
        lines.append(cells_of(layout, ", ".join(versions), f"`{reported}`", f"`{fix}`"))
    return block(lines)


def writes(_: str) -> str:
    """Return what the clients saw of all migrations together."""
    rows = {(one.etcd, one.cluster): one for one in tried(served_=True)}.values()
    acknowledged, failed, lost = (
        sum(counts)
        for counts in zip(*((one.acknowledged, one.failed, one.lost) for one in rows), strict=True)
    )
    stall = max(one.stall_s for one in rows)
    return (
        f"{len(rows)} migrations ran, there and back.\n"
        f"{acknowledged:,} writes were acknowledged on the way there: {failed} failed, {lost} were lost, "
        f"and the longest pause between two was {stall:g} s.\n"
    )


def tried(*, served_: bool) -> list[Tried]:
    """Return what was recorded, with the versions of a layout in their order."""
    rows: Iterable[Tried] = RESULTS.written().values()
    order = {version: place for place, version in enumerate(VERSIONS)}
    return sorted(
        (one for one in rows if one.is_served is served_), key=lambda one: (one.layout, order[one.etcd])
    )


def beginning(text: str) -> str:
    """Return the first words of what was printed, on one line."""
    words = text.replace("`", "'").split()
    return " ".join(words) if len(words) <= MOST_WORDS else f"{' '.join(words[:MOST_WORDS])} …"
