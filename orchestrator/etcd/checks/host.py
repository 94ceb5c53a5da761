"""What every host has to have: our programs, a free lock, a clock that is right, and a store for the CA."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from orchestrator.etcd.checks import material
from orchestrator.etcd.checks.gate import always_holds, gate
from orchestrator.etcd.checks.site import Moments, Site
from orchestrator.etcd.facts import ca_store, host
from orchestrator.host import lock
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, UnansweredError
from orchestrator.plan.facts import Target

# Programs that looks and jobs call: remote/{script,job_script,job}.py, and the scripts below etcd/.
NEEDED = (
    *(
        "awk",
        "base64",
        "cat",
        "cp",
        "cut",
        "date",
        "df",
        "dirname",
        "du",
        "env",
        "flock",
        "grep",
        "head",
        "id",
        "install",
        "mkdir",
        "mktemp",
        "mv",
    ),
    *("readlink", "rm", "rmdir", "sed", "sha256sum", "sleep", "sort", "stat", "sync", "tail", "tar"),
    *("timeout", "tr", "curl", "journalctl", "runuser", "ss", "systemctl", "systemd-escape", "systemd-run"),
)
ON_MEMBERS = ("etcdctl",)
FOR_CHECKS = ("getent", "ip")  # without them the checks see less, and a run works all the same
STORES = ("update-ca-trust", "update-ca-certificates")
# Debian's package of each program; of those that are not here, coreutils.
PACKAGES = {
    **{program: program for program in ("curl", "grep", "sed", "tar")},
    "awk": "mawk",
    "getent": "libc-bin",
    **dict.fromkeys(("ip", "ss"), "iproute2"),
    **dict.fromkeys(("flock", "runuser"), "util-linux"),
    **dict.fromkeys(("journalctl", "systemctl", "systemd-escape", "systemd-run"), "systemd"),
}

WARN_S = 1.0  # etcd's own members warn of each other from there on (rafthttp/probing_status.go)
FAIL_S = 60.0


def tools(target: Target) -> Check:
    """Ask for the shell, and for each program that our scripts call on the host."""
    needed = (*NEEDED, *(ON_MEMBERS if target.name in target.facts.members else ()))
    programs = host.programs(target.name, (*needed, *FOR_CHECKS, *STORES))

    def judge(answers: Answers) -> Iterable[Remark]:
        try:
            found = programs.read(answers)
        except UnansweredError as error:
            yield wrong(f"the shell runs no script: {error}")
            return
        missing = [tool for tool in needed if tool not in found.has]
        if missing:
            yield wrong(f"{', '.join(missing)}: not found in {found.path}", _install(missing))
        unseen = [tool for tool in FOR_CHECKS if tool not in found.has]
        if unseen:
            told_of = f"not on PATH: {', '.join(unseen)}; checks that need them see less"
            yield doubtful(told_of, _install(unseen))
        if target.cluster.tls.trust == "system" and not found.has & set(STORES):
            yield doubtful(
                "no trust store to put the CA into (no update-ca-certificates, no update-ca-trust)",
                "install ca-certificates, or set tls.trust to files in the plan",
            )
        if not missing:
            yield fine(f"{len(needed)} programs, {found.shell}, {found.systemd}")

    return Check(target.name, (programs,), judge)


def _install(missing: Sequence[str]) -> str:
    """Say what to do about programs that are not there; etcdctl often lies where nobody looks."""
    others = [program for program in missing if program != "etcdctl"]
    fixes = []
    if others:
        packages = " ".join(dict.fromkeys(PACKAGES.get(program, "coreutils") for program in others))
        named = ", ".join(others)
        fixes.append(f"apt-get install {packages} (on Debian; elsewhere: the packages that hold {named})")
    if "etcdctl" in missing:
        fixes.append(
            "put etcdctl into /usr/local/bin, or link it there: ln -s /PATH/TO/etcdctl /usr/local/bin/etcdctl"
        )
    return "; ".join(fixes)


def lock_is_free(target: Target) -> Check:
    """Ask who holds the host's lock: while anybody does, no other run begins."""
    held = lock.held(target.name)

    def judge(answers: Answers) -> Iterable[Remark]:
        holder = held.read(answers)
        yield wrong(f"held by {holder}") if holder else fine("nobody holds it")

    return Check(target.name, (held,), judge)


def skew_s(reported: float, between: Moments) -> float:
    """Seconds that a clock is surely ahead (or behind: negative), if it was read between two moments."""
    early, late = between[0].timestamp(), between[1].timestamp()
    return max(0.0, reported - late) - max(0.0, early - reported)


def clocks(site: Site) -> Iterable[Check]:
    """Compare each host's clock with the bastion's, and with the dates of every certificate."""
    dated = material.dates(site)  # the same for every host, and each file is read for it
    return (_clock(site, target, dated) for target in site.hosts)


def _clock(site: Site, target: Target, dated: Sequence[material.Dated]) -> Check:
    time = host.time_of(target.name)

    def judge(answers: Answers) -> Iterable[Remark]:
        reported = time.read(answers)
        skew = skew_s(reported, site.reached[target.name])
        there = datetime.fromtimestamp(reported, UTC)
        if abs(skew) > WARN_S:
            side = "ahead of" if skew > 0 else "behind"
            remark = wrong if abs(skew) > FAIL_S else doubtful
            yield remark(f"{abs(skew):.1f} s {side} the bastion")
        else:
            yield fine(f"within {WARN_S:g} s of the bastion")
        for path, begin, end in dated:
            # what is wrong by the bastion's clock too is the certificate's fault, not this host's
            if begin <= site.now <= end and not begin <= there <= end:
                yield wrong(
                    f"by its clock ({there:%Y-%m-%d %H:%M:%S} UTC) {path} is not valid: "
                    f"{begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}"
                )

    return Check(target.name, (time,), judge)


@gate
def trusting_the_ca(target: Target) -> Check:
    """The host's trust store holds the CA, unless the plan says that files are enough."""
    bundle = ca_store.bundle(target)
    if bundle is None:
        return always_holds(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        found = bundle.read(answers)
        if not found.is_trusting:
            yield wrong(f"the bundle {found.path} does not hold the CA: {found.last_words}")

    return Check(target.name, (bundle,), judge)
