"""What a rehearsal with data has of the real cluster: one member's snapshot, copied to the bastion alone."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.commands.as_found import asked
from orchestrator.errors import RefusedError
from orchestrator.etcd import api, login, saving
from orchestrator.etcd.api.words import hindrance
from orchestrator.etcd.checks.room import DATA_FAIL_MIB
from orchestrator.etcd.facts import hashes, room
from orchestrator.etcd.gather import targets_of
from orchestrator.host import places
from orchestrator.plan.facts import Facts, Target
from orchestrator.plan.layout import Snapshot
from orchestrator.session import Session

V2 = "its keys are those of etcd's v2 interface, which no snapshot holds: leave --with-data out"
GROWTH_BYTES = 256 << 20  # so much may be written while it is copied


@dataclass(frozen=True, slots=True)
class Source:
    """The member that is asked for its data, and how many bytes that may be."""

    target: Target
    data_bytes: int

    @property
    def most_bytes(self) -> int:
        """What is taken of it; more is refused."""
        return self.data_bytes + GROWTH_BYTES


def choose(session: Session, facts: Facts) -> Source:
    """Choose a member that does not lead, with room to save its data; RefusedError.

    A snapshot reads the whole database, and the leader has enough to do.
    """
    if facts.api != "v3":
        raise RefusedError(f"cluster {session.cluster.name}: {V2}")
    targets = targets_of(session.cluster, facts)
    statuses = asked(session, {one.name: api.of(one).status(one) for one in targets})
    followers = [one for one in targets if statuses[one.name].leader != statuses[one.name].id]
    target = next(iter(followers), targets[0])
    found = asked(session, {target.name: room.of(target, (places.KEPT,))})[target.name]
    data_bytes = int(found.weights[0]) << 10 if found.weights else 0
    needed = (data_bytes >> 20) + DATA_FAIL_MIB
    for place in found.places:
        if place.kind == "saved" and place.mib < needed:
            raise RefusedError(
                f"{target.name}: {place.mib} MiB left for {places.KEPT}, where etcdctl saves its data before "
                f"it is copied, and {needed} are needed for its {data_bytes >> 20} MiB. Make room there, or "
                "leave --with-data out"
            )
    return Source(target, data_bytes)


def announced(source: Source) -> str:
    """Say what is about to be read."""
    return (
        f"{source.target.name}: a snapshot of its {source.data_bytes >> 20} MiB of data is read; the copy on "
        "this machine is readable for you alone, and is removed when the lab has it"
    )


def fetch(session: Session, source: Source, into: Path) -> Snapshot:
    """Copy a member's snapshot into a private file; RefusedError, and then nothing of it is left there.

    Its hash comes first, at a revision that it has: who restores the snapshot has the same one. None is asked
    for where the plan leaves that out, or the member holds much: it answers nobody while it hashes.
    """
    target = source.target
    status = asked(session, {target.name: api.of(target).status(target)})[target.name]
    hashed = api.of(target).hash_at(target, status.revision, status.size_bytes)
    if hashed is None:
        raise RefusedError(f"{target.name}: {V2}")
    known = None
    if not hashes.left_out(session.cluster.compare_data, {target.name: status}):
        with suppress(RefusedError):  # everything up to there is compacted, or it takes too long
            known = asked(session, {target.name: hashed})[target.name]
    wanted = saving.snapshot(target, into, source.most_bytes)
    answer = session.hosts.look([wanted])[wanted]
    if answer.exit_status != 0:
        reason = hindrance(answer) or answer.reason
        if answer.exit_status == 124:
            reason = f"it was not copied within {wanted.timeout_s:.0f} s: {source.data_bytes >> 20} MiB"
        raise RefusedError(
            f"{target.name}: no snapshot of its data: {reason}. Nothing was booted, and nothing is left on "
            "that host. Fix it, or leave --with-data out"
        )
    return Snapshot(
        file=into,
        size_bytes=into.stat().st_size,
        member=target.name,
        revision=status.revision,
        hash=known.hash if known else None,
        compacted=known.compacted if known else 0,
        login=login.of(session.cluster),
    )
