"""What shows of a member's certificates before anything depends on them."""

from collections.abc import Iterable

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import trial
from orchestrator.etcd.api import last_line
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.etcd.listeners import handshake
from orchestrator.operations import Answers

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
        refused = False
        for name, url, question in dials:
            answer = answers[question]
            if answer.exit_status in _NO_CONNECTION:
                yield (
                    f"{name} gets no connection to {url}: {last_line(answer)}; if a firewall is in between, "
                    "open that port between the members, or choose one that is open (ports.trial)"
                )
            elif answer.exit_status != 0 or answer.stdout.strip() != "200":
                refused = True
                yield f"{name} cannot reach {url} over TLS: {last_line(answer)}"
        if refused and answers[heard].stdout.strip():
            yield f"{subject.name} said: {' / '.join(answers[heard].stdout.strip().splitlines())}"

    return Inquiry((*(question for _, _, question in dials), heard), judge)
