"""What shows of a member's next start, and of who reaches whom over TLS, before anything depends on it."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd import trial
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.facts.listeners import Handshake, handshake
from orchestrator.etcd.trial import TrialStatus
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target

_APART = "the trial on {} has a network of its own (PrivateNetwork= or the like), in which no peer reaches it"


@gate
def proven_to_every_peer(target: Target) -> Check:
    """Its unit starts under the trial's name, and its etcd and those before it reach each other over TLS.

    The members' trials begin in the plan's order, so behind the last step every directed pair is proven.
    """
    begun = _begun(target)
    statuses = {one.name: trial.status(one) for one in begun}
    dials = {
        (one.name, other.name): [(url, handshake(one, url)) for url in trial.urls(other)]
        for one in begun
        for other in begun
        if one != other and target.name in {one.name, other.name}
    }

    def judge(answers: Answers) -> Iterable[Remark]:
        now = {name: status.read(answers) for name, status in statuses.items()}
        ended = [name for name, found in now.items() if not found.is_running]
        apart = [name for name, found in now.items() if found.has_own_network]
        if ended:
            yield from (wrong(_ended(name, now[name])) for name in ended)
        elif apart:
            yield from (wrong(_APART.format(name)) for name in apart)
        else:
            yield from _of_trials(now, answers)

    def _of_trials(now: Mapping[str, TrialStatus], answers: Answers) -> Iterable[Remark]:
        shaken = {pair: [(url, dial.read(answers)) for url, dial in looked] for pair, looked in dials.items()}
        yield from _of_pairs(begun, now, shaken)
        is_last = len(begun) == len(target.everyone)
        if is_last:
            yield from (
                wrong(f"the trial on {name} is not ready{_words(found.said)}")
                for name, found in now.items()
                if not found.is_ready
            )

    looked = (dial for pairs in dials.values() for _, dial in pairs)
    return Check(target.name, (*statuses.values(), *looked), judge)


@gate
def free_of_trials(target: Target) -> Check:
    """Nothing is left of the trial on its host."""
    left = trial.left(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        found = left.read(answers)
        if found:
            yield wrong(f"left of the trial: {', '.join(found)}")

    return Check(target.name, (left,), judge)


def _begun(target: Target) -> tuple[Target, ...]:
    """Return the members whose trials have begun when this one's has: the plan's first, up to it."""
    everyone = target.everyone
    return everyone[: [one.name for one in everyone].index(target.name) + 1]


def _ended(name: str, found: TrialStatus) -> str:
    reported = _words(found.said) or ", and logged no reason"
    return f"the trial on {name} did not stay up: {found.state}{reported}"


def _words(words: tuple[str, ...]) -> str:
    return f": {' / '.join(words)}" if words else ""


Shaken = Mapping[tuple[str, str], list[tuple[str, Handshake]]]


def _of_pairs(begun: Iterable[Target], now: Mapping[str, TrialStatus], shaken: Shaken) -> Iterable[Remark]:
    """Say of each directed pair whether the one's own dialler has reached the other."""
    members = {one.name: one for one in begun}
    unknown = [name for name in members if not now[name].id]
    yield from (
        wrong(f"the trial on {name} does not say yet who it is{_words(now[name].said)}") for name in unknown
    )
    known = [name for name in members if now[name].id]
    missing = [
        (one, other)
        for one in known
        for other in known
        if one != other and now[other].id not in now[one].reached
    ]
    for one, other in missing:
        url, looked = trial.urls(members[other])[0], shaken.get((one, other), [])
        yield wrong(f"{one} cannot reach {url} over TLS: {_cause(now[one], looked)}")
    spoken = (
        *((name, now[name].said) for name in dict.fromkeys(one for one, _ in missing)),
        *((name, now[name].rejected) for name in dict.fromkeys(other for _, other in missing)),
    )
    yield from (wrong(f"{name} said{_words(words)}") for name, words in spoken if words)


def _cause(found: TrialStatus, dials: Iterable[tuple[str, Handshake]]) -> str:
    """Say why a member's etcd has not reached another, as far as our own handshake can tell."""
    for _, dial in dials:
        if dial.is_unconnected:
            return (
                f"{dial.reason}; the trial there runs: open that port between the members, or roll back and "
                "run anew with one that is open (ports.trial)"
            )
        if not dial.is_done:
            return dial.reason
    if found.proxies:
        return (
            f"its etcd obeys {', '.join(found.proxies)}, and a connection without it works: exempt every "
            "member in NO_PROXY"
        )
    return "its etcd has not, though curl has from the same host with the same files"
