"""The cluster as its members tell of it: versions, quorum, raft, keys and leases."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from orchestrator.cluster import foreign
from orchestrator.cluster.model import Host
from orchestrator.etcd import api, gather, peering, process
from orchestrator.etcd.api.words import AUTHENTICATION, OWN_LISTENER, Api, Standing, hindrance, last_line
from orchestrator.etcd.gates.agreeing import MAX_LAG
from orchestrator.etcd.preflight.finding import Examination, Remark, doubtful, fine, wrong
from orchestrator.etcd.preflight.site import Site
from orchestrator.operations import Answer, Answers, Check

CLUSTER = "cluster"

# Served on the peer port (etcd 3.5 and 3.6: DowngradeEnabledPath); 3.4 answers 404, for it has no downgrade.
DOWNGRADE = """
pid=$(systemctl show --property=MainPID --value "$1.service")
[ "${pid:-0}" -gt 0 ] || { echo "$1.service has no running process" >&2; exit 3; }
urls=$(tr '\\0' '\\n' < "/proc/$pid/environ" | sed -n 's/^ETCD_LISTEN_PEER_URLS=//p')
url=$(printf '%s' "${urls:-http://localhost:2380}" | tr ',' '\\n' | sed -n '/^http:/p' | head -n 1 |
  sed 's#//0\\.0\\.0\\.0:#//127.0.0.1:#; s#//\\[::\\]:#//[::1]:#')
exec curl --silent --noproxy '*' --max-time 4 --write-out ' %{http_code}' "$url/downgrade/enabled"
"""

# 3.3 and 3.4 have no --count-only; a page of one key tells the count too.
COUNT = f"""{OWN_LISTENER}
ask() {{ ETCDCTL_API=3 etcdctl --endpoints="$url" --dial-timeout=2s --command-timeout=4s "$@"; }}
ask get '' --prefix --keys-only --limit=1 --consistency=s --write-out=json || exit 1
ask lease list | sed -n 's/^found \\([0-9]*\\) leases.*/\\1/p'
"""


def version_of(host: Host) -> Check:
    """Ask which version a member is, and whether it serves v2; the facts ask the very same."""
    return Check(host.name, gather.VERSION, (host.service,), timeout_s=10.0)


def versions(site: Site) -> Iterable[Examination]:
    """Ask each member for its version, and one of them whether a downgrade is in progress."""
    asked = {subject.name: version_of(subject.host) for subject in site.members}
    first = site.members[:1]
    downgrade = [Check(one.name, DOWNGRADE, (one.host.service,), timeout_s=6.0) for one in first]

    def judge(answers: Answers) -> Iterable[Remark]:
        told = {}
        for name, check in asked.items():
            if answers[check].exit_status != 0:
                yield wrong(
                    f"{name} does not tell its version: {last_line(answers[check])}",
                    f"on {name}: systemctl status {check.arguments[0]}.service; let it run and answer first",
                )
                continue
            body = answers[check].text.partition("\n")[0]
            told[name] = foreign.of_json(foreign.VersionBody, body, f"{name}'s version")
        if not told:
            return
        servers = {name: body.etcdserver for name, body in told.items()}
        together = sorted({body.etcdcluster for body in told.values()})
        if len(set(servers.values())) > 1:
            listed = ", ".join(f"{name} {one}" for name, one in servers.items())
            yield wrong(f"the members run different versions: {listed}")
        elif _minor(together[-1]) != _minor(next(iter(servers.values()))):
            yield wrong(
                f"all run {next(iter(servers.values()))}, but the cluster works as {', '.join(together)}",
                "finish the upgrade or the downgrade first",
            )
        else:
            yield fine(f"{next(iter(servers.values()))} on {', '.join(servers)}")
        for check in downgrade:
            if answers[check].exit_status == 0 and answers[check].text.split() == ["true", "200"]:
                yield wrong("a downgrade is in progress", "finish it, or: etcdctl downgrade cancel")

    if asked:
        yield Examination(CLUSTER, (*asked.values(), *downgrade), judge)


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]


def readable(interface: api.Api, statuses: Mapping[str, Check], answers: Answers) -> Mapping[str, Standing]:
    """Return what those members say of themselves that say anything; 'quorum' complains of the others."""
    found = {}
    for name, check in statuses.items():
        with suppress(ValueError):
            found[name] = interface.read_status(answers[check])
    return found


def quorum(site: Site) -> Iterable[Examination]:
    """Ask each member for a read that needs a quorum, who leads, and which alarms are raised."""
    interface = api.APIS[site.facts.api]
    healths = {one.name: interface.health(one) for one in site.members}
    statuses = {one.name: interface.status(one) for one in site.members}
    logins = {one.name: interface.login(one) for one in site.members}
    processes = [process.check(one) for one in site.members]
    alarms = [check for one in site.members[:1] if (check := interface.alarms(one)) is not None]

    def judge(answers: Answers) -> Iterable[Remark]:
        asked = {name: [answers[logins[name]], answers[statuses[name]]] for name in logins}
        locked = [name for name, heard in asked.items() if any(_wants_login(interface, one) for one in heard)]
        if locked:
            yield _locked(site, interface, locked, answers)
            return  # nobody can tell more without a login; the next check does
        standing = readable(interface, statuses, answers)
        complaints = {
            name: f"it tells no status: {last_line(answers[check])}"
            for name, check in statuses.items()
            if name not in standing
        }
        for name, one in standing.items():
            if complaint := interface.complaint(answers[healths[name]], one.id):
                complaints[name] = complaint
        yield from (wrong(f"{name} is not healthy: {told}") for name, told in complaints.items())
        yield from (wrong(f"{name} was not asked") for name in site.missed)
        leaders = {one.leader for one in standing.values()}
        if len(leaders) != 1 or "0" in leaders:
            seen = ", ".join(f"{name}: {one.leader}" for name, one in standing.items()) or "none knows one"
            yield wrong(f"the members do not agree on a leader: {seen}")
        for check in alarms:
            raised = interface.read_alarms(answers[check])
            if raised:
                yield wrong(f"an alarm is raised: {raised}", "mend its cause, then: etcdctl alarm disarm")
        count = len(site.cluster.members)
        well = len(statuses) - len(complaints)
        if well == count:
            led = ", ".join(name for name, one in standing.items() if one.leader == one.id)
            yield fine(f"{well} of {count} healthy, can lose {well - count // 2 - 1}; {led} leads")

    if healths:
        questions = (*healths.values(), *statuses.values(), *logins.values(), *processes, *alarms)
        yield Examination(CLUSTER, tuple(dict.fromkeys(questions)), judge)


def _wants_login(interface: Api, answer: Answer) -> bool:
    found = hindrance(answer)
    return interface.wants_login(answer) or (found is not None and found.text == AUTHENTICATION)


def _locked(site: Site, interface: Api, names: list[str], answers: Answers) -> Remark:
    """Name the members that want a login, and how to turn that off for the time of the migration."""
    one = next(each for each in site.members if each.name == names[0])
    endpoint = peering.endpoint(process.read(one, answers).environment)
    off, on = (peering.spelled(interface.auth(word, endpoint)) for word in ("disable", "enable"))
    return wrong(
        f"{AUTHENTICATION} ({', '.join(names)})",
        f"on {one.name}: {off} (with root's password; until it is on again, everybody who reaches the "
        f"cluster may read and write everything); once the migration is done, on {one.name}: {on}",
    )


def lag(site: Site) -> Iterable[Examination]:
    """Ask each member how far it has come in raft's log."""
    statuses = {one.name: api.of(one).status(one) for one in site.members}

    def judge(answers: Answers) -> Iterable[Remark]:
        interface = api.APIS[site.facts.api]
        return behind(readable(interface, statuses, answers))

    if statuses:
        yield Examination(CLUSTER, tuple(statuses.values()), judge)


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


def counts(site: Site) -> Iterable[Examination]:
    """Ask one member how many keys and leases there are."""
    if not site.members:
        return
    if site.facts.api == "v2":
        told = fine("not counted: v2 tells a number only to who reads everything")
        yield Examination(CLUSTER, (), lambda _: (told,))
        return
    question = Check(site.members[0].name, COUNT, (site.members[0].host.service,), timeout_s=12.0)

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            first, _, leases = answers[question].text.partition("\n")
            keys = foreign.of_json(_Page, first, "etcdctl's answer").count
        except ValueError as error:
            yield doubtful(f"not counted: {error}")
            return
        if not leases.strip().isdecimal():
            yield doubtful(f"not counted: {last_line(answers[question])}")
            return
        yield fine(f"{keys} keys, {leases.strip()} leases")

    yield Examination(CLUSTER, (question,), judge)
