"""The words of etcdctl's v3 interface: commands for deeds, questions for gates, and what the answers say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.cluster.facts import Subject
from orchestrator.operations import Answer, Answers, Check, Run

_API = (("ETCDCTL_API", "3"),)  # 3.3 still speaks v2 without it

# Talks to the member through a plain http listener that its process really has, whatever state it is in.
ASK = """
pid=$(systemctl show --property=MainPID --value "$1.service")
[ "${pid:-0}" -gt 0 ] || { echo "$1.service has no running process" >&2; exit 3; }
urls=$(tr '\\0' '\\n' < "/proc/$pid/environ" | sed -n 's/^ETCD_LISTEN_CLIENT_URLS=//p')
url=$(printf '%s' "${urls:-http://localhost:2379}" | tr ',' '\\n' | sed -n '/^http:/p' | tail -n 1 |
  sed 's#//0\\.0\\.0\\.0:#//127.0.0.1:#; s#//\\[::\\]:#//[::1]:#')
[ -n "$url" ] || { echo "$1.service has no http listener: $urls" >&2; exit 3; }
shift
ETCDCTL_API=3 exec etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=4s "$@"
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """One line of the member list. ``id`` is hex; URLs are in the registry's order."""

    id: str
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    is_learner: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member says of itself. IDs are hex, ``leader`` is "0" if it knows none; indices are raft's."""

    cluster_id: str
    id: str
    leader: str
    version: str
    index: int
    applied: int


def ask(subject: Subject, *words: str) -> Check:
    """Ask etcdctl on the member's host, through the member's own listener."""
    return Check(subject.member.name, ASK, (subject.member.service, *words), timeout_s=6.0)


def members(subject: Subject) -> Check:
    """Ask how this member sees the registry."""
    return ask(subject, "member", "list", "-w", "json")


def status(subject: Subject) -> Check:
    """Ask the member who it is, who leads, and how far it has come."""
    return ask(subject, "endpoint", "status", "-w", "json")


def health(subject: Subject) -> Check:
    """Ask the member for a read that needs a quorum."""
    return ask(subject, "endpoint", "health")


def alarms(subject: Subject) -> Check:
    """Ask which alarms are raised."""
    return ask(subject, "alarm", "list")


def update_peers(member_id: str, urls: tuple[str, ...], endpoint: str) -> Run:
    """Command that registers a member's peer URLs."""
    return _run(endpoint, "member", "update", member_id, f"--peer-urls={','.join(urls)}")


def move_leader(member_id: str, endpoint: str) -> Run:
    """Command that gives leadership to a member; ``endpoint`` must be the leader's own."""
    return _run(endpoint, "move-leader", member_id)


def _run(endpoint: str, *words: str) -> Run:
    return Run(("etcdctl", f"--endpoints={endpoint}", "--command-timeout=10s", *words), _API)


def read_members(answers: Answers, question: Check) -> Mapping[str, Registered]:
    """Read a member list, by hex ID; raises ValueError with etcdctl's own words if there is none."""
    listed = _json(answers[question])["members"]
    found = (
        Registered(
            id=f"{member['ID']:x}",
            name=member.get("name", ""),
            peer_urls=tuple(member.get("peerURLs", ())),
            client_urls=tuple(member.get("clientURLs", ())),
            is_learner=member.get("isLearner", False),
        )
        for member in listed
    )
    return {member.id: member for member in found}


def read_status(answers: Answers, question: Check) -> Standing:
    """Read one endpoint's status; raises ValueError with etcdctl's own words if there is none."""
    told = _json(answers[question])[0]["Status"]
    header = told["header"]
    return Standing(
        cluster_id=f"{header['cluster_id']:x}",
        id=f"{header['member_id']:x}",
        leader=f"{told.get('leader', 0):x}",
        version=told["version"],
        index=told.get("raftIndex", 0),
        applied=told.get("raftAppliedIndex", told.get("raftIndex", 0)),  # 3.3 does not tell the applied one
    )


def _json(answer: Answer) -> Any:  # noqa: ANN401 -- whatever etcdctl's JSON holds
    if answer.exit_status != 0:
        raise ValueError(last_line(answer))
    try:
        return json.loads(answer.stdout)
    except json.JSONDecodeError as error:
        raise ValueError(f"etcdctl's answer is not JSON: {error}") from error


def last_line(answer: Answer) -> str:
    """Return what a command said last; it is usually the reason."""
    lines = (
        answer.stderr.strip() or answer.stdout.strip() or f"exit status {answer.exit_status}"
    ).splitlines()
    return "no answer in time" if answer.exit_status == 124 else lines[-1].strip()[:300]
