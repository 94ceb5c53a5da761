"""etcd's v3 interface, in the words of etcdctl 3.3 and later."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, RootModel

from orchestrator.cluster import foreign
from orchestrator.cluster.facts import Subject, Version
from orchestrator.cluster.foreign import Url
from orchestrator.etcd.api.words import (
    AUTHENTICATION,
    OWN_LISTENER,
    Hashed,
    Registered,
    Standing,
    hindrance,
    last_line,
)
from orchestrator.operations import Answer, Check, Run
from orchestrator.text import shown

_API = (("ETCDCTL_API", "3"),)  # 3.3 still speaks v2 without it

ASK = f"""{OWN_LISTENER}
ETCDCTL_API=3 exec etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=4s "$@"
"""

# It reads every key: for gigabytes that takes longer than other answers.
HASH = f"""{OWN_LISTENER}
ETCDCTL_API=3 exec etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=60s \\
  endpoint hashkv --rev="$1" -w json
"""

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

    def members(self, subject: Subject) -> Check:
        """Ask how this member sees the registry."""
        return _ask(subject, "member", "list", "-w", "json")

    def read_members(self, answer: Answer) -> Mapping[str, Registered]:
        """Read a member list, by hex ID."""
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

    def status(self, subject: Subject) -> Check:
        """Ask the member who it is, who leads, and how far it has come."""
        return _ask(subject, "endpoint", "status", "-w", "json")

    def read_status(self, answer: Answer) -> Standing:
        """Read one member's status."""
        found = foreign.of_json(_Statuses, answer.text, "etcdctl's answer").root[0].Status
        return Standing(
            cluster_id=f"{found.header.cluster_id:x}",
            id=f"{found.header.member_id:x}",
            leader=f"{found.leader:x}",
            version=found.version,
            index=found.raftIndex,
            applied=found.raftIndex if found.raftAppliedIndex is None else found.raftAppliedIndex,
            revision=found.header.revision,
        )

    def health(self, subject: Subject) -> Check:
        """Ask the member for a read that needs a quorum."""
        return _ask(subject, "endpoint", "health")

    def complaint(self, answer: Answer, member_id: str) -> str | None:
        """Why the member is not healthy; 3.2's exit status says nothing (etcd issue 8295), its line does."""
        del member_id
        if self.wants_login(answer):
            return f"{AUTHENTICATION} ({last_line(answer)})"
        lines = (answer.stdout + answer.stderr).splitlines()
        unhealthy = next((line.strip() for line in lines if "is unhealthy" in line), None)
        if unhealthy is None and answer.exit_status != 0:
            return last_line(answer)
        return unhealthy

    def alarms(self, subject: Subject) -> Check | None:
        """Ask which alarms are raised."""
        return _ask(subject, "alarm", "list")

    def read_alarms(self, answer: Answer) -> str:
        """Read the alarms; empty if there are none."""
        return ", ".join(shown(line.strip(), quote="") for line in answer.text.splitlines() if line.strip())

    def login(self, subject: Subject) -> Check:
        """Ask for health: it reads a key, and with authentication on nobody reads one without a login."""
        return self.health(subject)

    def wants_login(self, answer: Answer) -> bool:
        """Whether authentication is on, by etcd's own words."""
        found = hindrance(answer)
        return found is not None and found.text == AUTHENTICATION

    def auth(self, word: str, endpoint: str) -> Run:
        """Command that turns authentication on or off."""
        who = ("--user", "root:PASSWORD") if word == "disable" else ()
        return Run(("etcdctl", f"--endpoints={endpoint}", *who, "auth", word), _API)

    def hash_at(self, subject: Subject, revision: int) -> Check | None:
        """Ask for a hash of all keys up to a revision; 0 is the member's own last one, even if compacted."""
        return Check(subject.name, HASH, (subject.host.service, str(revision)), timeout_s=65.0)

    def read_hash(self, answer: Answer) -> Hashed:
        """Read one member's hash; a zero is left out of the JSON, and nothing compacted is -1."""
        found = foreign.of_json(_Hashes, answer.text, "etcdctl's answer").root[0].HashKV
        return Hashed(found.hash, found.header.revision, found.compact_revision)

    def update_peers(self, member_id: str, urls: tuple[str, ...], endpoint: str) -> Run:
        """Command that registers a member's peer URLs."""
        return _run(endpoint, "member", "update", member_id, f"--peer-urls={','.join(urls)}")

    def backup(self, subject: Subject, path: str, endpoint: str) -> tuple[Run, ...]:
        """Save a snapshot, and let etcd's own tool verify it; 3.6 moved that to etcdutl."""
        major, minor = (int(part) for part in subject.member.version.split(".")[:2])
        tool = "etcdutl" if (major, minor) >= (3, 6) else "etcdctl"
        save = ("etcdctl", f"--endpoints={endpoint}", "--command-timeout=500s", "snapshot", "save", path)
        return (Run(save, _API), Run((tool, "snapshot", "status", path), _API))

    def move_leader(self, member_id: str, endpoint: str) -> Run | None:
        """Command that gives leadership to a member."""
        return _run(endpoint, "move-leader", member_id)


def _ask(subject: Subject, *words: str) -> Check:
    return Check(subject.name, ASK, (subject.host.service, *words), timeout_s=6.0)


def _run(endpoint: str, *words: str) -> Run:
    return Run(("etcdctl", f"--endpoints={endpoint}", "--command-timeout=10s", *words), _API)
