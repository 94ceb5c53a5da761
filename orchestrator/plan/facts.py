"""What the hosts showed before the first change; undoing needs it, and a resume must not ask again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

from orchestrator.host.operations import Edit
from orchestrator.plan import foreign
from orchestrator.plan.foreign import Setting, Url
from orchestrator.plan.model import Cluster, EtcdHost, Frozen, Host

Account = Annotated[str, foreign.or_unknown(foreign.account)]
Id = Annotated[str, foreign.or_unknown(foreign.hex_id)]
ListedName = Annotated[str, foreign.or_unknown(foreign.listed_name)]
Program = Annotated[str, foreign.or_unknown(foreign.program)]
Version = Annotated[str, foreign.or_unknown(foreign.version)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Variable = Annotated[str, Field(pattern=r"^ETCD_[A-Z0-9_]+$")]


TEXT_LIMIT = 65536  # of a file whose content is remembered, in characters


def is_at_least(version: str, major: int, minor: int) -> bool:
    """Whether a version of etcd is this minor version or a later one."""
    found_major, found_minor = (int(part) for part in version.split(".")[:2])
    return (found_major, found_minor) >= (major, minor)


class FoundFile(Frozen):
    """A file that lay where the migration puts one.

    ``text`` is what stood in it, so that it can be put back: of small files that everybody may read, and
    never of a key. None if it is not remembered, which is written down as it always was: not at all.
    """

    sha256: str
    mode: int
    owner: Account
    group: Account
    text: Annotated[str | None, Field(max_length=TEXT_LIMIT)] = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_known(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = written(self)
        return {name: value for name, value in fields.items() if name != "text" or value is not None}


class Configuration(Frozen):
    """A configuration file of etcd that everybody may read, and what stood in it."""

    path: Setting
    text: Annotated[str, Field(max_length=TEXT_LIMIT)]
    mode: int
    owner: Account
    group: Account


class Source(Frozen):
    """Where a host's etcd has its settings from, where that is not Environment= lines of the unit alone.

    ``flags`` and ``filed`` name settings, by their variables: those that are flags of the unit's ``command``,
    which is ExecStart= as it stands there, and those that a file of EnvironmentFile= sets.
    """

    flags: tuple[Variable, ...] = ()
    filed: tuple[Variable, ...] = ()
    command: Annotated[str, AfterValidator(foreign.command)] = ""
    configuration: Configuration | None = None


class OwnFile(Frozen):
    """A file of the operator's that says etcd's settings, and the edits that make it say the final ones.

    No more of it is remembered than those pieces, which are settings known to hold no secret; ``sha256`` is
    that of the file as it was found, ``edited_sha256`` that of the file once it is edited.
    """

    path: Setting
    sha256: Digest
    edited_sha256: Digest
    mode: int
    owner: Account
    group: Account
    edits: Annotated[tuple[Edit, ...], AfterValidator(foreign.edits)]


class ClientFile(Frozen):
    """A file of a client's that a run replaces, as it was found; what stands in it stays on the host.

    ``replaced_sha256`` is that of its new content. ``differs`` are the lines that differ, for people, without
    what may be secret.
    """

    path: Setting
    sha256: Digest
    replaced_sha256: Digest
    mode: int
    owner: Account
    group: Account
    differs: tuple[Annotated[str, Field(max_length=TEXT_LIMIT)], ...] = ()


class HostFacts(Frozen):
    """One host as it was before the first change.

    ``environment`` holds the settings in effect, by the names of their variables whatever they come from, but
    only those known to hold no secret (etcd/facts/process.py), and ``executable`` is what it runs.
    ``user`` and ``group`` are the service's. ``files`` are those already found where the migration puts one;
    ``missing_directories`` are those that it has to make. ``trust`` is the family of the host's trust store,
    None if it has none. ``source`` is where etcd has its settings from, None for Environment= lines alone,
    which is not written down: facts of before do not have it. ``own_files`` are those that a plan with
    ``persist: in_place`` has edited, and ``client_files`` those of the clients that it moves, each written
    down where there are any.
    """

    version: Version
    environment: Annotated[Mapping[Variable, Setting], AfterValidator(foreign.variables)]
    user: Account
    group: Account
    executable: Program = "etcd"
    files: Mapping[Setting, FoundFile] = {}
    missing_directories: tuple[Setting, ...] = ()
    trust: Literal["debian", "coreos", "redhat"] | None = None
    source: Source | None = None
    own_files: tuple[OwnFile, ...] = ()
    client_files: tuple[ClientFile, ...] = ()

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = written(self)
        return {name: value for name, value in fields.items() if name not in _UNUSUAL or value}


_UNUSUAL = frozenset({"source", "own_files", "client_files"})


class MemberFacts(HostFacts):
    """A member as it was: ``id`` is etcd's member ID in hex, ``name`` its own name for itself."""

    id: Id
    name: ListedName
    peer_urls: tuple[Url, ...]


class Facts(Frozen):
    """What was found on all members, by the plan's names for them.

    ``cluster_id`` is hex; ``api`` is the interface through which the members are driven. ``overlaps`` is
    whether clients are served over https beside http for a while, and ``clients`` are the files that are
    replaced on hosts that run no etcd: each written down only where there are any.
    """

    cluster_id: Id
    api: Literal["v2", "v3"] = "v3"
    members: Mapping[str, MemberFacts]
    proxies: Mapping[str, HostFacts] = {}
    overlaps: bool = False
    clients: Mapping[str, tuple[ClientFile, ...]] = {}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of every host with which the run began: members, proxies, and clients' hosts."""
        return (*self.members, *self.proxies, *self.clients)

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = written(self)
        return {name: value for name, value in fields.items() if name not in {"overlaps", "clients"} or value}


@dataclass(frozen=True, slots=True)
class Target:
    """One host, seen with everything that is known: what gates and actions are made for."""

    cluster: Cluster
    facts: Facts
    host: Host

    @property
    def name(self) -> str:
        """The host's name in the plan."""
        return self.host.name

    @property
    def runs_etcd(self) -> bool:
        """Whether it is a member's host or a proxy's, and not a client's."""
        return isinstance(self.host, EtcdHost)

    @property
    def etcd(self) -> EtcdHost:
        """What the plan says of the host's etcd; LookupError for a client's host."""
        if isinstance(self.host, EtcdHost):
            return self.host
        raise LookupError(f"{self.name} runs no etcd")

    @property
    def service(self) -> str:
        """The unit of the host's etcd; empty for a client's host."""
        return self.host.service or "" if isinstance(self.host, EtcdHost) else ""

    @property
    def client_files(self) -> tuple[ClientFile, ...]:
        """The files of the clients on it that are moved, as they were before the first change."""
        elsewhere = self.facts.clients.get(self.name)
        return self.found.client_files if elsewhere is None else elsewhere

    @property
    def found(self) -> HostFacts:
        """A host that runs etcd as it was before the first change; KeyError for a client's."""
        return self.facts.members.get(self.name) or self.facts.proxies[self.name]

    @property
    def member(self) -> MemberFacts:
        """The member as it was before the first change; KeyError for a proxy."""
        return self.facts.members[self.name]

    @property
    def others(self) -> "tuple[Target, ...]":
        """Every other member, in the plan's order."""
        return tuple(target for target in self.everyone if target.host != self.host)

    @property
    def everyone(self) -> "tuple[Target, ...]":
        """Every member, in the plan's order."""
        return tuple(self.of(member) for member in self.cluster.members)

    @property
    def proxies(self) -> "tuple[Target, ...]":
        """Every proxy, in the plan's order."""
        return tuple(self.of(proxy) for proxy in self.cluster.proxies)

    @property
    def clients(self) -> "tuple[Target, ...]":
        """Every client's host that is no member, in the plan's order."""
        return tuple(self.of(host) for host in self.cluster.clients.hosts)

    def of(self, host: Host) -> "Target":
        """Return another host in the same light."""
        return Target(self.cluster, self.facts, host)
