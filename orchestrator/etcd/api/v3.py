"""etcd's v3 interface, in the words of etcdctl 3.3 and later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, RootModel

from orchestrator.etcd import login
from orchestrator.etcd.api.words import (
    AUTHENTICATION,
    OWN_LISTENER,
    V3_TLS,
    Hashed,
    Health,
    MemberStatus,
    Registered,
    asking,
    snapshot_tool,
    wants_login,
)
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.host.operations import Run, Secret
from orchestrator.host.questions import EACH, Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target, Version
from orchestrator.plan.foreign import Url
from orchestrator.text import shown

_API = (("ETCDCTL_API", "3"),)  # 3.3 still speaks v2 without it

ASK = f"""{login.READ}
{OWN_LISTENER}
{EACH}
ETCDCTL_API=3 exec etcdctl --endpoints="$url" {V3_TLS} --dial-timeout=2s --command-timeout=4s "$@"
"""

# It reads every key: for gigabytes that takes longer than other answers, and longer yet from a slow disk. A
# member goes on hashing when nobody waits for the answer any more, so asking again makes it worse.
HASH = f"""{login.READ}
{OWN_LISTENER}
ETCDCTL_API=3 exec etcdctl --endpoints="$url" {V3_TLS} --dial-timeout=2s --command-timeout="$2" \\
  endpoint hashkv --rev="$1" -w json
"""

HASH_S, LONGEST_HASH_S, SLOWEST_READ_BYTES_S = 60, 1800, 10_000_000

Count = Annotated[int, Field(ge=0, lt=2**64)]


class _Member(foreign.Shape):
    ID: Count
    name: Annotated[str, AfterValidator(foreign.name)] = ""
    peerURLs: list[Url] | None = None  # noqa: N815 -- etcdctl's own names
    clientURLs: list[Url] | None = None  # noqa: N815
    isLearner: bool = False  # noqa: N815


class _Members(foreign.Shape):
    members: list[_Member]


class _Header(foreign.Shape):
    cluster_id: Count = 0
    member_id: Count = 0
    revision: Annotated[int, Field(ge=0, lt=2**63)] = 0


class _Status(foreign.Shape):
    header: _Header
    version: Version
    leader: Count = 0
    dbSize: Count = 0  # noqa: N815 -- etcdctl's own name
    dbSizeInUse: Count | None = None  # noqa: N815 -- 3.3 does not report it
    raftIndex: Count = 0  # noqa: N815
    raftAppliedIndex: Count | None = None  # noqa: N815 -- 3.3 does not report the applied one


class _HashKv(foreign.Shape):
    header: _Header
    hash: Count = 0
    compact_revision: Annotated[int, Field(ge=-1, lt=2**63)] = 0


class _EndpointStatus(foreign.Shape):
    Status: _Status


class _EndpointHash(foreign.Shape):
    HashKV: _HashKv


class _Statuses(RootModel[Annotated[list[_EndpointStatus], Field(min_length=1)]]):
    pass


class _Hashes(RootModel[Annotated[list[_EndpointHash], Field(min_length=1)]]):
    pass


class V3:
    """Drives members through etcdctl's v3 words."""

    name = "v3"

    def members(self, target: Target) -> Fact[Mapping[str, Registered]]:
        """How this member sees the registry, by hex ID."""
        return Fact(_ask(target, "member", "list", "-w", "json"), _members)

    def status(self, target: Target) -> Fact[MemberStatus]:
        """Who the member is, who leads, and how far it has come."""
        return Fact(_ask(target, "endpoint", "status", "-w", "json"), _member_status)

    def health(self, target: Target) -> Fact[Health]:
        """Whether the member answers a read that needs a quorum."""
        return Fact(_ask(target, "endpoint", "health"), _Health.of)

    def alarms(self, target: Target) -> Fact[str] | None:
        """Which alarms are raised, empty if there are none."""
        return Fact(_ask(target, "alarm", "list"), _alarms)

    def login(self, target: Target) -> Fact[bool]:
        """By health: it reads a key, and with authentication on nobody reads one without a login."""
        return Fact(self.health(target).question, wants_login)

    def auth(self, word: str, endpoint: Endpoint) -> Run:
        """Command that turns authentication on or off."""
        who = ("--user", "root:PASSWORD") if word == "disable" else ()
        return Run(("etcdctl", *endpoint.v3, *who, "auth", word), _API)

    def hash_at(self, target: Target, revision: int, size_bytes: int = 0) -> Fact[Hashed] | None:
        """The hash of all keys up to a revision; 0 is the member's own last one, even if compacted."""
        within_s = min(HASH_S + size_bytes // SLOWEST_READ_BYTES_S, LONGEST_HASH_S)
        arguments, secret = (*asking(target), str(revision), f"{within_s}s"), login.of(target.cluster)
        return Fact(Script(target.name, HASH, arguments, timeout_s=within_s + 5.0, secret=secret), _hashed)

    def update_peers(self, member_id: str, urls: tuple[str, ...], endpoint: Endpoint) -> Run:
        """Command that registers a member's peer URLs."""
        return _run(endpoint, "member", "update", member_id, f"--peer-urls={','.join(urls)}")

    def backup(self, target: Target, path: str, endpoint: Endpoint) -> tuple[Run, ...]:
        """Save a snapshot, and let etcd's own tool verify it."""
        tool = snapshot_tool(target.member.version)
        save = ("etcdctl", *endpoint.v3, "--command-timeout=500s", "snapshot", "save", path)
        return (Run(save, _variables(endpoint)), Run((tool, "snapshot", "status", path), _API))

    def move_leader(self, member_id: str, endpoint: Endpoint) -> Run | None:
        """Command that gives leadership to a member."""
        return _run(endpoint, "move-leader", member_id)


def _ask(target: Target, *words: str) -> Script:
    shared, secret = asking(target), login.of(target.cluster)
    return Script(target.name, ASK, (*shared, *words), timeout_s=6.0, secret=secret, shares=len(shared))


def _run(endpoint: Endpoint, *words: str) -> Run:
    return Run(("etcdctl", *endpoint.v3, "--command-timeout=10s", *words), _variables(endpoint))


def _variables(endpoint: Endpoint) -> tuple[tuple[str, str | Secret], ...]:
    return (*_API, *(((login.VARIABLE, endpoint.login),) if endpoint.login else ()))


def _members(answer: Answer) -> Mapping[str, Registered]:
    found = (
        Registered(
            id=f"{member.ID:x}",
            name=member.name,
            peer_urls=tuple(member.peerURLs or ()),
            client_urls=tuple(member.clientURLs or ()),
            is_learner=member.isLearner,
        )
        for member in foreign.of_json(_Members, answer.text, "etcdctl's answer").members
    )
    return {member.id: member for member in found}


def _member_status(answer: Answer) -> MemberStatus:
    found = foreign.of_json(_Statuses, answer.text, "etcdctl's answer").root[0].Status
    return MemberStatus(
        cluster_id=f"{found.header.cluster_id:x}",
        id=f"{found.header.member_id:x}",
        leader=f"{found.leader:x}",
        version=found.version,
        index=found.raftIndex,
        applied=found.raftIndex if found.raftAppliedIndex is None else found.raftAppliedIndex,
        revision=found.header.revision,
        size_bytes=found.dbSize if found.dbSizeInUse is None else found.dbSizeInUse,
    )


@dataclass(frozen=True, slots=True)
class _Health:
    trouble: str | None

    @classmethod
    def of(cls, answer: Answer) -> "_Health":
        """Read etcdctl's line; 3.2's exit status says nothing (etcd issue 8295), the line does."""
        if wants_login(answer):
            return cls(f"{AUTHENTICATION} ({answer.reason})")
        lines = (answer.stdout + answer.stderr).splitlines()
        unhealthy = next((line.strip() for line in lines if "is unhealthy" in line), None)
        if unhealthy is None and answer.exit_status != 0:
            return cls(answer.reason)
        return cls(unhealthy)

    def complaint(self, member_id: str) -> str | None:
        del member_id  # the member was asked by itself
        return self.trouble


def _alarms(answer: Answer) -> str:
    return ", ".join(shown(line.strip(), quote="") for line in answer.text.splitlines() if line.strip())


def _hashed(answer: Answer) -> Hashed:
    """Read one member's hash; a zero is left out of the JSON, and nothing compacted is -1."""
    found = foreign.of_json(_Hashes, answer.text, "etcdctl's answer").root[0].HashKV
    return Hashed(found.hash, found.header.revision, found.compact_revision)
