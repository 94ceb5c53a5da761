"""etcd's v3 interface, in the words of etcdctl 3.3 and later."""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.cluster.facts import Subject
from orchestrator.etcd.api.words import OWN_LISTENER, Hashed, Registered, Standing, last_line
from orchestrator.operations import Answer, Check, Run

_API = (("ETCDCTL_API", "3"),)  # 3.3 still speaks v2 without it

ASK = f"""{OWN_LISTENER}
ETCDCTL_API=3 exec etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=4s "$@"
"""

# It reads every key: for gigabytes that takes longer than other answers.
HASH = f"""{OWN_LISTENER}
ETCDCTL_API=3 exec etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=60s \\
  endpoint hashkv --rev="$1" -w json
"""


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
                id=f"{member['ID']:x}",
                name=member.get("name", ""),
                peer_urls=tuple(member.get("peerURLs", ())),
                client_urls=tuple(member.get("clientURLs", ())),
                is_learner=member.get("isLearner", False),
            )
            for member in _json(answer)["members"]
        )
        return {member.id: member for member in found}

    def status(self, subject: Subject) -> Check:
        """Ask the member who it is, who leads, and how far it has come."""
        return _ask(subject, "endpoint", "status", "-w", "json")

    def read_status(self, answer: Answer) -> Standing:
        """Read one member's status."""
        told = _json(answer)[0]["Status"]
        header = told["header"]
        return Standing(
            cluster_id=f"{header['cluster_id']:x}",
            id=f"{header['member_id']:x}",
            leader=f"{told.get('leader', 0):x}",
            version=told["version"],
            index=told.get("raftIndex", 0),
            applied=told.get(
                "raftAppliedIndex", told.get("raftIndex", 0)
            ),  # 3.3 does not tell the applied one
            revision=header.get("revision", 0),
        )

    def health(self, subject: Subject) -> Check:
        """Ask the member for a read that needs a quorum."""
        return _ask(subject, "endpoint", "health")

    def complaint(self, answer: Answer, member_id: str) -> str | None:
        """Why the member is not healthy; 3.2's exit status says nothing (etcd issue 8295), its line does."""
        del member_id
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
        if answer.exit_status != 0:
            raise ValueError(last_line(answer))
        return ", ".join(line.strip() for line in answer.stdout.splitlines() if line.strip())

    def hash_at(self, subject: Subject, revision: int) -> Check | None:
        """Ask for a hash of all keys up to a revision; 0 is the member's own last one, even if compacted."""
        return Check(subject.name, HASH, (subject.host.service, str(revision)), timeout_s=65.0)

    def read_hash(self, answer: Answer) -> Hashed:
        """Read one member's hash; a zero is left out of the JSON, and nothing compacted is -1."""
        told = _json(answer)[0]["HashKV"]
        return Hashed(told.get("hash", 0), told["header"]["revision"], told.get("compact_revision", 0))

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


def _json(answer: Answer) -> Any:  # noqa: ANN401 -- whatever etcdctl's JSON holds
    if answer.exit_status != 0:
        raise ValueError(last_line(answer))
    try:
        return json.loads(answer.stdout)
    except json.JSONDecodeError as error:
        raise ValueError(f"etcdctl's answer is not JSON: {error}") from error
