"""What the members say of the cluster: its registry, its health, its alarms."""

from collections.abc import Iterable

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import peering, process, settings
from orchestrator.etcd.api import Api
from orchestrator.etcd.api import of as api_of
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.operations import Answer, Answers, Deviation

MAX_LAG = (
    1000  # raft entries a member may be behind: a busy cluster writes about that in the time of one look
)


@gate
def healthy(subject: Subject) -> Inquiry:
    """The member answers a read that needs a quorum, knows a leader and is not behind."""
    api = api_of(subject)
    question = api.health(subject)
    statuses = {other.name: api.status(other) for other in subject.everyone}

    def judge(answers: Answers) -> Iterable[str]:
        complaint = api.complaint(answers[question], subject.member.id)
        if complaint:
            yield f"no healthy answer: {complaint}"
            return
        mine = api.read_status(answers[statuses[subject.name]])
        if mine.id != subject.member.id:
            yield f"member {mine.id} answers, not {subject.member.id}"
        if mine.leader == "0":
            yield "knows no leader"
        ahead = max(_index(api, answers[check]) for check in statuses.values())
        if ahead - mine.applied > MAX_LAG:
            yield f"is {ahead - mine.applied} raft entries behind"

    return Inquiry((question, *statuses.values()), judge)


def _index(api: Api, answer: Answer) -> int:
    """Raft index of one member; one that does not answer cannot be ahead of anybody."""
    return api.read_status(answer).index if answer.exit_status == 0 else 0


def _registered(
    subject: Subject,
    peer_urls: tuple[str, ...],
    client_urls: tuple[str, ...] | None,
    viewers: tuple[Subject, ...] | None = None,
) -> Inquiry:
    api = api_of(subject)
    views = {viewer.name: api.members(viewer) for viewer in viewers or subject.everyone}

    def judge(answers: Answers) -> Iterable[str]:
        for viewer, question in views.items():
            try:
                found = api.read_members(answers[question]).get(subject.member.id)
            except ValueError as error:
                yield f"{viewer} cannot tell: {error}"
                continue
            if found is None:
                yield f"{viewer} knows no member {subject.member.id}"
                continue
            if set(found.peer_urls) != set(peer_urls):
                yield f"{viewer} sees peer URLs {_list(found.peer_urls)}, not {_list(peer_urls)}"
            if client_urls is not None and set(found.client_urls) != set(client_urls):
                yield f"{viewer} sees client URLs {_list(found.client_urls)}, not {_list(client_urls)}"

    return Inquiry(tuple(views.values()), judge)


def _list(urls: Iterable[str]) -> str:
    return ",".join(urls) or "none"


@gate
def registered_with_http(subject: Subject) -> Inquiry:
    """Every member sees this one's peer URLs as they were, and with the scheme that it listens with: http.

    The registry says what others dial, the process what answers: only both together tell who finds whom.
    """
    registered = _registered(subject, settings.peers_http(subject), None)
    listening = process.check(subject)

    def judge(answers: Answers) -> Iterable[str | Deviation]:
        yield from registered.judge(answers)
        urls, running = settings.peers_http(subject), process.read(subject, answers)
        unspoken = peering.unspoken(urls, running.environment)
        if unspoken:
            listens = _list(settings.current(running.environment, settings.LISTEN_PEER))
            yield f"registered with {_list(unspoken)}, and listens with {listens}"

    return Inquiry((*registered.questions, listening), judge)


@gate
def registered_with_both_schemes(subject: Subject) -> Inquiry:
    """Every member sees this one's peer URLs in both schemes: a dialler finds the one that answers."""
    return _registered(subject, settings.peers_both(subject), None)


@gate
def registered_with_https_only(subject: Subject) -> Inquiry:
    """Every member sees this one's peer and client URLs in https only."""
    return _registered(subject, settings.peers_https(subject), settings.advertised_clients(subject))


@gate
def registered_for_peers_with_https(subject: Subject) -> Inquiry:
    """Every member sees this one's peer URLs in https only; what clients are told is another matter."""
    return _registered(subject, settings.peers_https(subject), None)


@gate
def registering_itself_with_https(subject: Subject) -> Inquiry:
    """The member itself sees its URLs in https only; others may be cut off and not know it yet."""
    urls = settings.advertised_clients(subject)
    return _registered(subject, settings.peers_https(subject), urls, (subject,))


@gate
def advertising_https(subject: Subject) -> Inquiry:
    """Clients that ask the registry are told https URLs."""
    return _registered(subject, settings.peers_both(subject), settings.advertised_clients(subject))


@gate
def quorate(subject: Subject) -> Inquiry:
    """Every other member answers a read that needs a quorum: this one may be away for a moment."""
    api = api_of(subject)
    views = [(other, api.health(other)) for other in subject.others]

    def judge(answers: Answers) -> Iterable[str]:
        for other, question in views:
            complaint = api.complaint(answers[question], other.member.id)
            if complaint:
                yield f"{other.name} is not healthy: {complaint}"

    return Inquiry(tuple(question for _, question in views), judge)


@gate
def free_to_go(subject: Subject) -> Inquiry:
    """Every other member is healthy, or this one is not: then its restart costs nothing, and may heal it.

    Without a quorum no 'member update' can work; a restart with other listeners is what brings members
    together again. Members that can reach only a follower stay outside until they are restarted themselves.
    """
    api = api_of(subject)
    views = [(each, api.health(each)) for each in subject.everyone]

    def judge(answers: Answers) -> Iterable[str]:
        complaints = {each.name: api.complaint(answers[question], each.member.id) for each, question in views}
        if complaints[subject.name] is None:
            for name, complaint in complaints.items():
                if complaint:
                    yield f"{name} is not healthy: {complaint}"

    return Inquiry(tuple(question for _, question in views), judge)


@gate
def free_of_alarms(subject: Subject) -> Inquiry:
    """No member has raised an alarm (a full disk, a corrupt store)."""
    api = api_of(subject)
    asked = (subject.others or (subject,))[0]
    question = api.alarms(asked)
    if question is None:
        return Inquiry((), lambda _: ())

    def judge(answers: Answers) -> Iterable[str]:
        try:
            raised = api.read_alarms(answers[question])
        except ValueError as error:
            yield f"{asked.name} cannot tell: {error}"
            return
        if raised:
            yield f"raised: {raised}"

    return Inquiry((question,), judge)
