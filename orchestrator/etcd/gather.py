"""Reading the facts: what the hosts show before the first change."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from orchestrator.errors import RefusedError
from orchestrator.etcd import api, files, install, process, trust
from orchestrator.etcd.api.words import OWN_LISTENER, Hindrance, hindrance, without_http
from orchestrator.etcd.files import Lying
from orchestrator.etcd.install import detecting
from orchestrator.etcd.install.unit import Unit
from orchestrator.etcd.process import Process
from orchestrator.etcd.settings import Paths
from orchestrator.host.questions import Answer, Answers, Fact, Question, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Facts, HostFacts, MemberFacts, Subject
from orchestrator.plan.model import Cluster, Host, Member
from orchestrator.text import shown

Look = Callable[[Iterable[Question]], Answers]

# The service's user and group, whether its main process is etcd (by its name, or else by what every etcd can
# print), the family of the trust store, and which directories are missing.
HOST = """
user=$(systemctl show --property=User --value "$1.service") || exit
group=$(systemctl show --property=Group --value "$1.service") || exit
echo "user=${user:-root}"
echo "group=${group:-$(id -gn "${user:-root}")}"
pid=$(systemctl show --property=MainPID --value "$1.service") || exit
program=$(readlink "/proc/${pid:-0}/exe") || program=nothing
program=${program% (deleted)}
case ${program##*/} in
  etcd | etcd[23]) program=etcd ;;
  *) LC_ALL=C grep -q -a 'etcd Version: ' "/proc/${pid:-0}/exe" 2> /dev/null && program=etcd ;;
esac
printf 'program=%s\\n' "$program"
if command -v update-ca-trust > /dev/null; then
  echo trust=redhat
elif command -v update-ca-certificates > /dev/null; then
  [ -d /usr/local/share/ca-certificates ] && echo trust=debian || echo trust=coreos
fi
shift
for path; do [ -d "$path" ] || echo "missing=$path"; done
exit 0
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
    versions = {subject.name: version(subject.host) for subject in subjects}
    interface = _choose(cluster, look(fact.question for fact in versions.values()), versions)
    subjects = subjects_of(cluster, _blank(cluster, interface))
    answers = look(fact.question for subject in subjects for fact in _facts(subject))
    faults: list[str] = []
    found: dict[str, MemberFacts] = {}
    clusters: dict[str, str] = {}
    for subject in subjects:
        name = subject.name
        try:
            found[name], clusters[name] = _member(subject, answers)
        except ValueError as error:
            faults.append(f"{name}: {_reason(error)}")
    proxies, relayed = _proxies(cluster, look, interface)
    faults += relayed
    if not faults:
        faults += _strangers(subjects, answers, found, clusters)
    _refuse(faults)
    return Facts(cluster_id=next(iter(clusters.values())), api=interface, members=found, proxies=proxies)


def subjects_of(cluster: Cluster, facts: Facts) -> tuple[Subject, ...]:
    """Every member in the light of the facts, in the plan's order."""

    def subject(member: Member) -> Subject:
        return Subject(cluster, facts, member)

    return tuple(map(subject, cluster.members))


def _blank(cluster: Cluster, interface: Literal["v2", "v3"]) -> Facts:
    """Facts of which nothing is known yet but through which interface to ask."""
    blank = MemberFacts(
        id="", name="", version="", peer_urls=(), environment={}, user=_AS_ROOT, group=_AS_ROOT
    )
    return Facts(
        cluster_id="",
        api=interface,
        members={member.name: blank for member in cluster.members},
        proxies={proxy.name: blank for proxy in cluster.proxies},
    )


@dataclass(frozen=True, slots=True)
class Version:
    """Which version a member is, which one its cluster works as, and whether it serves the v2 interface."""

    server: str
    cluster: str
    serves_v2: bool


def version(host: Host) -> Fact[Version]:
    """Which version a member is."""

    def read(answer: Answer) -> Version:
        told, _, code = answer.text.strip().rpartition("\n")
        body = foreign.of_json(foreign.VersionBody, told, "its version")
        return Version(body.etcdserver, body.etcdcluster, code == "200")

    return Fact(Script(host.name, VERSION, (host.service,), timeout_s=10.0), read)


def _choose(cluster: Cluster, answers: Answers, versions: dict[str, Fact[Version]]) -> Literal["v2", "v3"]:
    """Choose the interface: what the plan says, or v3 wherever every member has it."""
    faults, majors, without_v2 = [], set(), []
    for name, fact in versions.items():
        try:
            told = fact.read(answers)
        except ValueError as error:
            faults.append(f"{name}: {_unheard(cluster, name, answers[fact.question], error)}")
            continue
        majors.add(told.server.split(".")[0])
        if not told.serves_v2:
            without_v2.append(name)
    chosen = cluster.api if cluster.api != "auto" else ("v2" if "2" in majors else "v3")
    if chosen == "v2" and without_v2 and not faults:
        faults.append(
            f"the v2 interface is not served by {', '.join(without_v2)}: write api: auto into the plan, or, "
            "one member at a time, set ETCD_ENABLE_V2=true there and restart it"
        )
    if chosen == "v3" and "2" in majors:
        faults.append(
            "api: v3 is not possible: a member runs etcd 2, which has the v2 interface only; write api: auto "
            "into the plan"
        )
    _refuse(faults)
    return "v2" if chosen == "v2" else "v3"


def _unheard(cluster: Cluster, name: str, answer: Answer, error: ValueError) -> str:
    """Say why a member does not tell its version, and what to do about it."""
    urls = without_http(answer)
    if urls:
        return _secured(cluster, name, urls)
    found = hindrance(answer) or Hindrance(f"it does not tell its version ({error})", "versions")
    return str(found)


def _secured(cluster: Cluster, name: str, urls: str) -> str:
    """Say how a member that no longer listens with http comes to be looked at."""
    unit, local = f"{cluster.member(name).service}.service", f"http://127.0.0.1:{cluster.ports.local}"
    return (
        f"none of its client listeners speaks http ({shown(urls, quote='', limit=300)}), so it cannot be "
        "asked; a cluster that is half secured already is not supported yet. To see what else has to go back "
        f"to http: on {name}, where ETCD_LISTEN_CLIENT_URLS is set (systemctl cat {unit} shows where), let "
        f"it be {shown(f'{urls},{local}', quote='', limit=400)} and then, as root: systemctl daemon-reload "
        f"&& systemctl restart {unit} (then check again)"
    )


def _refuse(faults: list[str]) -> None:
    if faults:
        raise RefusedError("\n".join(("the plan does not fit what the hosts show:", *faults)))


def _facts(subject: Subject) -> tuple[Fact[Any], ...]:
    interface = api.of(subject)
    return (*_host_facts(subject), interface.members(subject), interface.status(subject))


def _host_facts(
    subject: Subject,
) -> tuple[
    Fact[Process],
    Fact[Mapping[str, Lying]],
    Fact[Mapping[str, str]],
    Fact[Unit],
    Fact[list[tuple[str, str]]],
]:
    paths, installed = Paths.of(subject), install.of(subject)
    ours = (*paths.material, *installed.paths, *trust.candidates(subject.cluster))
    lying = files.lying(subject, ours)
    texts = files.texts(subject, (path for path in ours if path != paths.key))
    host = Fact(
        Script(subject.name, HOST, (subject.host.service, paths.directory, *installed.directories)),
        lambda answer: answer.pairs,
    )
    return process.running(subject), lying, texts, installed.next_start, host


def _member(subject: Subject, answers: Answers) -> tuple[MemberFacts, str]:
    """Make the facts of one member, and tell which cluster it belongs to."""
    host = _host(subject, answers)
    interface = api.of(subject)
    status, members = interface.status(subject), interface.members(subject)
    found = next(filter(None, (hindrance(answers[one.question]) for one in (status, members))), None)
    if found:
        raise ValueError(str(found))
    try:
        standing = status.read(answers)
        registered = members.read(answers).get(standing.id)
    except ValueError as error:
        raise ValueError(str(Hindrance(f"it does not answer ({error})", "quorum"))) from error
    if registered is None:
        raise ValueError(f"its own registry has no member {standing.id}, which it says that it is")
    facts = MemberFacts(
        **{**host.model_dump(), "version": standing.version},
        id=standing.id,
        name=registered.name,
        peer_urls=registered.peer_urls,
    )
    return facts, standing.cluster_id


def _host(subject: Subject, answers: Answers) -> HostFacts:
    """Make the facts that members and proxies have in common."""
    runs, lying, texts, described, host = _host_facts(subject)
    running = runs.read(answers)
    if running.trouble:
        raise ValueError(str(Hindrance(running.trouble, "unit")))
    told = host.read(answers)
    fields = dict(told)
    program = fields.get("program", "unknown")
    if program != "etcd":
        raise ValueError(
            f"the main process of {running.unit} is {shown(program, quote='')}, which is not etcd: "
            "let ExecStart= start etcd itself, with its settings in Environment= lines"
        )
    try:
        source = detecting.source(subject, running, described.read(answers))
    except detecting.UnservedError as error:
        raise ValueError(str(Hindrance(str(error), "origin"))) from error
    return HostFacts.model_validate(
        {
            "version": "",
            "environment": running.remembered,
            "user": fields.get("user"),
            "group": fields.get("group"),
            "executable": running.executable or "etcd",
            "files": files.remembered(lying.read(answers), texts.read(answers)),
            "missing_directories": tuple(value for key, value in told if key == "missing"),
            "trust": fields.get("trust"),
            "source": source,
        }
    )


def _reason(error: ValueError) -> str:
    return foreign.fault(error) if isinstance(error, ValidationError) else str(error)


def _proxies(
    cluster: Cluster, look: Look, interface: Literal["v2", "v3"]
) -> tuple[dict[str, HostFacts], list[str]]:
    """Make the facts of the proxies, and tell what does not fit."""
    blank = _blank(cluster, interface)
    subjects = tuple(Subject(cluster, blank, proxy) for proxy in cluster.proxies)
    answers = look(fact.question for subject in subjects for fact in _host_facts(subject))
    found, faults = {}, []
    for subject in subjects:
        try:
            found[subject.name] = _host(subject, answers)
        except ValueError as error:
            faults.append(f"{subject.name}: {_reason(error)}")
            continue
        if found[subject.name].environment.get("ETCD_PROXY", "off") == "off":
            faults.append(
                f"{subject.name}: runs no v2 proxy (ETCD_PROXY is not on): take it out of proxies: "
                "in the plan; if it is a member, write it into members:"
            )
    return found, faults


def _strangers(
    subjects: tuple[Subject, ...],
    answers: Answers,
    found: dict[str, MemberFacts],
    clusters: dict[str, str],
) -> Iterable[str]:
    """Members that the registry has and the plan has not, or the other way round."""
    if len(set(clusters.values())) > 1:
        yield (
            f"the members belong to different clusters: {json.dumps(clusters)}; take those of another "
            "cluster out of the plan (members): each cluster has a plan of its own"
        )
    by_id = {facts.id: name for name, facts in found.items()}
    if len(by_id) < len(found):
        yield "two members of the plan are the same etcd member: check their addresses"
    registered = api.of(subjects[0]).members(subjects[0]).read(answers)
    for id_, member in registered.items():
        if id_ not in by_id:
            name = member.name or "never started"
            yield str(Hindrance(f"the registry has member {id_} ({name}), the plan has not", "registry"))
        elif member.is_learner:
            yield str(Hindrance(f"{by_id[id_]} is a learner", "registry"))
