"""Reading the facts: what the hosts show before the first change."""

import json

from orchestrator.cluster.facts import Facts, MemberFacts, Subject
from orchestrator.cluster.model import Cluster, Member
from orchestrator.errors import RefusedError
from orchestrator.etcd import etcdctl, files, process
from orchestrator.etcd.settings import Paths
from orchestrator.operations import Answer, Answers, Check, Question

# The service's user and group, and which directories are missing.
HOST = """
user=$(systemctl show --property=User --value "$1.service")
group=$(systemctl show --property=Group --value "$1.service")
echo "user=${user:-root}"
echo "group=${group:-$(id -gn "${user:-root}")}"
shift
for path; do [ -d "$path" ] || echo "missing=$path"; done
"""

# `files` asks as the service's user, which is not known before the first look: root can read everything.
_AS_ROOT = "root"


class Survey:
    """Questions to all members, and the facts that their answers make."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        blank = MemberFacts(
            id="", name="", version="", peer_urls=(), environment={}, user=_AS_ROOT, group=_AS_ROOT
        )
        facts = Facts(cluster_id="", members={member.name: blank for member in cluster.members})
        self._subjects = tuple(Subject(cluster, facts, member) for member in cluster.members)

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything that has to be asked."""
        return tuple(
            question
            for subject in self._subjects
            for question in (
                process.check(subject),
                etcdctl.members(subject),
                etcdctl.status(subject),
                _files(subject),
                _host(subject),
            )
        )

    def read(self, answers: Answers) -> Facts:
        """Make facts of the answers; raises RefusedError with every reason why the plan does not fit."""
        faults: list[str] = []
        found: dict[str, MemberFacts] = {}
        clusters: dict[str, str] = {}
        for subject in self._subjects:
            name = subject.member.name
            try:
                found[name] = _member_facts(subject, answers)
                clusters[name] = etcdctl.read_status(answers, etcdctl.status(subject)).cluster_id
            except ValueError as error:
                faults.append(f"{name}: {error}")
        faults.extend(_strangers(self._cluster, self._subjects, answers, found, clusters))
        if faults:
            raise RefusedError("\n".join(("the plan does not fit what the hosts show:", *faults)))
        return Facts(cluster_id=next(iter(clusters.values())), members=found)


def _files(subject: Subject) -> Check:
    paths = Paths.of(subject)
    return files.check(subject, (*paths.material, *paths.settings))


def _host(subject: Subject) -> Check:
    return Check(subject.member.name, HOST, (subject.member.service, *Paths.of(subject).directories))


def _member_facts(subject: Subject, answers: Answers) -> MemberFacts:
    running = process.read(subject, answers)
    if running.complaint:
        raise ValueError(running.complaint)
    standing = etcdctl.read_status(answers, etcdctl.status(subject))
    registered = etcdctl.read_members(answers, etcdctl.members(subject))[standing.id]
    host = [line.split("=", 1) for line in answers[_host(subject)].stdout.splitlines()]
    fields = dict(host)
    lying = files.read(answers, _files(subject))
    return MemberFacts(
        id=standing.id,
        name=registered.name,
        version=standing.version,
        peer_urls=registered.peer_urls,
        environment=running.environment,
        user=fields["user"],
        group=fields["group"],
        files={path: found.file for path, found in lying.items()},
        missing_directories=tuple(value for key, value in host if key == "missing"),
    )


def _strangers(
    cluster: Cluster,
    subjects: tuple[Subject, ...],
    answers: Answers,
    found: dict[str, MemberFacts],
    clusters: dict[str, str],
) -> list[str]:
    """Members that the registry has and the plan has not, or the other way round."""
    if len(found) < len(cluster.members):
        return []
    faults = []
    if len(set(clusters.values())) > 1:
        faults.append(f"the members belong to different clusters: {json.dumps(clusters)}")
    by_id = {facts.id: name for name, facts in found.items()}
    if len(by_id) < len(found):
        faults.append("two members of the plan are the same etcd member: check their addresses")
    registered = etcdctl.read_members(answers, etcdctl.members(subjects[0]))
    faults += [
        f"the registry has member {id_} ({member.name or 'never started'}), which the plan does not name"
        for id_, member in registered.items()
        if id_ not in by_id
    ]
    faults += [
        f"{by_id[id_]} is a learner: promote it first"
        for id_, member in registered.items()
        if member.is_learner and id_ in by_id
    ]
    return faults


def leader(subjects: tuple[Subject, ...], answers: Answers) -> str | None:
    """Name of the member that leads, as the members that answer say; None if they know none."""
    by_id = {subject.found.id: subject.member.name for subject in subjects}
    for subject in subjects:
        answer: Answer = answers[etcdctl.status(subject)]
        if answer.exit_status == 0:
            name = by_id.get(etcdctl.read_status(answers, etcdctl.status(subject)).leader)
            if name is not None:
                return name
    return None


def subjects_of(cluster: Cluster, facts: Facts) -> tuple[Subject, ...]:
    """Every member in the light of the facts, in the plan's order."""

    def subject(member: Member) -> Subject:
        return Subject(cluster, facts, member)

    return tuple(map(subject, cluster.members))
