"""What the members say of the cluster: its registry, its health, its alarms."""

from collections.abc import Iterable

from orchestrator.etcd import peering, process, settings
from orchestrator.etcd.api import of as api_of
from orchestrator.etcd.asking import always_holds, gate
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Subject

MAX_LAG = (
    1000  # raft entries a member may be behind: a busy cluster writes about that in the time of one look
)


@gate
def healthy(subject: Subject) -> Check:
    """The member answers a read that needs a quorum, knows a leader and is not behind."""
    api = api_of(subject)
    health = api.health(subject)
    statuses = {other.name: api.status(other) for other in subject.everyone}

    def index(name: str, answers: Answers) -> int:
        """Raft index of one member; one that does not answer cannot be ahead of anybody."""
        status = statuses[name]
        return status.read(answers).index if answers[status.question].exit_status == 0 else 0

    def judge(answers: Answers) -> Iterable[Remark]:
        complaint = health.read(answers).complaint(subject.member.id)
        if complaint:
            yield wrong(f"no healthy answer: {complaint}")
            return
        mine = statuses[subject.name].read(answers)
        if mine.id != subject.member.id:
            yield wrong(f"member {mine.id} answers, not {subject.member.id}")
        if mine.leader == "0":
            yield wrong("knows no leader")
        ahead = max(index(name, answers) for name in statuses)
        if ahead - mine.applied > MAX_LAG:
            yield wrong(f"is {ahead - mine.applied} raft entries behind")

    return Check(subject.name, (health, *statuses.values()), judge)


def _registered(
    subject: Subject,
    peer_urls: tuple[str, ...],
    client_urls: tuple[str, ...] | None,
    viewers: tuple[Subject, ...] | None = None,
) -> Check:
    api = api_of(subject)
    views = {viewer.name: api.members(viewer) for viewer in viewers or subject.everyone}

    def judge(answers: Answers) -> Iterable[Remark]:
        for viewer, view in views.items():
            try:
                found = view.read(answers).get(subject.member.id)
            except ValueError as error:
                yield wrong(f"{viewer} cannot tell: {error}")
                continue
            if found is None:
                yield wrong(f"{viewer} knows no member {subject.member.id}")
                continue
            if set(found.peer_urls) != set(peer_urls):
                yield wrong(f"{viewer} sees peer URLs {_list(found.peer_urls)}, not {_list(peer_urls)}")
            if client_urls is not None and set(found.client_urls) != set(client_urls):
                yield wrong(f"{viewer} sees client URLs {_list(found.client_urls)}, not {_list(client_urls)}")

    return Check(subject.name, tuple(views.values()), judge)


def _list(urls: Iterable[str]) -> str:
    return ",".join(urls) or "none"


@gate
def registered_with_http(subject: Subject) -> Check:
    """Every member sees this one's peer URLs as they were, and with the scheme that it listens with: http.

    The registry says what others dial, the process what answers: only both together tell who finds whom.
    """
    registered = _registered(subject, settings.peers_http(subject), None)
    runs = process.running(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        yield from registered.predicate(answers)
        urls, running = settings.peers_http(subject), runs.read(answers)
        unspoken = peering.unspoken(urls, running.settings)
        if unspoken:
            listens = _list(settings.current(running.settings, settings.LISTEN_PEER))
            yield wrong(f"registered with {_list(unspoken)}, and listens with {listens}")

    return Check(subject.name, (*registered.facts, runs), judge)


@gate
def registered_with_both_schemes(subject: Subject) -> Check:
    """Every member sees this one's peer URLs in both schemes: a dialler finds the one that answers."""
    return _registered(subject, settings.peers_both(subject), None)


@gate
def registered_with_https_only(subject: Subject) -> Check:
    """Every member sees this one's peer and client URLs in https only."""
    return _registered(subject, settings.peers_https(subject), settings.advertised_clients(subject))


@gate
def registered_for_peers_with_https(subject: Subject) -> Check:
    """Every member sees this one's peer URLs in https only; what clients are told is another matter."""
    return _registered(subject, settings.peers_https(subject), None)


@gate
def registering_itself_with_https(subject: Subject) -> Check:
    """The member itself sees its URLs in https only; others may be cut off and not know it yet."""
    urls = settings.advertised_clients(subject)
    return _registered(subject, settings.peers_https(subject), urls, (subject,))


@gate
def advertising_https(subject: Subject) -> Check:
    """Clients that ask the registry are told https URLs."""
    return _registered(subject, settings.peers_both(subject), settings.advertised_clients(subject))


@gate
def quorate(subject: Subject) -> Check:
    """Every other member answers a read that needs a quorum: this one may be away for a moment."""
    api = api_of(subject)
    views = [(other, api.health(other)) for other in subject.others]

    def judge(answers: Answers) -> Iterable[Remark]:
        for other, health in views:
            complaint = health.read(answers).complaint(other.member.id)
            if complaint:
                yield wrong(f"{other.name} is not healthy: {complaint}")

    return Check(subject.name, tuple(health for _, health in views), judge)


@gate
def free_to_go(subject: Subject) -> Check:
    """Every other member is healthy, or this one is not: then its restart costs nothing, and may heal it.

    Without a quorum no 'member update' can work; a restart with other listeners is what brings members
    together again. Members that can reach only a follower stay outside until they are restarted themselves.
    """
    api = api_of(subject)
    views = [(each, api.health(each)) for each in subject.everyone]

    def judge(answers: Answers) -> Iterable[Remark]:
        complaints = {each.name: health.read(answers).complaint(each.member.id) for each, health in views}
        if complaints[subject.name] is None:
            for name, complaint in complaints.items():
                if complaint:
                    yield wrong(f"{name} is not healthy: {complaint}")

    return Check(subject.name, tuple(health for _, health in views), judge)


@gate
def free_of_alarms(subject: Subject) -> Check:
    """No member has raised an alarm (a full disk, a corrupt store)."""
    api = api_of(subject)
    asked = (subject.others or (subject,))[0]
    alarms = api.alarms(asked)
    if alarms is None:
        return always_holds(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            raised = alarms.read(answers)
        except ValueError as error:
            yield wrong(f"{asked.name} cannot tell: {error}")
            return
        if raised:
            yield wrong(f"raised: {raised}")

    return Check(subject.name, (alarms,), judge)
