"""Who listens on the ports that the migration uses."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.etcd.facts import process
from orchestrator.etcd.preflight.finding import on_each_host
from orchestrator.etcd.preflight.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, Fact, Script, UnansweredError
from orchestrator.plan.facts import Subject
from orchestrator.text import shown

SCRIPT = "exec ss --no-header --listening --tcp --numeric --processes"

_EVERYWHERE = {"*", "0.0.0.0", "::"}  # noqa: S104 -- read in what the host tells; nothing is bound here
_PROCESS = re.compile(r'\("(?P<name>[^"]*)",pid=(?P<pid>\d+)')


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket; ``address`` has no brackets and no interface, ``pids`` are its processes'."""

    address: str
    port: int
    pids: frozenset[int]
    program: str

    @property
    def stop(self) -> str:
        """How that program is stopped: by its unit if it has one."""
        pids = " ".join(map(str, sorted(self.pids)))
        if not pids:
            return f"find its program (ss -ltnp sport = :{self.port}) and stop it"
        return (
            f"stop it: systemctl status {pids} shows its unit (systemctl stop UNIT); "
            f"if it has none: kill {pids}"
        )

    @property
    def takes_loopback(self) -> bool:
        """Whether nobody else can listen on 127.0.0.1 beside it."""
        return self.address in _EVERYWHERE or self.address == "127.0.0.1"


def listeners(output: str) -> tuple[Listener, ...]:
    """Read ss's lines: STATE RECV-Q SEND-Q LOCAL:PORT PEER:PORT USERS; ValueError for any other."""
    found = []
    for line in output.splitlines():
        columns = line.split(None, 5)
        if len(columns) < 5:
            raise ValueError(f"ss printed a line that is no socket: {shown(line)}")
        address, _, port = columns[3].rpartition(":")
        processes = list(_PROCESS.finditer(columns[5] if len(columns) > 5 else ""))
        found.append(
            Listener(
                address=address.partition("%")[0].strip("[]").removeprefix("::ffff:"),
                port=int(port),
                pids=frozenset(int(match["pid"]) for match in processes),
                program=", ".join(
                    f"{shown(match['name'], quote='')} (pid {match['pid']})" for match in processes
                )
                or "unknown",
            )
        )
    return tuple(found)


@on_each_host
def ports(site: Site, subject: Subject) -> Check:
    """Ask the kernel who listens on the client, peer and local port."""
    runs = process.running(subject)
    listening = Fact(Script(subject.name, SCRIPT), lambda answer: listeners(answer.text))
    wanted, own = site.cluster.ports, f"{subject.host.service}.service"
    is_member = subject.name in {member.name for member in site.cluster.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            found = listening.read(answers)
        except UnansweredError as error:
            yield doubtful(f"cannot tell: {error}", "install iproute2, which has ss")
            return
        pid = runs.read(answers).pid
        strangers = [one for one in found if pid not in one.pids]
        on_local = [one for one in strangers if one.port == wanted.local and one.takes_loopback]
        elsewhere = [
            one
            for one in strangers
            if one not in on_local and one.port in {wanted.client, wanted.peer, wanted.local}
        ]
        on_trial = [one for one in strangers if is_member and one.port == wanted.trial]
        for one in on_local:
            yield wrong(
                f"{one.program} listens on {one.address}:{one.port}, where etcd's local port will be",
                f"{one.stop}, or choose another port in the plan: ports.local",
            )
        for one in on_trial:
            yield wrong(
                f"{one.program} listens on {one.address}:{one.port}, where certificates will be tried out",
                f"{one.stop}, or choose another port in the plan: ports.trial",
            )
        for one in elsewhere:
            yield doubtful(
                f"{one.program} listens on {one.address}:{one.port}",
                f"nothing, if {own} does not listen there itself (ETCD_LISTEN_CLIENT_URLS, "
                f"ETCD_LISTEN_PEER_URLS); else {one.stop}",
            )
        if not on_local and not on_trial:
            used = (wanted.client, wanted.peer, wanted.local, *((wanted.trial,) if is_member else ()))
            yield fine(f"{', '.join(map(str, used))} are etcd's or free")

    return Check(subject.name, (runs, listening), judge)
