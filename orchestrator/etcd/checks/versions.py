"""What the members run, and how much they hold."""

from collections.abc import Iterable

from orchestrator.etcd.checks import fixes
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import members
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, UnansweredError


def versions(site: Site) -> Iterable[Check]:
    """Ask each member for its version, and one of them whether a downgrade is in progress."""
    asked = [(member, members.version(member.host)) for member in site.members]
    downgrades = [members.downgrade(one) for one in site.members[:1]]

    def judge(answers: Answers) -> Iterable[Remark]:
        told = {}
        for member, version in asked:
            try:
                told[member.name] = version.read(answers)
            except UnansweredError as error:
                yield wrong(
                    f"{member.name} does not tell its version: {error}",
                    f"on {member.name}: systemctl status {member.host.service}.service; "
                    "let it run and answer first",
                )
        if not told:
            return
        servers = {name: version.server for name, version in told.items()}
        together = sorted({version.cluster for version in told.values()})
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
    """Ask one member how many keys and leases there are."""
    if not site.members:
        return
    if site.facts.api == "v2":
        told = fine("not counted: v2 tells a number only to who reads everything")
        yield Check(CLUSTER, (), lambda _: (told,))
        return
    first = site.members[0]
    counted = members.counts(first)
    by_hand = fixes.counts(first)

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            keys, leases = counted.read(answers)
        except ValueError as error:
            yield doubtful(f"not counted: {error}", by_hand)
            return
        yield fine(f"{keys} keys, {leases} leases")

    yield Check(CLUSTER, (counted,), judge)
