"""A host's clock, against the bastion's and against the dates of the certificates."""

from collections.abc import Iterable
from datetime import UTC, datetime

from orchestrator.etcd.preflight import material
from orchestrator.etcd.preflight.finding import on_each_host
from orchestrator.etcd.preflight.site import Moments, Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers, Fact, Script
from orchestrator.plan.facts import Subject

WARN_S = 1.0  # etcd's own members warn of each other from there on (rafthttp/probing_status.go)
FAIL_S = 60.0


def time_of(host: str) -> Fact[float]:
    """A host's time, in seconds; asked alone, so that the bastion knows when it was read."""
    return Fact(Script(host, "exec date -u +%s.%N"), lambda answer: float(answer.text))


def skew_s(told: float, between: Moments) -> float:
    """Seconds that a clock is surely ahead (or behind: negative), if it was read between two moments."""
    early, late = between[0].timestamp(), between[1].timestamp()
    return max(0.0, told - late) - max(0.0, early - told)


@on_each_host
def clocks(site: Site, subject: Subject) -> Check:
    """Compare the host's clock with the bastion's, and with the dates of every certificate."""
    time = time_of(subject.name)
    dated = material.dates(site)

    def judge(answers: Answers) -> Iterable[Remark]:
        told = time.read(answers)
        skew = skew_s(told, site.reached[subject.name])
        there = datetime.fromtimestamp(told, UTC)
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

    return Check(subject.name, (time,), judge)
