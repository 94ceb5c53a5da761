"""What shows of a member's certificates before anything depends on them."""

from collections.abc import Iterable

from orchestrator.etcd import trial
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.facts.listeners import Handshake, handshake
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target


@gate
def proven_to_every_peer(target: Target) -> Check:
    """Every other member completes a mutual TLS handshake with this one's throwaway etcd, by staged files."""
    dials = [
        (dialler.name, url, handshake(dialler, url))
        for dialler in target.others
        for url in trial.urls(target)
    ]
    standing = trial.standing(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        now = standing.read(answers)
        words = f": {' / '.join(now.said)}" if now.said else ""
        refusals = tuple(_refusals((name, url, dial.read(answers)) for name, url, dial in dials))
        if refusals and not now.is_running:
            reported = words or ", and logged no reason"
            yield wrong(f"the throwaway etcd on {target.name} did not stay up{reported}")
            return
        yield from refusals
        if words and refusals:
            yield wrong(f"{target.name} said{words}")

    return Check(target.name, (*(dial for _, _, dial in dials), standing), judge)


def _refusals(dials: Iterable[tuple[str, str, Handshake]]) -> Iterable[Remark]:
    for name, url, shaken in dials:
        if shaken.is_unconnected:
            yield wrong(
                f"{name} gets no connection to {url}: {shaken.reason}; the throwaway etcd runs: open "
                "that port between the members, or choose one that is open (ports.trial)"
            )
        elif not shaken.is_done:
            yield wrong(f"{name} cannot reach {url} over TLS: {shaken.reason}")
