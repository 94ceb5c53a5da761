"""What a migration puts on hosts, and that after a rollback nothing of it is left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from live.stories import events, unhealthy

from orchestrator.engine.progress import Progress
from orchestrator.lab.lifecycle.lab import Lab

OURS = ("/etc/etcd2", "/etc/systemd/system/etcd2.service.d", "/usr/local/share/ca-certificates")


@dataclass(frozen=True, slots=True)
class Before:
    """What lies where the migration puts files, and what each host trusts, before the first change."""

    files: Mapping[str, str]
    trusted: Mapping[str, str]

    @classmethod
    def of(cls, lab: Lab) -> Self:
        """Look at every host."""
        bundle = ["sha256sum", "/etc/ssl/certs/ca-certificates.crt"]
        return cls(
            {host.name: host.run(["find", *OURS, "-type", "f"], check=False).stdout for host in lab.hosts},
            {host.name: host.run(bundle).stdout for host in lab.hosts},
        )

    def assert_again(self, lab: Lab) -> None:
        """Have every member stand in plaintext, healthy, with its host as it was."""
        progress = Progress.of(events(lab))
        assert progress.is_rolled_back
        assert {"plaintext"} == set(progress.states.values())
        assert not unhealthy(lab)
        assert self == Before.of(lab)
        for host in lab.hosts:
            asked = ["etcdctl", "--endpoints=http://127.0.0.1:2379", "member", "list"]
            assert "https" not in host.run(asked).stdout
