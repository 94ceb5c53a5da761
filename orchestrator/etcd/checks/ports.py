"""Who listens on the ports that the migration uses."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd import kept, local_port, overlap
from orchestrator.etcd.facts import listeners, process
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, UnansweredError
from orchestrator.plan.facts import Target


def _free(target: Target) -> Mapping[int, tuple[str, str]]:
    """Ports of a member that nobody may have yet, not even its etcd: what for, and the plan's field."""
    cluster = target.cluster
    beside = overlap.extra_port(target) if cluster.clients.overlap else None
    return {
        cluster.ports.trial: ("certificates will be tried out", "ports.trial"),
        **({beside: ("https will be served beside http", "clients.extra_port")} if beside else {}),
    }


def ports(target: Target) -> Check:
    """Ask the kernel who listens on the ports that etcd has or gets, and on those that have to be free."""
    runs = process.running(target)
    listening = listeners.listening(target.name)
    wanted, own = target.cluster.ports, f"{target.etcd.service}.service"
    is_member = target.name in target.facts.members
    local = local_port.of(target)
    used = tuple(port for port in (wanted.client, wanted.peer, local) if port is not None)
    free = _free(target) if is_member else {}
    is_unheard = (
        (local is None or "local" in target.cluster.clients.close)
        and is_member
        and kept.keeps_clients(target)
    )

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            found = listening.read(answers)
        except UnansweredError as error:
            yield doubtful(f"cannot tell: {error}", "install iproute2, which has ss")
            return
        pid = runs.read(answers).pid
        strangers = [one for one in found if pid not in one.pids]
        on_local = [one for one in strangers if one.port == local and one.takes_loopback]
        elsewhere = [one for one in strangers if one not in on_local and one.port in used]
        on_free = [one for one in found if one.port in free]
        for one in on_local:
            yield wrong(
                f"{one.program} listens on {one.address}:{one.port}, where etcd's local port will be",
                f"{one.stop}, or choose another port in the plan: ports.local",
            )
        for one in on_free:
            purpose, field = free[one.port]
            other_port = f"choose another port in the plan: {field}"
            is_own = one not in strangers
            yield wrong(
                f"{f'{own} itself' if is_own else one.program} listens on {one.address}:{one.port}, "
                f"where {purpose}",
                other_port if is_own else f"{one.stop}, or {other_port}",
            )
        for one in elsewhere:
            yield doubtful(
                f"{one.program} listens on {one.address}:{one.port}",
                f"nothing, if {own} does not listen there itself (ETCD_LISTEN_CLIENT_URLS, "
                f"ETCD_LISTEN_PEER_URLS); else {one.stop}",
            )
        if is_unheard:
            yield wrong(
                "clients are served with a certificate of the member's own, which the plan's CA need not "
                "have signed, and there is no local port to ask it by to the end",
                "local: auto (or a port) under ports in the plan, and no local in clients.close",
            )
        if not on_local and not on_free and not is_unheard:
            yield fine(f"{', '.join(map(str, (*used, *free)))} are etcd's or free")

    return Check(target.name, (runs, listening), judge)
