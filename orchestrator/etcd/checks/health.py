"""Whether the members are well: a quorum, a leader, nobody far behind, and no alarm."""

import re
from collections.abc import Iterable, Mapping

from orchestrator.etcd import api, endpoints, login
from orchestrator.etcd.api.words import AUTHENTICATION, Health, MemberStatus, hindrance, wants_login
from orchestrator.etcd.checks import fixes
from orchestrator.etcd.checks.gate import always_holds, gate
from orchestrator.etcd.checks.site import CLUSTER, Site
from orchestrator.etcd.facts import peering, process
from orchestrator.etcd.facts.members import readable
from orchestrator.etcd.facts.process import Process
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target
from orchestrator.text import shown

# Raft entries that a member may be behind: a busy cluster writes about that in the time of one look.
MAX_LAG = 1000
_MEMBER_ID = re.compile(r"\bmemberID:(\d+)")  # etcdctl writes it in decimal here, in hex everywhere else


@gate(fix="'quorum' says what to do first; systemctl status and journalctl of its unit say why")
def healthy(target: Target) -> Check:
    """The member answers a read that needs a quorum, knows a leader and is not behind."""
    health = api.of(target).health(target)
    statuses = {other.name: api.of(other).status(other) for other in target.everyone}

    def judge(answers: Answers) -> Iterable[Remark]:
        complaint = health.read(answers).complaint(target.member.id)
        if complaint:
            yield wrong(f"no healthy answer: {complaint}")
            return
        mine = statuses[target.name].read(answers)
        if mine.id != target.member.id:
            yield wrong(f"member {mine.id} answers, not {target.member.id}")
        if mine.leader == "0":
            yield wrong("knows no leader")
        gap = gaps(answers)[target.name]
        if gap > MAX_LAG:
            yield wrong(f"is {gap} raft entries behind")

    def gaps(answers: Answers) -> Mapping[str, int]:
        # one that does not answer cannot be ahead of anybody
        heard = {name: one for name, one in statuses.items() if answers[one.question].exit_status == 0}
        known = {name: one.read(answers) for name, one in heard.items()}
        ahead = _ahead(known.values())
        return {name: ahead - one.applied for name, one in known.items()}

    return Check(target.name, (health, *statuses.values()), judge, behind=gaps)


def _ahead(known: Iterable[MemberStatus]) -> int:
    return max((one.index for one in known), default=0)


@gate
def quorate(target: Target) -> Check:
    """Every other member answers a read that needs a quorum: this one may be away for a moment."""
    others = _healths(target.others)
    return Check(target.name, tuple(others.values()), lambda answers: _unhealthy(target, others, answers))


def _healths(members: Iterable[Target]) -> Mapping[str, Fact[Health]]:
    return {one.name: api.of(one).health(one) for one in members}


def _unhealthy(target: Target, healths: Mapping[str, Fact[Health]], answers: Answers) -> Iterable[Remark]:
    for name, health in healths.items():
        complaint = health.read(answers).complaint(target.facts.members[name].id)
        if complaint:
            yield wrong(f"{name} is not healthy: {complaint}")


@gate
def away(target: Target) -> Check:
    """The member does not run, or serves nobody and knows no leader: its restart takes nothing away.

    What merely keeps it from being asked, a login that is missing say, tells nothing of it.
    """
    runs = process.running(target)
    health, status = api.of(target).health(target), api.of(target).status(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        if not runs.read(answers).pid:
            return
        for fact in (health, status):
            if unasked := hindrance(answers[fact.question]):
                yield wrong(f"cannot tell: {unasked}")
                return
        if health.read(answers).complaint(target.member.id) is None:
            yield wrong("is healthy")
        elif answers[status.question].exit_status == 0 and status.read(answers).leader != "0":
            yield wrong("knows a leader")

    return Check(target.name, (runs, health, status), judge)


@gate
def unserving(target: Target) -> Check:
    """The member answers no read that needs a quorum: its restart takes nothing away, and may heal it.

    Without a quorum no 'member update' can work; a restart with other listeners is what brings members
    together again. Members that can reach only a follower stay outside until they are restarted themselves.
    """
    runs, health = process.running(target), api.of(target).health(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        if not runs.read(answers).pid:
            return
        if unasked := hindrance(answers[health.question]):
            yield wrong(f"cannot tell: {unasked}")
        elif health.read(answers).complaint(target.member.id) is None:
            yield wrong("is healthy")

    return Check(target.name, (runs, health), judge)


@gate
def free_of_alarms(target: Target) -> Check:
    """No member has raised an alarm (a full disk, a corrupt store)."""
    interface = api.of(target)
    asked = (target.others or (target,))[0]
    alarms = interface.alarms(asked)
    if alarms is None:
        return always_holds(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            raised = alarms.read(answers)
        except ValueError as error:
            yield wrong(f"{asked.name} cannot tell: {error}")
            return
        if raised:
            yield wrong(f"raised: {raised}")

    return Check(target.name, (alarms,), judge)


def quorum(site: Site) -> Iterable[Check]:
    """Ask each member for a read that needs a quorum, who leads, and which alarms are raised."""
    interface = api.APIS[site.facts.api]
    healths = _healths(site.members)
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
            first = site.target(site.cluster.member(locked[0]))
            yield _locked(first, locked, processes[first.name].read(answers))
            return  # nobody can tell more without a login; the next check does
        known = readable(statuses, answers)
        complaints = {
            name: f"it reports no status: {answers[status.question].reason}"
            for name, status in statuses.items()
            if name not in known
        }
        for name, one in known.items():
            if complaint := healths[name].read(answers).complaint(one.id):
                complaints[name] = complaint
        yield from (
            wrong(f"{name} is not healthy: {reported}", fixes.health(site, name))
            for name, reported in complaints.items()
        )
        yield from (
            wrong(f"{name} was not asked", "what the check 'login' prints comes first")
            for name in site.missed
        )
        leaders = {one.leader for one in known.values()}
        if len(leaders) != 1 or "0" in leaders:
            seen = ", ".join(f"{name}: {one.leader}" for name, one in known.items()) or "none knows one"
            yield wrong(f"the members do not agree on a leader: {seen}")
        for raised in (one.read(answers) for one in alarms):
            if raised:
                yield wrong(f"an alarm is raised: {_named(raised, known)}", fixes.alarm(site, raised))
        count = len(site.cluster.members)
        well = len(statuses) - len(complaints)
        if well == count:
            led = ", ".join(name for name, one in known.items() if one.leader == one.id)
            yield fine(f"{well} of {count} healthy, can lose {well - count // 2 - 1}; {led} leads")

    if healths:
        facts = (healths, statuses, logins, processes)
        yield Check(CLUSTER, (*(fact for each in facts for fact in each.values()), *alarms), judge)


def _named(raised: str, known: Mapping[str, MemberStatus]) -> str:
    """Return the alarms with the members' names in place of their IDs."""
    names = {str(int(one.id, 16)): name for name, one in known.items()}
    return _MEMBER_ID.sub(lambda found: names.get(found[1], found[0]), raised)


def _locked(first: Target, names: list[str], runs: Process) -> Remark:
    """Name the members that want a login, and how to turn that off while the migration lasts."""
    endpoint, interface = endpoints.of(first, runs.settings), api.of(first)
    off, on = (peering.spelled(interface.auth(word, endpoint)) for word in ("disable", "enable"))
    named = login.user(first.cluster)
    if interface.name != "v3":
        reported, user = "not supported through v2", ""
    elif not named:
        reported, user = "the plan names no user", "auth: {user: root, password_file: FILE} in the plan; or, "
    else:
        place = "of the plan (auth)" if first.cluster.auth else f"of {login.VARIABLE} in the environment"
        reported = f"the user {shown(named)} {place} is not taken, or lacks the role root"
        user = "name another user there, or its password; or, "
    return wrong(
        f"{AUTHENTICATION}: {reported} ({', '.join(names)})",
        f"{user}on {names[0]}: {off} (with root's password; until it is on again, everybody who reaches the "
        f"cluster may read and write everything); once the migration is done, on {names[0]}: {on}",
    )


def lag(site: Site) -> Iterable[Check]:
    """Ask each member how far it has come in raft's log."""
    statuses = {one.name: api.of(one).status(one) for one in site.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        return behind(readable(statuses, answers))

    if statuses:
        yield Check(CLUSTER, tuple(statuses.values()), judge)


def behind(known: Mapping[str, MemberStatus]) -> Iterable[Remark]:
    """Judge how far each member is behind the one that is ahead."""
    ahead = _ahead(known.values())
    gaps = {name: ahead - one.applied for name, one in known.items()}
    for name, gap in gaps.items():
        if gap > MAX_LAG:
            yield wrong(f"{name} is {gap} raft entries behind")
        elif gap > MAX_LAG // 2:
            yield doubtful(f"{name} is {gap} raft entries behind")
    most = max(gaps.values(), default=0)
    if known and most <= MAX_LAG // 2:
        yield fine(f"at most {most} entries behind, at {ahead}")
