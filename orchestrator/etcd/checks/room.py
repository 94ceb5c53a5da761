"""Room on a host's disks, and whether the service's user gets to where the certificates will lie."""

import shlex
from collections.abc import Iterable, Sequence

from orchestrator.etcd import install, saving
from orchestrator.etcd.checks import fixes
from orchestrator.etcd.facts import room
from orchestrator.etcd.settings import Paths
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target

FILES_FAIL_MIB = 16  # certificates, drop-ins and a job are some kilobytes
DATA_FAIL_MIB = 256  # etcd allocates its log 64 MB at a time, and one segment ahead
DATA_WARN_MIB = 1024
INODES_FAIL = 100
_NOWHERE = " leads nowhere"


def _written(target: Target) -> tuple[str, ...]:
    """Where the migration puts files, the certificates' directory first."""
    return (Paths.of(target).directory, *install.of(target).directories)


def disks(target: Target) -> Check:
    """Ask for space and inodes where files will be put, etcd keeps its data, and that is saved."""
    asked = room.of(target, _written(target))

    def judge(answers: Answers) -> Iterable[Remark]:
        found = asked.read(answers)
        if not found.places:
            yield wrong(f"cannot tell: {answers[asked.question].reason}")
            return
        yield from (wrong(f"{path} is read-only, or immutable", _writable(path)) for path in found.shut)
        least_mib = {
            "files": FILES_FAIL_MIB,
            "data": DATA_FAIL_MIB,
            "saved": _saved_mib(target, found.weights),
        }
        for place in found.places:
            kind, path, mib = place.kind, place.path, place.mib
            if mib < least_mib[kind]:
                what = ", where the cluster's data will be saved" if kind == "saved" else ""
                reported = f"{mib} MiB left for {path}{what}, at least {least_mib[kind]} are needed"
                yield wrong(reported, _emptied(target, kind, path))
            elif kind == "data" and mib < DATA_WARN_MIB:
                yield doubtful(f"{mib} MiB left for etcd's data in {path}", _emptied(target, kind, path))
            if place.inodes is not None and 0 < place.inodes < INODES_FAIL:
                yield wrong(
                    f"{place.inodes} inodes left for {path}, at least {INODES_FAIL} are needed",
                    f"delete files there that nobody needs; most are in: du --inodes -x {_mount(path)} "
                    "| sort -n | tail",
                )
        least = min(found.places, key=lambda place: place.mib)
        yield fine(f"at least {least.mib} MiB, in {least.path}")

    return Check(target.name, (asked,), judge)


def _saved_mib(target: Target, weights: Sequence[str]) -> int:
    """How much has to be free where things are kept: on one host the data too, often on etcd's own disk."""
    if target.host != saving.backup_target(target.cluster, target.facts).host:
        return FILES_FAIL_MIB
    keys_kib, all_kib = (int(word or 0) for word in weights)
    return (keys_kib if target.facts.api == "v3" else all_kib) // 1024 + DATA_FAIL_MIB


def entrances(target: Target) -> Check:
    """Ask whether the service's user may enter the directory that the certificates will lie in."""
    asked = room.access(target, _written(target))

    def judge(answers: Answers) -> Iterable[Remark]:
        found = asked.read(answers)
        for why in found.untrusted:
            if why.endswith(_NOWHERE):
                link = shlex.quote(why.removesuffix(_NOWHERE))
                yield wrong(f"{why}: a link without its target", f"rm {link}")
            else:
                yield wrong(
                    f"{why}: a user who can write there could redirect files that root writes", _owned(why)
                )
        for one in found.entrances:
            if one.is_open:
                yield fine(f"{one.user} may enter {one.path}")
                continue
            path = shlex.quote(one.path)
            let_in = f"chmod o+x {path}; or name another directory in the plan (tls.directory)"
            yield wrong(f"{one.user} may not enter {one.path}", let_in)
        if not found.entrances:
            yield wrong(f"cannot tell: {answers[asked.question].reason}")

    return Check(target.name, (asked,), judge)


def _mount(path: str) -> str:
    """Return what a shell makes the mount point of a path of."""
    return f'"$(findmnt -no TARGET -T {shlex.quote(path)})"'


def _writable(path: str) -> str:
    """Return the commands that let root write in a directory."""
    place = shlex.quote(path)
    return f"mount -o remount,rw {_mount(path)}; or, where lsattr -d {place} shows an i: chattr -i {place}"


def _emptied(target: Target, kind: str, path: str) -> str:
    """Say how room is made on the file system of a path."""
    room = f"free space on its file system; the largest directories: du -xm {_mount(path)} | sort -n | tail"
    if kind != "data" or target.facts.api != "v3":
        return room
    return (
        f"{room}; or, one member at a time: {fixes.defragment(target)} (it frees what was compacted, and "
        "needs as much space as the data while it runs)"
    )


def _owned(why: str) -> str:
    """Return the command that gives a directory back to root; its files may stay whose they are."""
    place = shlex.quote(why.split(" ", maxsplit=1)[0])
    return f"chown root: {place} && chmod go-w {place}; or name another directory in the plan (tls.directory)"
