"""etcd's v2 interface: etcdctl's v2 words (2.2 to 3.5), whose exit codes tell nothing, and the HTTP API."""

import json
from collections.abc import Mapping

from orchestrator.etcd.api import v2_answers
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
from orchestrator.host.questions import Fact, Script
from orchestrator.plan.facts import Target

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


class V2:
    """Drives members through etcdctl's v2 words and the v2 HTTP API."""

    name = "v2"

    def members(self, target: Target) -> Fact[Mapping[str, Registered]]:
        """How this member sees the registry, by hex ID; v2 does not tell learners from voters."""
        return Fact(Script(target.name, MEMBERS, asking(target), timeout_s=6.0), v2_answers.members)

    def status(self, target: Target) -> Fact[MemberStatus]:
        """Who the member is, who leads, and how far it has come."""
        return Fact(Script(target.name, STATUS, asking(target), timeout_s=10.0), v2_answers.member_status)

    def health(self, target: Target) -> Fact[Health]:
        """What the member itself says to something that needs a quorum, and what etcdctl thinks of all."""
        return Fact(Script(target.name, HEALTH, asking(target), timeout_s=10.0), v2_answers.Heard.of)

    def alarms(self, target: Target) -> Fact[str] | None:
        """Nothing: v2 has no alarms. A member with one is not healthy, though (3.4, 3.5)."""
        del target
        return None

    def login(self, target: Target) -> Fact[bool]:
        """By what root alone gets while authentication is on."""
        return Fact(Script(target.name, LOGIN, asking(target), timeout_s=6.0), v2_answers.wants_login)

    def auth(self, word: str, endpoint: Endpoint) -> Run:
        """Command that turns authentication on or off."""
        who = ("--username", "root:PASSWORD") if word == "disable" else ()
        words = ("etcdctl", "--no-sync", *endpoint.v2, *who, "auth", word)
        return Run(words, (("ETCDCTL_API", "2"),))

    def hash_at(self, target: Target, revision: int, size_bytes: int = 0) -> Fact[Hashed] | None:
        """Nothing: v2 has no hash of its keys."""
        del target, revision, size_bytes
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
