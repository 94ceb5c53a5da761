"""``run --probe``: a client of our own uses the real cluster meanwhile, and objects beyond its budget."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from cryptography.x509.oid import NameOID

from orchestrator import commandline
from orchestrator.engine.events import Account, Direction
from orchestrator.errors import RefusedError
from orchestrator.etcd import login
from orchestrator.pki import reading
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import Cluster
from orchestrator.probe import live
from orchestrator.probe.budget import Budget
from orchestrator.probe.http_session import Endpoint, trusting
from orchestrator.probe.live import LiveProbe, silent
from orchestrator.probe.login import Login
from orchestrator.probe.reach import Reach
from orchestrator.probe.tidy import TTL_S
from orchestrator.session import Session

TRY_S, PATIENCE_S = 1.0, 5.0  # for one endpoint, and for one write or read at all of them
_INSTEAD = (
    "Run without --probe, or from a machine that reaches the members' client ports; what clients go through "
    "is shown beforehand by: {rehearse}"
)


@dataclass(slots=True)
class Probing:
    """A probe as the witness of a run. ``missed`` says of which members nothing is measured, and why.

    ``warn`` hears what its end waits for, and what is left behind. ``again`` is the command that goes on with
    a probe.
    """

    cluster: Cluster
    probe: LiveProbe
    prefix: str
    through: tuple[str, ...]
    missed: tuple[str, ...]
    warn: Callable[[str], None]
    again: str
    is_ended: bool = False

    def objection(self) -> str:
        """Say what is beyond the budget, or that nobody measures any more."""
        if self.probe.failure:
            return (
                f"the probe itself failed, which says nothing of the cluster: {self.probe.failure}. "
                f"Nobody measures any more. To go on with a new probe: {self.again}"
            )
        found = self.probe.objection()
        return f"the probe objects: {found}. To go on with the probe: {self.again}" if found else ""

    def account(self) -> Account:
        """Return what the probe went through so far."""
        return Account(**asdict(self.probe.figures()))

    def end(self) -> None:
        """Stop it, and have its keys removed; it may be ended twice."""
        if self.is_ended:
            return
        self.is_ended = True
        if self.probe.paused_s:
            self.warn(
                f"the probe: this process stood still for {self.probe.paused_s:.0f} s (it was suspended, or "
                "this machine was asleep or overloaded); nothing was measured in that time, and it counts "
                "neither as a stall nor as failures of the cluster"
            )
        if not self.probe.end(self._waiting):
            self.warn(
                f"the probe: its keys below {self.prefix} could not be removed within {live.END_S:g} s: "
                f"{self.probe.last_refusals}. "
                f"They go by themselves with its lease, about {TTL_S} s from now. "
                f"To see that: {self._etcdctl('get', '--prefix', '--keys-only')}; "
                f"to remove them: {self._etcdctl('del', '--prefix')}"
            )

    def _waiting(self, left_s: float) -> None:
        self.warn(
            f"the probe: waiting for {left_s:.0f} s at most until members answer: "
            f"its keys below {self.prefix} are removed then"
        )

    def _etcdctl(self, *words: str) -> str:
        return etcdctl(self.cluster, self.probe.endpoints, *words, self.prefix)


def etcdctl(cluster: Cluster, endpoints: Sequence[Endpoint], *words: str) -> str:
    """Return a command of etcdctl's for this machine, as a person types it."""
    tls, options = cluster.tls, [f"--endpoints={','.join(map(str, endpoints))}"]
    if any(one.scheme == "https" for one in endpoints):
        options.append(f"--cacert={tls.ca}")
        if tls.client_cert_auth:
            options += [f"--cert={tls.client_certificate}", f"--key={tls.client_key}"]
    typed = commandline.join(("etcdctl", *options, *words))
    return f"ETCDCTL_API=3 {login.typed(cluster)}{typed}"


def begun(
    session: Session,
    run: str,
    facts: Facts,
    warn: Callable[[str], None],
    direction: Direction = "forward",
) -> Probing:
    """Return a probe that has written and read once; RefusedError says why there can be none."""
    cluster, prefix = session.cluster, f"/orchestrator-probe-{run}/"
    reach = _reach(session, facts)
    names = {member.address: member.name for member in cluster.members}
    quiet = silent(reach)
    missed = tuple(f"{names[address]}: {reason}" for address, reason in quiet.items())
    if len(quiet) == len(names):
        raise _refused(session, f"no member answers this machine on its client port: {'; '.join(missed)}")
    through = {address: name for address, name in names.items() if address not in quiet}
    budget = Budget(cluster.probe.stall_s, cluster.probe.failures)
    probe = LiveProbe(
        reach.of(tuple(through)),
        names,
        prefix,
        budget=budget,
        interval_s=1 / cluster.probe.rate,
        is_going_back=direction == "back",
    )
    again = ("rollback", "--probe") if direction == "back" else ("run", "--resume", "--probe")
    made = Probing(cluster, probe, prefix, tuple(through.values()), missed, warn, session.command(*again))
    reason = probe.begin()
    if reason:
        made.end()
        raise _refused(session, f"it cannot write and read below {prefix}: {reason}")
    return made


def _refused(session: Session, reason: str) -> RefusedError:
    instead = _INSTEAD.format(rehearse=commandline.of_plan(session.plan)("rehearse"))
    return RefusedError(f"nothing was changed now: the probe cannot begin: {reason}. {instead}")


def _reach(session: Session, facts: Facts) -> Reach:
    cluster = session.cluster
    if facts.api != "v3":
        raise _refused(session, "it speaks etcd's v3 API, and this cluster is used through v2")
    user = login.of(cluster)
    if user and cluster.tls.client_cert_auth and _has_common_name(cluster):
        raise _refused(
            session,
            f"{cluster.tls.client_certificate} has a common name, and with authentication on etcd's gateway "
            "takes no client certificate that has one",
        )
    named, _, password = user.reveal().partition(":") if user else ("", "", "")
    return Reach(
        tuple(member.address for member in cluster.members),
        cluster.ports.client,
        _trust(session),
        TRY_S,
        patience_s=PATIENCE_S,
        login=Login(named, password) if user else None,
        extra_port=cluster.clients.extra_port if facts.overlaps else None,
    )


def _trust(session: Session) -> ssl.SSLContext:
    tls = session.cluster.tls
    shown = (str(tls.client_certificate), str(tls.client_key)) if tls.client_cert_auth else (None, None)
    try:
        return trusting(str(tls.ca), *shown)
    except (OSError, ValueError) as error:  # also ssl.SSLError
        raise _refused(
            session, f"the plan's CA, client certificate or key cannot be used: {error}"
        ) from error


def _has_common_name(cluster: Cluster) -> bool:
    found = reading.readable(cluster.tls.client_certificate)
    return bool(found and found[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME))
