"""The trial: a throwaway etcd serves a member's staged certificates, and every other member dials it.

Members that reach each other in one direction stay together, so bad certificates stay hidden until the last
member has switched (docs/etcd-facts.md). Here they show while nothing depends on them, judged by the very
program that will use them: names, usages, chain, and the source address of each dialler.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.etcd import settings
from orchestrator.host.operations import MakeDirectory, Operation, RemoveDirectory, Run
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target
from orchestrator.text import shown

UNIT = "orchestrator-trial"
DIRECTORY = "/var/lib/orchestrator-trial"  # 128 MB while it lasts: etcd allocates its log in advance
_NAME = "trial"
_SLACK_S = 60  # beyond the patience with which the handshakes are waited for

# Whether the throwaway etcd runs, and what it says of diallers that it turns away, and of itself if it ends.
# Its name is used again and again: what was logged before its latest start is somebody else's.
LAST_WORDS = """
systemctl is-active --quiet "$1.service" && echo running || echo ended
journalctl --unit="$1.service" --lines=200 --output=cat --no-pager --quiet |
  awk '/^Start(ed|ing) orchestrator-trial/ { n = 0 } { line[n++] = $0 }
    END { for (; i < n; i++) print line[i] }' |
  grep -i -e reject -e error -e fail -e panic -e fatal -e usage -e 'not defined' | tail -n 2
exit 0
"""


def begin(target: Target) -> Iterable[Operation]:
    """Start it as the service's user, with the member's peer settings; it ends by itself in the end."""
    user, group = target.found.user, target.found.group
    port = target.cluster.ports.trial
    itself = f"https://127.0.0.1:{port}"
    lasts_s = round(target.cluster.patience.gate_s) + _SLACK_S
    certificates = settings.certificates(target)
    yield _stop()
    yield MakeDirectory(DIRECTORY, 0o700, user, group)
    yield Run(
        (
            *("systemd-run", "--quiet", "--collect", f"--unit={UNIT}", f"--uid={user}", f"--gid={group}"),
            f"--property=RuntimeMaxSec={lasts_s}",
            f"--property=ExecStopPost=/bin/rm -rf {DIRECTORY}/member",
            *(f"--setenv={name}={value}" for name, value in certificates.items() if "_PEER_" in name),
            *(target.found.executable, f"--name={_NAME}", f"--data-dir={DIRECTORY}"),
            # clients are no part of it: any free port of loopback, and nobody is told
            *("--listen-client-urls=http://127.0.0.1:0", "--advertise-client-urls=http://127.0.0.1:0"),
            f"--listen-peer-urls=https://0.0.0.0:{port}",
            *(f"--initial-advertise-peer-urls={itself}", f"--initial-cluster={_NAME}={itself}"),
        )
    )


def end(target: Target) -> Iterable[Operation]:
    """Stop it if it still runs, and leave nothing of it."""
    del target
    yield _stop()
    yield RemoveDirectory(DIRECTORY)


def urls(target: Target) -> tuple[str, ...]:
    """Where the other members dial it: by the names of the peer URLs, on the trial's port."""
    hosts = (urlsplit(url).hostname or "" for url in settings.peers_https(target))
    bracketed = (f"[{host}]" if ":" in host else host for host in hosts)
    return tuple(dict.fromkeys(f"https://{host}:{target.cluster.ports.trial}" for host in bracketed))


@dataclass(frozen=True, slots=True)
class Standing:
    """How the throwaway etcd stands, and what it said last of diallers that it turned away, or of its end."""

    is_running: bool
    said: tuple[str, ...]


def standing(target: Target) -> Fact[Standing]:
    """Whether it runs, and what it said last."""
    return Fact(Script(target.name, LAST_WORDS, (UNIT,)), _standing)


def _standing(answer: Answer) -> Standing:
    state, *said = answer.text.splitlines()
    return Standing(state == "running", tuple(shown(line.strip(), quote="", limit=300) for line in said))


def _stop() -> Run:
    return Run(("systemctl", "stop", f"{UNIT}*.service"))  # a pattern may match nothing, a name may not
