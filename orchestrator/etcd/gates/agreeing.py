"""What the members say of the cluster: its registry, its health, its alarms."""

from collections.abc import Iterable

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import etcdctl, settings
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.operations import Answers, Check

MAX_LAG = (
    1000  # raft entries a member may be behind: a busy cluster writes about that in the time of one look
)


@gate
def healthy(subject: Subject) -> Inquiry:
    """The member answers a read that needs a quorum, knows a leader and is not behind."""
    question = etcdctl.health(subject)
    statuses = {other.member.name: etcdctl.status(other) for other in subject.everyone}

    def judge(answers: Answers) -> Iterable[str]:
        answer = answers[question]
        if answer.exit_status != 0:
            yield f"no healthy answer: {etcdctl.last_line(answer)}"
            return
        mine = etcdctl.read_status(answers, statuses[subject.member.name])
        if mine.id != subject.found.id:
            yield f"member {mine.id} answers, not {subject.found.id}"
        if mine.leader == "0":
            yield "knows no leader"
        ahead = max(_index(answers, check) for check in statuses.values())
        if ahead - mine.applied > MAX_LAG:
            yield f"is {ahead - mine.applied} raft entries behind"

    return Inquiry((question, *statuses.values()), judge)


def _index(answers: Answers, question: Check) -> int:
    """Raft index of one member; one that does not answer cannot be ahead of anybody."""
    return etcdctl.read_status(answers, question).index if answers[question].exit_status == 0 else 0


def _registered(subject: Subject, peer_urls: tuple[str, ...], client_urls: tuple[str, ...] | None) -> Inquiry:
    views = {viewer.member.name: etcdctl.members(viewer) for viewer in subject.everyone}

    def judge(answers: Answers) -> Iterable[str]:
        for viewer, question in views.items():
            found = etcdctl.read_members(answers, question).get(subject.found.id)
            if found is None:
                yield f"{viewer} knows no member {subject.found.id}"
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
    """Every member sees this one's peer URLs as they were before the first change."""
    return _registered(subject, settings.peers_http(subject), None)


@gate
def registered_with_both_schemes(subject: Subject) -> Inquiry:
    """Every member sees this one's peer URLs in both schemes: a dialler finds the one that answers."""
    return _registered(subject, settings.peers_both(subject), None)


@gate
def registered_with_https_only(subject: Subject) -> Inquiry:
    """Every member sees this one's peer and client URLs in https only."""
    return _registered(subject, settings.peers_https(subject), settings.advertised_clients(subject))


@gate
def advertising_https(subject: Subject) -> Inquiry:
    """Clients that ask the registry are told https URLs."""
    return _registered(subject, settings.peers_both(subject), settings.advertised_clients(subject))


@gate
def quorate(subject: Subject) -> Inquiry:
    """Every other member answers a read that needs a quorum: this one may be away for a moment."""
    views = {other.member.name: etcdctl.health(other) for other in subject.others}

    def judge(answers: Answers) -> Iterable[str]:
        for name, question in views.items():
            if answers[question].exit_status != 0:
                yield f"{name} is not healthy: {etcdctl.last_line(answers[question])}"

    return Inquiry(tuple(views.values()), judge)


@gate
def free_of_alarms(subject: Subject) -> Inquiry:
    """No member has raised an alarm (a full disk, a corrupt store)."""
    question = etcdctl.alarms((subject.others or (subject,))[0])

    def judge(answers: Answers) -> Iterable[str]:
        answer = answers[question]
        if answer.exit_status != 0:
            yield f"cannot ask for alarms: {etcdctl.last_line(answer)}"
        elif answer.stdout.strip():
            yield f"raised: {answer.stdout.strip().replace(chr(10), ', ')}"

    return Inquiry((question,), judge)
