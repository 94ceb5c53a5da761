"""Reading the facts: what the hosts show before the first change."""

import json
from collections.abc import Callable, Iterable, Mapping

from pydantic import ValidationError

from orchestrator.errors import RefusedError
from orchestrator.etcd import api, client_units, files, install
from orchestrator.etcd.api.words import Hindrance, hindrance
from orchestrator.etcd.checks import membership
from orchestrator.etcd.checks.site import assumed
from orchestrator.etcd.checks.versions import interface
from orchestrator.etcd.facts import ca_store, host, members, own_files, process
from orchestrator.etcd.facts.host import Surroundings
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.files import Lying
from orchestrator.etcd.install import detecting, in_place, reading
from orchestrator.etcd.install.unit import Unit
from orchestrator.etcd.settings import Paths
from orchestrator.host.questions import Answers, Fact, Question
from orchestrator.plan import foreign
from orchestrator.plan.facts import Facts, HostFacts, MemberFacts, Target
from orchestrator.plan.model import Cluster
from orchestrator.text import shown

Look = Callable[[Iterable[Question]], Answers]


def gather(cluster: Cluster, look: Look, *, overlaps: bool = False) -> Facts:
    """Look at all members and make facts of what they show; ``overlaps`` is decided already.

    Raises RefusedError with every reason why the plan does not fit what is there.
    """
    expected = targets_of(cluster, assumed(cluster, "v3"))
    versions = {target.name: members.version(target) for target in expected}
    chosen, faults = interface(cluster, look(fact.question for fact in versions.values()), versions)
    _refuse(faults)
    targets = targets_of(cluster, assumed(cluster, chosen))
    answers = look(question for target in targets for question in _questions(target))
    found: dict[str, MemberFacts] = {}
    clusters: dict[str, str] = {}
    for target in targets:
        name = target.name
        try:
            found[name], clusters[name] = _member(target, answers)
        except ValueError as error:
            faults.append(f"{name}: {_reason(error)}")
    proxies, relayed = _proxies(targets[0].proxies, look)
    faults += relayed
    if not faults:
        faults += _strangers(targets[0], answers, found, clusters)
    _refuse(faults)
    facts = Facts(
        cluster_id=next(iter(clusters.values())),
        api=chosen,
        members=found,
        proxies=proxies,
        overlaps=overlaps,
    )
    facts = _with_client_files(cluster, facts, look) if cluster.clients.units else facts
    return _with_own_files(cluster, facts, look) if cluster.persist == "in_place" else facts


def overlapping(cluster: Cluster, facts: Facts, look: Look) -> Facts:
    """Return the same facts with clients served in both schemes; only edits of own files depend on that."""
    found = facts.model_copy(update={"overlaps": True})
    return _with_own_files(cluster, found, look) if cluster.persist == "in_place" else found


def _with_client_files(cluster: Cluster, facts: Facts, look: Look) -> Facts:
    """Add the files of the clients that the plan moves, on members' hosts and on others."""
    first = targets_of(cluster, facts)[0]
    moved = [(target, client_units.paths(target)) for target in (*first.everyone, *first.clients)]
    asked = [
        (target, own_files.of(target, paths), files.texts(target, paths)) for target, paths in moved if paths
    ]
    answers = look(question for _, lying, texts in asked for question in (lying.question, texts.question))
    members, clients, faults = dict(facts.members), dict(facts.clients), []
    for target, lying, texts in asked:
        name = target.name
        try:
            found, reasons = client_units.planned(target, lying.read(answers), texts.read(answers))
        except ValueError as error:
            faults.append(f"{name}: cannot tell how its clients' files lie there: {_reason(error)}")
            continue
        if target.runs_etcd:
            members[name] = members[name].model_copy(update={"client_files": found})
        else:
            clients[name] = found
        faults += [f"{name}: {reason}" for reason in reasons]
    _refuse(faults)
    return facts.model_copy(update={"members": members, "clients": clients})


def _with_own_files(cluster: Cluster, facts: Facts, look: Look) -> Facts:
    """Add the operator's own files with their edits; what those say depends on the facts of all members."""
    found = reading.read(targets_of(cluster, facts), look)
    asked = {
        target.name: own_files.of(target, (place.path for place in in_place.needed(target, unit, texts)))
        for target, unit, texts in found
    }
    answers = look(fact.question for fact in asked.values())
    members, faults = dict(facts.members), []
    for target, unit, texts in found:
        name = target.name
        try:
            lying = asked[name].read(answers)
        except ValueError as error:
            faults.append(f"{name}: cannot tell how its own files lie there: {_reason(error)}")
            continue
        planned, reasons = in_place.planned(target, unit, texts, lying)
        members[name] = members[name].model_copy(update={"own_files": planned})
        faults += [f"{name}: {reason}" for reason in reasons]
    _refuse(faults)
    return facts.model_copy(update={"members": members})


def targets_of(cluster: Cluster, facts: Facts) -> tuple[Target, ...]:
    """Every member in the light of the facts, in the plan's order."""
    return Target(cluster, facts, cluster.members[0]).everyone


def _refuse(faults: list[str]) -> None:
    if faults:
        raise RefusedError("\n".join(("the plan does not fit what the hosts show:", *faults)))


def _questions(target: Target) -> Iterable[Question]:
    driven = api.of(target)
    facts = (*_host_facts(target), driven.members(target), driven.status(target))
    return (fact.question for fact in facts)


def _host_facts(
    target: Target,
) -> tuple[Fact[Process], Fact[Mapping[str, Lying]], Fact[Mapping[str, str]], Fact[Unit], Fact[Surroundings]]:
    paths, installed = Paths.of(target), install.of(target)
    ours = (*paths.material, *installed.paths, *ca_store.candidates(target.cluster))
    lying = files.lying(target, ours)
    texts = files.texts(target, (path for path in ours if path != paths.key))
    around = host.surroundings(target, (paths.directory, *installed.directories))
    return process.running(target), lying, texts, installed.next_start, around


def _member(target: Target, answers: Answers) -> tuple[MemberFacts, str]:
    """Make the facts of one member, and tell which cluster it belongs to."""
    common = _host(target, answers)
    status, view = api.of(target).status(target), api.of(target).members(target)
    found = next(filter(None, (hindrance(answers[one.question]) for one in (status, view))), None)
    if found:
        raise ValueError(str(found))
    try:
        own = status.read(answers)
        registered = view.read(answers).get(own.id)
    except ValueError as error:
        raise ValueError(str(Hindrance(f"it does not answer ({error})", "quorum"))) from error
    if registered is None:
        raise ValueError(f"its own registry has no member {own.id}, which it says that it is")
    if reason := detecting.ignored(common.source, own.version):
        raise ValueError(reason)
    facts = MemberFacts(
        **{**common.model_dump(), "version": own.version},
        id=own.id,
        name=registered.name,
        peer_urls=registered.peer_urls,
    )
    return facts, own.cluster_id


def _host(target: Target, answers: Answers) -> HostFacts:
    """Make the facts that members and proxies have in common."""
    runs, lying, texts, described, surrounding = _host_facts(target)
    running = runs.read(answers)
    if running.trouble:
        raise ValueError(str(Hindrance(running.trouble, "unit")))
    around = surrounding.read(answers)
    if around.program != "etcd":
        raise ValueError(
            f"the main process of {running.unit} is {shown(around.program, quote='')}, which is not etcd: "
            "let ExecStart= start etcd itself, with its settings in Environment= lines"
        )
    try:
        source = detecting.source(target, running, described.read(answers))
    except detecting.UnservedError as error:
        raise ValueError(str(Hindrance(str(error), "origin"))) from error
    return HostFacts.model_validate(
        {
            "version": "",
            "environment": running.remembered,
            "user": around.user,
            "group": around.group,
            "executable": running.executable or "etcd",
            "files": files.remembered(lying.read(answers), texts.read(answers)),
            "missing_directories": around.missing,
            "trust": around.trust,
            "source": source,
        }
    )


def _reason(error: ValueError) -> str:
    return foreign.fault(error) if isinstance(error, ValidationError) else str(error)


def _proxies(targets: tuple[Target, ...], look: Look) -> tuple[dict[str, HostFacts], list[str]]:
    """Make the facts of the proxies, and tell what does not fit."""
    answers = look(fact.question for target in targets for fact in _host_facts(target))
    found, faults = {}, []
    for target in targets:
        try:
            found[target.name] = _host(target, answers)
        except ValueError as error:
            faults.append(f"{target.name}: {_reason(error)}")
            continue
        if found[target.name].environment.get("ETCD_PROXY", "off") == "off":
            faults.append(
                f"{target.name}: runs no v2 proxy (ETCD_PROXY is not on): take it out of proxies: "
                "in the plan; if it is a member, write it into members:"
            )
    return found, faults


def _strangers(
    first: Target, answers: Answers, found: Mapping[str, MemberFacts], clusters: Mapping[str, str]
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
    for member in api.of(first).members(first).read(answers).values():
        name = by_id.get(member.id)
        if name is None:
            yield str(Hindrance(membership.unplanned(member), "registry"))
        elif member.is_learner:
            yield str(Hindrance(membership.learning(name), "registry"))
