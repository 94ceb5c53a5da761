"""What shows of a member's certificates before anything depends on them."""

from collections.abc import Iterable

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import trial
from orchestrator.etcd.api import last_line
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.etcd.listeners import handshake
from orchestrator.operations import Answers, Check
from orchestrator.text import shown

_NO_CONNECTION = {7, 28}  # curl's exit statuses: refused or unreachable, and no answer in time


@gate
def proven_to_every_peer(subject: Subject) -> Inquiry:
    """Every other member completes a mutual TLS handshake with this one's throwaway etcd, by staged files."""
    dials = [
        (dialler.name, url, handshake(dialler, url))
        for dialler in subject.others
        for url in trial.urls(subject)
    ]
    heard = trial.last_words(subject)

    def judge(answers: Answers) -> Iterable[str]:
        state, *said = answers[heard].text.splitlines()
        words = f": {' / '.join(shown(line.strip(), quote='', limit=300) for line in said)}" if said else ""
        refusals = tuple(_refusals(dials, answers))
        if refusals and state != "running":
            yield f"the throwaway etcd on {subject.name} did not stay up{words or ', and logged no reason'}"
            return
        yield from refusals
        if words and refusals:
            yield f"{subject.name} said{words}"

    return Inquiry((*(question for _, _, question in dials), heard), judge)


def _refusals(dials: Iterable[tuple[str, str, Check]], answers: Answers) -> Iterable[str]:
    for name, url, question in dials:
        answer = answers[question]
        if answer.exit_status in _NO_CONNECTION:
            yield (
                f"{name} gets no connection to {url}: {last_line(answer)}; the throwaway etcd runs: open "
                "that port between the members, or choose one that is open (ports.trial)"
            )
        elif answer.exit_status != 0 or answer.text.strip() != "200":
            yield f"{name} cannot reach {url} over TLS: {last_line(answer)}"
