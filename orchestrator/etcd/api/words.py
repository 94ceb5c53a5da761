"""What is asked of a member and given to it, whichever of etcd's interfaces it is driven through."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.etcd.effective import SETTING
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.settings import Paths
from orchestrator.host.operations import Run
from orchestrator.host.questions import Answer, Fact
from orchestrator.plan.facts import Target, is_at_least
from orchestrator.text import shown


@dataclass(frozen=True, slots=True)
class Registered:
    """One line of the member list. ``id`` is hex; URLs are in the registry's order."""

    id: str
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    is_learner: bool = False


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """What a member says of itself. IDs are hex, ``leader`` is "0" if it knows none; indices are raft's.

    ``revision`` is that of its keys, ``size_bytes`` what its database holds: where etcd tells (from
    3.4 on), without the room that compactions left in its file. Both are 0 through v2.
    """

    cluster_id: str
    id: str
    leader: str
    version: str
    index: int
    applied: int
    revision: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Hashed:
    """One member's hash of its keys: ``revision`` was its last one then, ``compacted`` the last compacted."""

    hash: int
    revision: int
    compacted: int


class Health(Protocol):
    """What a member said when it was asked for something that needs a quorum."""

    def complaint(self, member_id: str) -> str | None:
        """Why the member of that ID is not healthy, or None if it is."""
        ...


class Api(Protocol):
    """One of etcd's interfaces. A fact that cannot be read raises ValueError with the tool's own words."""

    name: str

    def members(self, target: Target) -> Fact[Mapping[str, Registered]]:
        """How this member sees the registry, by hex ID."""
        ...

    def status(self, target: Target) -> Fact[MemberStatus]:
        """Who the member is, who leads, and how far it has come."""
        ...

    def health(self, target: Target) -> Fact[Health]:
        """Whether the member can do what needs a quorum; any answer can be read."""
        ...

    def alarms(self, target: Target) -> Fact[str] | None:
        """Which alarms are raised, empty if there are none; None where the interface has no alarms."""
        ...

    def login(self, target: Target) -> Fact[bool]:
        """Whether the member wants a login, because authentication is on; no answer is no."""
        ...

    def auth(self, word: str, endpoint: Endpoint) -> Run:
        """Command that turns authentication on or off (``enable``, ``disable``); root's login is put in."""
        ...

    def hash_at(self, target: Target, revision: int, size_bytes: int = 0) -> Fact[Hashed] | None:
        """The member's hash of all keys up to a revision (0: up to the last); None where there is no hash.

        The larger its database, the longer it may take.
        """
        ...

    def update_peers(self, member_id: str, urls: tuple[str, ...], endpoint: Endpoint) -> Run:
        """Command that registers a member's peer URLs, through the listener at ``endpoint``."""
        ...

    def backup(self, target: Target, path: str, endpoint: Endpoint) -> tuple[Run, ...]:
        """Commands that save the member's data at ``path`` on its host, and verify what was saved."""
        ...

    def move_leader(self, member_id: str, endpoint: Endpoint) -> Run | None:
        """Command that gives leadership to a member, sent to the leader itself; None if there is none."""
        ...


def data_directory(target: Target) -> str:
    """Where the member keeps its data. Default: etcd docs, "Configuration options"."""
    return target.member.environment.get("ETCD_DATA_DIR", f"{target.member.name}.etcd")


def snapshot_tool(version: str) -> str:
    """Return the name of etcd's tool for a snapshot's file: 3.6 moved that to etcdutl."""
    return "etcdutl" if is_at_least(version, 3, 6) else "etcdctl"


AUTHENTICATION = "authentication is on"
WITHOUT_HTTP = "none of its client listeners speaks http"
# etcd 3.4.23 says "etcdserver: user name is empty" to endpoint health and get, "auth: …" to hashkv and
# snapshot. It answers member list, endpoint status and alarm list all the same; another release may not.
# Over https whoever gives no user is the one of the certificate's CN: "user (name) not found" (to 3.5.30).
_WANTS_LOGIN = re.compile(
    r"\b(etcdserver|auth): ("
    "user name is empty|invalid auth token|permission denied|authentication failed|user (name )?not found)"
)
_UNAUTHORIZED = re.compile(r"^headers HTTP/1\.[01] 401\b", re.MULTILINE)
_NO_HTTP = re.compile(r"has no http listener: (?P<urls>.*)")
_NO_PROCESS = re.compile(r"^\S+\.service (?:has no running process|is stopping)\b", re.MULTILINE)
# What a shell says of a program that is not there: dash and busybox, then bash.
_NO_PROGRAM = re.compile(
    r"^\S+: (line )?\d+: (exec: )?(?P<name>[\w.-]+): (command )?not found$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What keeps a member from answering, healthy or not; the check of that name prints what fixes it."""

    text: str
    check: str

    def __str__(self) -> str:
        """Say it in a sentence of its own."""
        return f"{self.text}; the check '{self.check}' prints what to do"


def hindrance(answer: Answer) -> Hindrance | None:
    """Return what kept the member from answering, or None if it is nothing that is known."""
    if answer.exit_status == 0:
        return Hindrance(AUTHENTICATION, "quorum") if _UNAUTHORIZED.search(answer.text) else None
    if _WANTS_LOGIN.search(f"{answer.stderr}\n{answer.reason}"):
        return Hindrance(AUTHENTICATION, "quorum")
    if program := _NO_PROGRAM.search(answer.stderr):
        return Hindrance(f"{program['name']} is not installed, or not on PATH", "tools")
    if process := _NO_PROCESS.search(answer.stderr):
        return Hindrance(process[0], "unit")
    found = _NO_HTTP.search(answer.stderr)
    if not found or not found["urls"].strip():
        return None
    return Hindrance(f"{WITHOUT_HTTP} ({shown(found['urls'].strip(), quote='', limit=300)})", "listeners")


def wants_login(answer: Answer) -> bool:
    """Whether a member did not answer because authentication is on, by etcd's own words."""
    found = hindrance(answer)
    return found is not None and found.text == AUTHENTICATION


# What every script below needs of the unit $1: its main process, and the settings that it really has.
# One that is just stopping has closed its listeners: a client would wait for its own time to end.
MAIN_PROCESS = f"""{SETTING}
shown=$(systemctl show --property=MainPID,ActiveState "$1.service")
case $shown in *ActiveState=deactivating*) echo "$1.service is stopping" >&2; exit 3 ;; esac
pid=${{shown#*MainPID=}} pid=${{pid%%[!0-9]*}}
[ "${{pid:-0}}" -gt 0 ] || {{
  echo "$1.service has no running process (systemctl start $1.service)" >&2
  exit 3
}}
"""

# Leaves in $url an http listener that the process of unit $1 really has, preferring the last (local) one. One
# that has none is asked over https, by a URL that it advertises (its certificate names that), with $2 CA, $3
# certificate and $4 key if they lie there; $tls is not empty then, and the words below are what tools need.
# A look asks this over and over, so what the shell can do by itself starts no process.
OWN_LISTENER = f"""{MAIN_PROCESS}
setting ETCD_LISTEN_CLIENT_URLS listen-client-urls
urls=$value
url='' tls='' ca=$2 certificate=$3 key=$4 IFS=', '
set -f
for each in ${{urls:-http://localhost:2379}}; do
  case $each in
    'http://0.0.0.0:'*) url="http://127.0.0.1:${{each#'http://0.0.0.0:'}}" ;;
    'http://[::]:'*) url="http://[::1]:${{each#'http://[::]:'}}" ;;
    'http:'*) url=$each ;;
  esac
done
unset IFS
set +f
if [ -z "$url" ] && [ -r "$ca" ] && [ -r "$certificate" ] && [ -r "$key" ]; then
  tls=yes
  setting ETCD_ADVERTISE_CLIENT_URLS advertise-client-urls
  IFS=', '
  set -f
  for each in $value; do
    case $each in 'https:'*) ;; *) continue ;; esac
    url=${{url:-$each}}
    case ",$urls," in *",$each,"*) url=$each && break ;; esac
  done
  unset IFS
  set +f
fi
[ -n "$url" ] || {{ echo "$1.service has no http listener: $urls" >&2; exit 3; }}
shift 4
"""
CURL_TLS = '${tls:+--cacert "$ca" --cert "$certificate" --key "$key"}'
V2_TLS = '${tls:+--ca-file "$ca" --cert-file "$certificate" --key-file "$key"}'
V3_TLS = '${tls:+--cacert="$ca" --cert="$certificate" --key="$key"}'


def asking(target: Target) -> tuple[str, ...]:
    """Return what OWN_LISTENER is given: the unit, and where its certificates lie or will lie."""
    return (target.etcd.service, *Paths.of(target).material)
