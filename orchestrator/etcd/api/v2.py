"""etcd's v2 interface: etcdctl's v2 words (2.2 to 3.5), whose exit codes tell nothing, and the HTTP API."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel

from orchestrator.etcd.api.words import (
    CURL_TLS,
    OWN_LISTENER,
    V2_TLS,
    Hashed,
    Health,
    MemberStatus,
    Registered,
    asking,
    data_directory,
)
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.host.operations import Run
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Id, Target
from orchestrator.text import shown

Read = TypeVar("Read", bound=BaseModel)

# The endpoint stands in both variables: 2.2 and 2.3 know the first, 3.0 and later prefer the second.
ETCDCTL = """
export ETCDCTL_API=2 ETCDCTL_ENDPOINT="$url" ETCDCTL_ENDPOINTS="$url" NO_PROXY='*' no_proxy='*'
"""

# Without --no-sync etcdctl would ask whichever advertised URL answers first: another member, or one over TLS.
MEMBERS = f"""{OWN_LISTENER}{ETCDCTL}
exec etcdctl --no-sync {V2_TLS} member list
"""

# leaderInfo in stats/self still names the last leader when there is none (3.4.23, 3.5.1), so who leads is
# asked for itself. HEAD of the root key is answered from the member's own store, and with raft's index.
STATUS = f"""{OWN_LISTENER}
ask() {{
  what=$1
  shift
  told=$(curl --silent --show-error --noproxy '*' --max-time 2 {CURL_TLS} "$@") || exit
  printf '%s %s\\n' "$what" "$told"
}}
ask version "$url/version"
ask self "$url/v2/stats/self"
ask leader "$url/v2/members/leader"
ask headers --head "$url/v2/keys/"
"""

# With authentication on guests still read the registry and, by default, every key (etcd 3.4.23), so a member
# looks healthy; what root alone may read or change is answered with 401, the update of a peer URL among it.
LOGIN = f"""{OWN_LISTENER}
exec curl --silent --show-error --noproxy '*' --max-time 4 {CURL_TLS} --output /dev/null \\
  --write-out '%{{http_code}}' "$url/v2/auth/roles"
"""

# The member's own /health needs a quorum. etcdctl asks every member's advertised URLs, http and https mixed
# while the migration is on its way, so it gets CA, certificate and key as soon as they lie there.
HEALTH = f"""{OWN_LISTENER}{ETCDCTL}
own=$(curl --silent --show-error --noproxy '*' --max-time 3 {CURL_TLS} "$url/health" 2>&1)
printf 'own %s\\n' "$own"
if [ -r "$ca" ] && [ -r "$certificate" ] && [ -r "$key" ]; then tls=yes; fi
timeout 5 etcdctl {V2_TLS} cluster-health 2>&1
[ $? -ne 124 ] || echo 'cut off'
exit 0
"""

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


class V2:
    """Drives members through etcdctl's v2 words and the v2 HTTP API."""

    name = "v2"

    def members(self, target: Target) -> Fact[Mapping[str, Registered]]:
        """How this member sees the registry, by hex ID; v2 does not tell learners from voters."""
        return Fact(Script(target.name, MEMBERS, asking(target), timeout_s=6.0), _members)

    def status(self, target: Target) -> Fact[MemberStatus]:
        """Who the member is, who leads, and how far it has come."""
        return Fact(Script(target.name, STATUS, asking(target), timeout_s=10.0), _member_status)

    def health(self, target: Target) -> Fact[Health]:
        """What the member itself says to something that needs a quorum, and what etcdctl thinks of all."""
        return Fact(Script(target.name, HEALTH, asking(target), timeout_s=10.0), _Heard.of)

    def alarms(self, target: Target) -> Fact[str] | None:
        """Nothing: v2 has no alarms. A member with one is not healthy, though (3.4, 3.5)."""
        del target
        return None

    def login(self, target: Target) -> Fact[bool]:
        """By what root alone gets while authentication is on."""
        return Fact(Script(target.name, LOGIN, asking(target), timeout_s=6.0), _wants_login)

    def auth(self, word: str, endpoint: Endpoint) -> Run:
        """Command that turns authentication on or off."""
        who = ("--username", "root:PASSWORD") if word == "disable" else ()
        words = ("etcdctl", "--no-sync", *endpoint.v2, *who, "auth", word)
        return Run(words, (("ETCDCTL_API", "2"),))

    def hash_at(self, target: Target, revision: int) -> Fact[Hashed] | None:
        """Nothing: v2 has no hash of its keys."""
        del target, revision
        return None

    def update_peers(self, member_id: str, urls: tuple[str, ...], endpoint: Endpoint) -> Run:
        """Command that registers a member's peer URLs.

        etcd answers 204, and --fail makes 4xx and 5xx a failure (404 unknown ID, 409 URL of another member,
        500 no quorum). That the registry holds them is for a gate to see on every member.
        """
        body = json.dumps({"peerURLs": urls}, separators=(",", ":"))
        limits = ("--fail", "--silent", "--show-error", "--noproxy", "*", "--max-time", "10")
        request = ("-XPUT", "-H", "Content-Type: application/json", "--data", body)
        return Run(("curl", *limits, *endpoint.curl, *request, f"{endpoint.url}/v2/members/{member_id}"))

    def backup(self, target: Target, path: str, endpoint: Endpoint) -> tuple[Run, ...]:
        """Copy log and snapshots out of the data directory; without the v3 store, which is locked."""
        del endpoint
        data = data_directory(target)
        words: tuple[str, ...] = ("etcdctl", "backup", "--data-dir", data, "--backup-dir", path)
        if not target.member.version.startswith("2."):
            words = (*words, "--with-v3=false")
        return (Run(words, (("ETCDCTL_API", "2"),)), Run(("test", "-d", f"{path}/member/wal")))

    def move_leader(self, member_id: str, endpoint: Endpoint) -> Run | None:
        """Nothing: v2 cannot hand leadership over; stopping the leader makes the others elect one."""
        del member_id, endpoint
        return None


def _members(answer: Answer) -> Mapping[str, Registered]:
    found = {member.id: member for member in map(_registered, filter(None, answer.text.split("\n")))}
    if not found:
        raise ValueError(answer.reason)
    return found


def _member_status(answer: Answer) -> MemberStatus:
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
class _Heard:
    """``trouble`` is what the member says of itself, ``lines`` is what cluster-health printed of all."""

    trouble: str | None
    lines: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Answer) -> "_Heard":
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


def _wants_login(answer: Answer) -> bool:
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
