"""What the members run, through which interface they are driven then, and how much they hold."""

from collections.abc import Iterable, Mapping
from typing import Literal

from orchestrator.etcd import api
from orchestrator.etcd.api.words import Hindrance, hindrance
from orchestrator.etcd.checks import fixes
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import hashes, members
from orchestrator.etcd.facts.members import Version
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answer, Answers, Fact, UnansweredError
from orchestrator.plan.model import Cluster

LEAVE_OUT = "leave compare_data out of the plan, and the members' data is not compared"


def interface(
    cluster: Cluster, answers: Answers, versions: Mapping[str, Fact[Version]]
) -> tuple[Literal["v2", "v3"], list[str]]:
    """Choose the plan's interface, or v3 wherever every member has it, and say what forbids it."""
    faults, majors, without_v2 = [], set(), []
    for name, fact in versions.items():
        try:
            reported = fact.read(answers)
        except ValueError as error:
            faults.append(f"{name}: {_unheard(answers[fact.question], error)}")
            continue
        majors.add(reported.server.split(".")[0])
        if not reported.serves_v2:
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
    return "v2" if chosen == "v2" else "v3", faults


def _unheard(answer: Answer, error: ValueError) -> str:
    """Say why a member does not report its version."""
    return str(hindrance(answer) or Hindrance(f"it does not report its version ({error})", "versions"))


def versions(site: Site) -> Iterable[Check]:
    """Ask each member for its version, and one of them whether a downgrade is in progress."""
    asked = [(member, members.version(member)) for member in site.members]
    downgrades = [members.downgrade(one) for one in site.members[:1]]

    def judge(answers: Answers) -> Iterable[Remark]:
        reported = {}
        for member, version in asked:
            try:
                reported[member.name] = version.read(answers)
            except UnansweredError as error:
                yield wrong(
                    f"{member.name} does not report its version: {error}",
                    f"on {member.name}: systemctl status {member.etcd.service}.service; "
                    "it must run and answer first",
                )
        if not reported:
            return
        servers = {name: version.server for name, version in reported.items()}
        together = sorted({version.cluster for version in reported.values()})
        if len(set(servers.values())) > 1:
            listed = ", ".join(f"{name} {one}" for name, one in servers.items())
            yield wrong(f"the members run different versions: {listed}", fixes.one_version(site, servers))
        elif _minor(together[-1]) != _minor(next(iter(servers.values()))):
            yield wrong(
                f"all run {next(iter(servers.values()))}, but the cluster works as {', '.join(together)}",
                "finish the upgrade or the downgrade first",
            )
        else:
            yield fine(f"{next(iter(servers.values()))} on {', '.join(servers)}")
        if any(downgrade.read(answers) for downgrade in downgrades):
            yield wrong("a downgrade is in progress", fixes.end_of_downgrade(site))

    if asked:
        yield Check(CLUSTER, (*(version for _, version in asked), *downgrades), judge)


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]


def counts(site: Site) -> Iterable[Check]:
    """Ask one member how many keys and leases there are, and each how much it holds."""
    if not site.members:
        return
    if site.facts.api == "v2":
        reported = fine("not counted: v2 has no count without reading every key")
        yield Check(CLUSTER, (), lambda _: (reported,))
        return
    first = site.members[0]
    counted = members.counts(first)
    manual_changes = fixes.counts(first)
    statuses = {one.name: api.of(one).status(one) for one in site.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            keys, leases = counted.read(answers)
        except ValueError as error:
            yield doubtful(f"not counted: {error}", manual_changes)
        else:
            yield fine(f"{keys} keys, {leases} leases")
        large = hashes.large(members.readable(statuses, answers))
        if large and site.cluster.compare_data is True:
            yield doubtful(f"{large}, and is hashed twice in a run: {hashes.COSTS}", LEAVE_OUT)
        elif large and site.cluster.compare_data == "auto":
            yield fine(f"{large}: the members' data is not compared (compare_data)")

    yield Check(CLUSTER, (counted, *statuses.values()), judge)
