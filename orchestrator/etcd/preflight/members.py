"""The cluster as its members tell of it: versions, quorum, raft, keys and leases."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from orchestrator.etcd import api, gather, peering, process
from orchestrator.etcd.api.words import AUTHENTICATION, OWN_LISTENER, Standing, wants_login
from orchestrator.etcd.effective import SETTING
from orchestrator.etcd.gates.agreeing import MAX_LAG
from orchestrator.etcd.preflight import fixes
from orchestrator.etcd.preflight.site import Site
from orchestrator.etcd.process import Process
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script, UnansweredError
from orchestrator.plan import foreign
from orchestrator.plan.facts import Subject

CLUSTER = "cluster"
_MEMBER_ID = re.compile(r"\bmemberID:(\d+)")  # etcdctl writes it in decimal here, in hex everywhere else

# Served on the peer port (etcd 3.5 and 3.6: DowngradeEnabledPath); 3.4 answers 404, for it has no downgrade.
DOWNGRADE = f"""{SETTING}
pid=$(systemctl show --property=MainPID --value "$1.service")
[ "${{pid:-0}}" -gt 0 ] || {{
  echo "$1.service has no running process (systemctl start $1.service)" >&2
  exit 3
}}
setting ETCD_LISTEN_PEER_URLS listen-peer-urls
url=$(printf '%s' "${{value:-http://localhost:2380}}" | tr ',' '\\n' | sed -n '/^http:/p' | head -n 1 |
  sed 's#//0\\.0\\.0\\.0:#//127.0.0.1:#; s#//\\[::\\]:#//[::1]:#')
exec curl --silent --noproxy '*' --max-time 4 --write-out ' %{{http_code}}' "$url/downgrade/enabled"
"""

# 3.3 and 3.4 have no --count-only; a page of one key tells the count too.
COUNT = f"""{OWN_LISTENER}
ask() {{ ETCDCTL_API=3 etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=4s "$@"; }}
ask get '' --prefix --keys-only --limit=1 --consistency=s --write-out=json || exit 1
ask lease list | sed -n 's/^found \\([0-9]*\\) leases.*/\\1/p'
"""


def versions(site: Site) -> Iterable[Check]:
    """Ask each member for its version, and one of them whether a downgrade is in progress."""
    asked = [(member, gather.version(member.host)) for member in site.members]
    downgrades = [_downgrade(one) for one in site.members[:1]]

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


def _downgrade(member: Subject) -> Fact[bool]:
    """Whether a downgrade is in progress; no answer is no."""

    def read(answer: Answer) -> bool:
        return answer.exit_status == 0 and answer.text.split() == ["true", "200"]

    return Fact(Script(member.name, DOWNGRADE, (member.host.service,), timeout_s=6.0), read)


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]


def readable(statuses: Mapping[str, Fact[Standing]], answers: Answers) -> Mapping[str, Standing]:
    """Return what those members say of themselves that say anything; 'quorum' complains of the others."""
    found = {}
    for name, status in statuses.items():
        with suppress(ValueError):
            found[name] = status.read(answers)
    return found


def quorum(site: Site) -> Iterable[Check]:
    """Ask each member for a read that needs a quorum, who leads, and which alarms are raised."""
    interface = api.APIS[site.facts.api]
    healths = {one.name: interface.health(one) for one in site.members}
    statuses = {one.name: interface.status(one) for one in site.members}
    logins = {one.name: interface.login(one) for one in site.members}
    processes = {one.name: process.running(one) for one in site.members}
    alarms = [fact for one in site.members[:1] if (fact := interface.alarms(one)) is not None]

    def judge(answers: Answers) -> Iterable[Remark]:
        locked = [
            name
            for name, login in logins.items()
            if login.read(answers) or wants_login(answers[statuses[name].question])
        ]
        if locked:
            yield _locked(site, locked, processes[locked[0]].read(answers))
            return  # nobody can tell more without a login; the next check does
        standing = readable(statuses, answers)
        complaints = {
            name: f"it tells no status: {answers[status.question].reason}"
            for name, status in statuses.items()
            if name not in standing
        }
        for name, one in standing.items():
            if complaint := healths[name].read(answers).complaint(one.id):
                complaints[name] = complaint
        yield from (
            wrong(f"{name} is not healthy: {told}", fixes.health(site, name))
            for name, told in complaints.items()
        )
        yield from (
            wrong(f"{name} was not asked", "what the check 'login' prints comes first")
            for name in site.missed
        )
        leaders = {one.leader for one in standing.values()}
        if len(leaders) != 1 or "0" in leaders:
            seen = ", ".join(f"{name}: {one.leader}" for name, one in standing.items()) or "none knows one"
            yield wrong(f"the members do not agree on a leader: {seen}")
        for raised in (one.read(answers) for one in alarms):
            if raised:
                yield wrong(f"an alarm is raised: {_named(raised, standing)}", fixes.alarm(site, raised))
        count = len(site.cluster.members)
        well = len(statuses) - len(complaints)
        if well == count:
            led = ", ".join(name for name, one in standing.items() if one.leader == one.id)
            yield fine(f"{well} of {count} healthy, can lose {well - count // 2 - 1}; {led} leads")

    if healths:
        facts = (healths, statuses, logins, processes)
        yield Check(CLUSTER, (*(fact for each in facts for fact in each.values()), *alarms), judge)


def _named(raised: str, standing: Mapping[str, Standing]) -> str:
    """Return the alarms with the members' names in place of their IDs."""
    names = {str(int(one.id, 16)): name for name, one in standing.items()}
    return _MEMBER_ID.sub(lambda found: names.get(found[1], found[0]), raised)


def _locked(site: Site, names: list[str], first: Process) -> Remark:
    """Name the members that want a login, and how to turn that off while the migration lasts."""
    endpoint, interface = peering.endpoint(first.settings), api.APIS[site.facts.api]
    off, on = (peering.spelled(interface.auth(word, endpoint)) for word in ("disable", "enable"))
    return wrong(
        f"{AUTHENTICATION} ({', '.join(names)})",
        f"on {names[0]}: {off} (with root's password; until it is on again, everybody who reaches the "
        f"cluster may read and write everything); once the migration is done, on {names[0]}: {on}",
    )


def lag(site: Site) -> Iterable[Check]:
    """Ask each member how far it has come in raft's log."""
    statuses = {one.name: api.of(one).status(one) for one in site.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        return behind(readable(statuses, answers))

    if statuses:
        yield Check(CLUSTER, tuple(statuses.values()), judge)


def behind(standing: Mapping[str, Standing]) -> Iterable[Remark]:
    """Judge how far each member is behind the one that is ahead."""
    ahead = max((one.index for one in standing.values()), default=0)
    gaps = {name: ahead - one.applied for name, one in standing.items()}
    for name, gap in gaps.items():
        if gap > MAX_LAG:
            yield wrong(f"{name} is {gap} raft entries behind")
        elif gap > MAX_LAG // 2:
            yield doubtful(f"{name} is {gap} raft entries behind")
    most = max(gaps.values(), default=0)
    if standing and most <= MAX_LAG // 2:
        yield fine(f"at most {most} entries behind, at {ahead}")


class _Page(foreign.Shape):
    count: int = 0


def counts(site: Site) -> Iterable[Check]:
    """Ask one member how many keys and leases there are."""
    if not site.members:
        return
    if site.facts.api == "v2":
        told = fine("not counted: v2 tells a number only to who reads everything")
        yield Check(CLUSTER, (), lambda _: (told,))
        return
    first = site.members[0]
    counted = Fact(Script(first.name, COUNT, (first.host.service,), timeout_s=12.0), _counted)
    by_hand = fixes.counts(first)

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            keys, leases = counted.read(answers)
        except ValueError as error:
            yield doubtful(f"not counted: {error}", by_hand)
            return
        yield fine(f"{keys} keys, {leases} leases")

    yield Check(CLUSTER, (counted,), judge)


def _counted(answer: Answer) -> tuple[int, int]:
    """Read how many keys and leases there are."""
    page, _, leases = answer.text.partition("\n")
    keys = foreign.of_json(_Page, page, "etcdctl's answer").count
    if not leases.strip().isdecimal():
        raise ValueError(answer.reason)
    return keys, int(leases)
