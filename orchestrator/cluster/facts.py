"""What the hosts showed before the first change; undoing needs it, and a resume must not ask again."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.cluster.model import Cluster, Frozen, Member


class FoundFile(Frozen):
    """A file that lay where the migration puts one."""

    sha256: str
    mode: int
    owner: str
    group: str


class MemberFacts(Frozen):
    """One member as it was before the first change.

    ``id`` is etcd's member ID in hex and ``name`` its own name for itself. ``environment`` holds the ETCD_
    variables of the running process. ``user`` and ``group`` are the service's. ``files`` are those already
    found where the migration puts one; ``missing_directories`` are those that it has to make.
    """

    id: str
    name: str
    version: str
    peer_urls: tuple[str, ...]
    environment: Mapping[str, str]
    user: str
    group: str
    files: Mapping[str, FoundFile] = {}
    missing_directories: tuple[str, ...] = ()


class Facts(Frozen):
    """What was found on all members, by the plan's names for them. ``cluster_id`` is hex."""

    cluster_id: str
    members: Mapping[str, MemberFacts]


@dataclass(frozen=True, slots=True)
class Subject:
    """One member, seen with everything that is known: what gates and actions are made for."""

    cluster: Cluster
    facts: Facts
    member: Member

    @property
    def found(self) -> MemberFacts:
        """The member as it was before the first change."""
        return self.facts.members[self.member.name]

    @property
    def others(self) -> "tuple[Subject, ...]":
        """Every other member, in the plan's order."""
        return tuple(self.of(member) for member in self.cluster.others(self.member.name))

    @property
    def everyone(self) -> "tuple[Subject, ...]":
        """Every member, this one too, in the plan's order."""
        return tuple(self.of(member) for member in self.cluster.members)

    def of(self, member: Member) -> "Subject":
        """Return another member in the same light."""
        return Subject(self.cluster, self.facts, member)
