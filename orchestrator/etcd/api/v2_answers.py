"""What etcd's v2 interface answers: etcdctl's lines, whose exit codes tell nothing, and bodies over HTTP."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel

from orchestrator.etcd.api.words import MemberStatus, Registered
from orchestrator.host.questions import Answer
from orchestrator.plan import foreign
from orchestrator.plan.facts import Id
from orchestrator.text import shown

Read = TypeVar("Read", bound=BaseModel)

_MEMBER = re.compile(
    r"(?P<id>[0-9a-f]+)(?:\[unstarted\])?:(?: name=(?P<name>.*))? peerURLs=(?P<peers>\S*)"
    r"(?: clientURLs=(?P<clients>\S*))?(?: isLeader=(?:true|false))?"
)
_VERDICT = re.compile(r"member (?P<id>[0-9a-f]+) is (?P<verdict>healthy|unhealthy|unreachable)\b.*")
_QUORATE = {"cluster is healthy", "cluster is degraded"}  # degraded (from 3.3 on): not all members are


class _Self(foreign.Shape):
    id: Annotated[str, AfterValidator(foreign.hex_id)]


class _Leader(foreign.Shape):
    id: Id = ""


class _Health(foreign.Shape):
    health: str | bool


def members(answer: Answer) -> Mapping[str, Registered]:
    """Read the registry, by hex ID."""
    found = {member.id: member for member in map(_registered, filter(None, answer.text.split("\n")))}
    if not found:
        raise ValueError(answer.reason)
    return found


def member_status(answer: Answer) -> MemberStatus:
    """Read one member's status; v2 tells one raft index, so ``applied`` is the same."""
    reported, _, headers = answer.text.partition("\nheaders ")
    bodies = dict(line.partition(" ")[::2] for line in reported.splitlines())
    fields = dict(_headers(headers))
    index = foreign.number(_field(fields, "x-raft-index", headers), "an index of raft")
    return MemberStatus(
        cluster_id=foreign.hex_id(_field(fields, "x-etcd-cluster-id", headers)),
        id=_body(_Self, "self", bodies).id,
        leader=_body(_Leader, "leader", bodies).id or "0",  # "During election" holds no ID
        version=_body(foreign.VersionBody, "version", bodies).etcdserver,
        index=index,
        applied=index,
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """How a member is: ``trouble`` is what it says of itself, ``lines`` what cluster-health says of all."""

    trouble: str | None
    lines: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Answer) -> "Heard":
        """Read what both printed."""
        if answer.exit_status != 0:
            return cls(answer.reason)
        own, _, reported = answer.text.partition("\n")
        if not own.startswith("own "):
            return cls(answer.reason)
        lines = (line.strip() for line in reported.splitlines())
        return cls(_of_itself(own.removeprefix("own ")), tuple(filter(None, lines)))

    def complaint(self, member_id: str) -> str | None:
        """Both its own listener and cluster-health have to speak for it.

        cluster-health asks one member after the other and waits for each, so it may be cut off while it
        waits for another one; then the member's own answer, for which a quorum was needed, is enough.
        """
        return self.trouble or _of_all(self.lines, member_id)


def wants_login(answer: Answer) -> bool:
    """Whether authentication is on; by the HTTP status, for etcdctl's words tell less."""
    return answer.exit_status == 0 and answer.text.strip() == "401"


def _registered(line: str) -> Registered:
    found = _MEMBER.fullmatch(line.strip())
    if found is None:
        raise ValueError(
            f"etcdctl's member list has a line that is no member: {shown(line.strip(), quote='', limit=200)}"
        )
    peers, clients = (filter(None, (found[group] or "").split(",")) for group in ("peers", "clients"))
    return Registered(
        id=foreign.hex_id(found["id"]),
        name=foreign.name(found["name"] or ""),
        peer_urls=tuple(map(foreign.url, peers)),
        client_urls=tuple(map(foreign.url, clients)),
    )


def _of_itself(body: str) -> str | None:
    """Judge a member's /health: the word, or the boolean of 3.3's release candidates, has to be true."""
    try:
        is_well = str(foreign.of_json(_Health, body, "health").health).lower() == "true"
    except ValueError:
        is_well = False
    return None if is_well else f"its own /health: {shown(body.strip(), quote='', limit=300) or 'no answer'}"


def _of_all(lines: Sequence[str], member_id: str) -> str | None:
    """Judge what cluster-health printed about one member, and about the cluster."""
    about = [found for found in map(_VERDICT.fullmatch, lines) if found and found["id"] == member_id]
    if about and about[-1]["verdict"] != "healthy":
        return shown(about[-1][0], quote="", limit=300)
    if "cut off" in lines:
        return None
    if not _QUORATE.intersection(lines):
        return shown(lines[-1], quote="", limit=300) if lines else "cluster-health said nothing"
    return None if about else f"cluster-health has no member {member_id}"


def _headers(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _field(fields: Mapping[str, str], name: str, headers: str) -> str:
    if name not in fields:
        said = shown(headers.strip().partition("\n")[0].strip(), quote="", limit=100)
        raise ValueError(f"the v2 interface reports no {name}: {said or 'nothing'}")
    return fields[name]


def _body(model: type[Read], what: str, bodies: Mapping[str, str]) -> Read:
    if not bodies.get(what, "").strip():
        raise ValueError(f"{what}: nothing was answered")
    return foreign.of_json(model, bodies[what], what)
