"""The phase that asks no host: it compiles a runbook of the plan alone, and says what it assumes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.commands import recall
from orchestrator.commands.phases.call import Call
from orchestrator.etcd.settings import (
    ADVERTISE_CLIENT,
    INITIAL_ADVERTISE_PEER,
    INITIAL_CLUSTER,
    LISTEN_CLIENT,
    LISTEN_PEER,
)
from orchestrator.plan.facts import Facts, HostFacts, MemberFacts
from orchestrator.plan.model import Cluster, Host
from orchestrator.text import bracketed


@dataclass(frozen=True, slots=True)
class Guess:
    """What hosts may be like; ``everywhere`` is where each member listens, ``id_of`` stands for its ID."""

    user: str
    everywhere: str
    trust: str
    id_of: str


_LIKELY = Guess("etcd", "0.0.0.0", "debian", "ID of")  # noqa: S104 -- as most have it
_OTHER = Guess("other", "127.0.0.9", "redhat", "other ID of")  # what differs with it is assumed
_LOOK = "nobody has looked at the hosts: orchestrator plan PLAN does"


def assume(call: Call) -> None:
    """Compile the runbook of what the state file remembers, or else of what the plan makes one expect."""
    session, progress = call.session, call.event_log.progress
    if progress.attempts:
        call.runbook = recall.recall(session, progress)
        call.assumed = (session.spelled(f"{_LOOK}. They stand where the state file says."),)
        return
    clients = session.cluster.clients.model_copy(update={"units": ()})
    cluster = session.cluster.model_copy(update={"clients": clients})
    call.session = replace(session, cluster=cluster)
    call.facts = facts(cluster, _LIKELY)
    call.runbook = recall.compile_there(call.session, call.facts)
    call.varied = recall.compile_there(call.session, facts(cluster, _OTHER))
    call.assumed = (session.spelled(f"{_LOOK}."), *_assumptions(session.cluster))


def facts(cluster: Cluster, guess: Guess) -> Facts:
    """Return facts as one expects them of a plan's hosts; member IDs say whose they are."""
    api = "v3" if cluster.api == "auto" else cluster.api
    began = ",".join(f"{one.name}={_url(one, cluster.ports.peer)}" for one in cluster.members)

    def host(one: Host) -> dict[str, object]:
        environment = {
            LISTEN_CLIENT: f"http://{guess.everywhere}:{cluster.ports.client}",
            ADVERTISE_CLIENT: _url(one, cluster.ports.client),
            LISTEN_PEER: f"http://{guess.everywhere}:{cluster.ports.peer}",
            INITIAL_ADVERTISE_PEER: _url(one, cluster.ports.peer),
            INITIAL_CLUSTER: began,
        }
        version = "3.5.0" if api == "v3" else "2.3.0"
        owned = {"user": guess.user, "group": guess.user, "trust": guess.trust}
        return {"version": version, "environment": environment, **owned}

    def member(one: Host) -> MemberFacts:
        peers = (_url(one, cluster.ports.peer),)
        found = MemberFacts.model_validate({**host(one), "id": "", "name": one.name, "peer_urls": peers})
        return found.model_copy(update={"id": f"<{guess.id_of} {one.name}>"})

    return Facts(
        cluster_id="",
        api=api,
        members={one.name: member(one) for one in cluster.members},
        proxies={one.name: HostFacts.model_validate(host(one)) for one in cluster.proxies},
        overlaps=cluster.clients.overlap is True,
    )


def _url(host: Host, port: int) -> str:
    return f"http://{bracketed(host.address)}:{port}"


def _assumptions(cluster: Cluster) -> Iterable[str]:
    ports = cluster.ports
    yield (
        f"each member listens on http://0.0.0.0:{ports.client} and http://0.0.0.0:{ports.peer}, advertises "
        "its address in the plan, and has its settings from Environment= lines of its unit."
    )
    yield (
        "etcd is 3.5 or later, and runs as the user and group etcd; the hosts have the CA store of Debian; "
        "nothing of ours lies there."
    )
    yield "member IDs are not known; the last member leads."
    if cluster.clients.overlap == "auto":
        yield "no client speaks plain http, so https is not served beside http (clients.overlap: auto)."
    if cluster.persist == "in_place" or cluster.clients.units:
        yield "files of yours that are edited or replaced are not known, and left out."
