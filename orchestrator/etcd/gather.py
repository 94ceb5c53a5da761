"""Reading the facts: what the hosts show before the first change."""

import json
from collections.abc import Callable, Iterable
from typing import Literal

from orchestrator.cluster.facts import Facts, MemberFacts, Subject
from orchestrator.cluster.model import Cluster, Member
from orchestrator.errors import RefusedError
from orchestrator.etcd import api, files, process
from orchestrator.etcd.api.words import OWN_LISTENER
from orchestrator.etcd.settings import Paths
from orchestrator.operations import Answers, Check, Question

Look = Callable[[Iterable[Question]], Answers]

# The service's user and group, and which directories are missing.
HOST = """
user=$(systemctl show --property=User --value "$1.service")
group=$(systemctl show --property=Group --value "$1.service")
echo "user=${user:-root}"
echo "group=${group:-$(id -gn "${user:-root}")}"
shift
for path; do [ -d "$path" ] || echo "missing=$path"; done
"""

# Which version answers, and whether it serves the v2 interface.
VERSION = f"""{OWN_LISTENER}
ask() {{ curl --silent --show-error --noproxy '*' --max-time 4 "$@"; }}
ask "$url/version" || exit 1
ask --output /dev/null --write-out '\\n%{{http_code}}\\n' "$url/v2/members"
"""

_AS_ROOT = "root"  # the service's user is not known before the first look, and root can read everything


def gather(cluster: Cluster, look: Look) -> Facts:
    """Look at all members and make facts of what they show.

    Raises RefusedError with every reason why the plan does not fit what is there.
    """
    subjects = subjects_of(cluster, _blank(cluster, "v3"))
    versions = {subject.name: _version(subject) for subject in subjects}
    interface = _choose(cluster, look(versions.values()), versions)
    subjects = subjects_of(cluster, _blank(cluster, interface))
    answers = look(question for subject in subjects for question in _questions(subject))
    faults: list[str] = []
    found: dict[str, MemberFacts] = {}
    clusters: dict[str, str] = {}
    for subject in subjects:
        name = subject.name
        try:
            found[name], clusters[name] = _member(subject, answers)
        except (ValueError, KeyError) as error:
            faults.append(f"{name}: {error}")
    if not faults:
        faults += _strangers(subjects, answers, found, clusters)
    _refuse(faults)
    return Facts(cluster_id=next(iter(clusters.values())), api=interface, members=found)


def subjects_of(cluster: Cluster, facts: Facts) -> tuple[Subject, ...]:
    """Every member in the light of the facts, in the plan's order."""

    def subject(member: Member) -> Subject:
        return Subject(cluster, facts, member)

    return tuple(map(subject, cluster.members))


def leader(subjects: tuple[Subject, ...], answers: Answers) -> str | None:
    """Name of the member that leads, as the members that answer say; None if they know none."""
    by_id = {subject.member.id: subject.name for subject in subjects}
    for subject in subjects:
        interface = api.of(subject)
        answer = answers[interface.status(subject)]
        if answer.exit_status == 0:
            name = by_id.get(interface.read_status(answer).leader)
            if name is not None:
                return name
    return None


def _blank(cluster: Cluster, interface: Literal["v2", "v3"]) -> Facts:
    """Facts of which nothing is known yet but through which interface to ask."""
    blank = MemberFacts(
        id="", name="", version="", peer_urls=(), environment={}, user=_AS_ROOT, group=_AS_ROOT
    )
    members = {member.name: blank for member in cluster.members}
    return Facts(cluster_id="", api=interface, members=members)


def _version(subject: Subject) -> Check:
    return Check(subject.name, VERSION, (subject.host.service,), timeout_s=10.0)


def _choose(cluster: Cluster, answers: Answers, versions: dict[str, Check]) -> Literal["v2", "v3"]:
    """Choose the interface: what the plan says, or v3 wherever every member has it."""
    faults, majors, without_v2 = [], set(), []
    for name, question in versions.items():
        answer = answers[question]
        told, _, code = answer.stdout.strip().rpartition("\n")
        try:
            majors.add(json.loads(told)["etcdserver"].split(".")[0])
        except (ValueError, KeyError):
            faults.append(f"{name}: {api.last_line(answer)}")
        if code != "200":
            without_v2.append(name)
    chosen = cluster.api if cluster.api != "auto" else ("v2" if "2" in majors else "v3")
    if chosen == "v2" and without_v2 and not faults:
        faults.append(
            f"the v2 interface is not served by {', '.join(without_v2)}: set ETCD_ENABLE_V2=true there"
        )
    if chosen == "v3" and "2" in majors:
        faults.append("api: v3 is not possible: a member runs etcd 2, which has the v2 interface only")
    _refuse(faults)
    return "v2" if chosen == "v2" else "v3"


def _refuse(faults: list[str]) -> None:
    if faults:
        raise RefusedError("\n".join(("the plan does not fit what the hosts show:", *faults)))


def _questions(subject: Subject) -> tuple[Question, ...]:
    interface = api.of(subject)
    return (
        process.check(subject),
        interface.members(subject),
        interface.status(subject),
        _files(subject),
        _host(subject),
    )


def _files(subject: Subject) -> Check:
    paths = Paths.of(subject)
    return files.check(subject, (*paths.material, *paths.settings))


def _host(subject: Subject) -> Check:
    return Check(subject.name, HOST, (subject.host.service, *Paths.of(subject).directories))


def _member(subject: Subject, answers: Answers) -> tuple[MemberFacts, str]:
    """Make the facts of one member, and tell which cluster it belongs to."""
    running = process.read(subject, answers)
    if running.complaint:
        raise ValueError(running.complaint)
    interface = api.of(subject)
    standing = interface.read_status(answers[interface.status(subject)])
    registered = interface.read_members(answers[interface.members(subject)])[standing.id]
    host = [line.split("=", 1) for line in answers[_host(subject)].stdout.splitlines()]
    fields = dict(host)
    lying = files.read(answers, _files(subject))
    facts = MemberFacts(
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
    return facts, standing.cluster_id


def _strangers(
    subjects: tuple[Subject, ...],
    answers: Answers,
    found: dict[str, MemberFacts],
    clusters: dict[str, str],
) -> Iterable[str]:
    """Members that the registry has and the plan has not, or the other way round."""
    if len(set(clusters.values())) > 1:
        yield f"the members belong to different clusters: {json.dumps(clusters)}"
    by_id = {facts.id: name for name, facts in found.items()}
    if len(by_id) < len(found):
        yield "two members of the plan are the same etcd member: check their addresses"
    interface = api.of(subjects[0])
    registered = interface.read_members(answers[interface.members(subjects[0])])
    for id_, member in registered.items():
        if id_ not in by_id:
            name = member.name or "never started"
            yield f"the registry has member {id_} ({name}), which the plan does not name"
        elif member.is_learner:
            yield f"{by_id[id_]} is a learner: promote it first"
