"""The sentences of a review, which every renderer has: the summary, restarts, settings and what is folded."""

from collections.abc import Iterable, Sequence

from orchestrator.report.review import folding
from orchestrator.report.review.model import Radius, Review, ReviewedJob, ReviewedRound, Same, Setting, Way
from orchestrator.text import counted, shown

_LIMIT = 600  # of a value, in characters


def heading(review: Review) -> str:
    """Say which migration of which cluster it is, and how much of it."""
    steps, restarts = len({job.step for job in review.jobs}), len(review.restarts)
    way = "The way back of migration" if review.direction == "back" else "Migration"
    return (
        f"{way} {review.migration} of cluster {review.cluster}: {counted(steps, 'step')}, "
        f"{counted(restarts, 'restart')}."
    )


def ways(review: Review) -> Iterable[Way]:
    """Return the ways that somebody still has to go."""
    return (way for way in review.ways if way.source != way.target)


def summary(review: Review) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Return what a person reads first: each topic with its sentences."""
    if not review.jobs:
        return
    yield "At the end", review.ends
    yield "Restarts", tuple(_restarts(review))
    if review.times:
        yield "Time", review.times
    rest = "Everything else can" if review.lasting else "Nothing"
    yield "Cannot be undone", (*review.lasting, f"{rest}: {review.undoing}.")


def _restarts(review: Review) -> Iterable[str]:
    if not review.restarts:
        yield "none"
        return
    by_round = ((one.name, [job.host for job in one.jobs if job.radius]) for one in review.rounds)
    where = "; ".join(f"{name}: {', '.join(hosts)}" for name, hosts in by_round if hosts)
    yield f"{len(review.restarts)}, one host away at a time, in this order ({where})."
    known = [one.away_s for one in review.restarts if one.away_s is not None]
    if known:
        yield (
            f"Each is away for {_span(min(known), max(known))}, as its systemd recorded of the last restart; "
            "behind it, the run waits until the host is well."
        )
    yield from away(review.restarts)


def away(restarts: Sequence[Radius]) -> Iterable[str]:
    """Say who waits during restarts."""
    if any(_is_no_quorum_left(one) for one in restarts):
        yield "While a member is away there is no quorum: every client waits until it is back."
    elif any(one.role == "member" for one in restarts):
        yield "A client that knows one member alone waits while that one is away; others use the rest."
    if any(one.role == "proxy" for one in restarts):
        yield "While a proxy is away, the clients on its own host wait."


def _is_no_quorum_left(one: Radius) -> bool:
    """Whether a restart takes the quorum away, which is more than half of the members."""
    return one.role == "member" and one.members - 1 < one.members // 2 + 1


def _span(least_s: float, most_s: float) -> str:
    if f"{least_s:.1f}" == f"{most_s:.1f}":
        return f"about {least_s:.1f} s"
    return f"about {least_s:.1f} to {most_s:.1f} s"


def radius(one: Radius) -> str:
    """Say what a restart touches."""
    for_s = "" if one.away_s is None else f" for about {one.away_s:.1f} s"
    if one.role == "proxy":
        return "; ".join((f"restarts {one.host}, a proxy: its own host's clients wait{for_s}", *one.clients))
    lost = ", and no quorum meanwhile" if _is_no_quorum_left(one) else ""
    leader = (f"leadership moves to {one.successor} first",) if one.successor else ()
    restart = f"restarts {one.host}: 1 of {one.members} away{for_s}{lost}"
    return "; ".join((restart, *leader, *one.clients))


def title(job: ReviewedJob, round_: str) -> str:
    """Name a job."""
    if job.successor:
        return f"{job.host}: first hand leadership over to {job.successor}"
    away = f"restarts the {job.radius.role}" if job.radius else "no restart"
    return f"{job.host}: {round_} ({away})"


def folded(same: Same) -> str:
    """Say that a job does the same as an earlier one, and what is its own."""
    own = f", with {_listed(same.values)}" if same.values else ""
    return f"the same as {same.number} ({same.host}){own}"


def waits_first(round_: ReviewedRound) -> str:
    """Say what is waited for before a round begins."""
    return f"first wait until nobody loses by it: {', '.join(round_.first)}"


def waits(job: ReviewedJob, target: str) -> str:
    """Say what is waited for behind a job."""
    return f"then wait until {job.host} is {target}: {', '.join(job.gates)}"


def settings_heading(review: Review) -> str:
    """Say what the old values are."""
    return f"Settings of etcd, from what {'is assumed to run' if review.assumed else 'runs'} now"


def settings(review: Review) -> Iterable[tuple[Setting, tuple[tuple[str, folding.Values], ...]]]:
    """Return each setting once, with the hosts where it is the same, and the values of their own there."""
    by_name: dict[str, list[Setting]] = {}
    for one in review.settings:
        by_name.setdefault(one.name, []).append(one)
    for alike in by_name.values():
        left = alike
        while left:
            first, others = left[0], left[1:]
            differing = [(other, _differing(review, first, other)) for other in others]
            left = [other for other, differs in differing if differs is None]
            yield first, tuple((other.host, differs) for other, differs in differing if differs is not None)


def _differing(review: Review, one: Setting, other: Setting) -> folding.Values | None:
    values = [review.hosts.get(each.host, {}) for each in (one, other)]
    return folding.equal(_said(one), _said(other), *values)


def also(hosts: Iterable[tuple[str, folding.Values]]) -> str:
    """Say where a setting changes in the same way; empty if nowhere."""
    named = [f"{host} ({_listed(values)})" if values else host for host, values in hosts]
    return f"same on {', '.join(named)}" if named else ""


def _listed(values: folding.Values) -> str:
    return ", ".join(f"{name} {own}" for name, own in values.items())


def _said(setting: Setting) -> Sequence[str]:
    return [f"{one.round} {value(one.before)} {value(one.after)}" for one in setting.changes]


def value(text: str | None) -> str:
    """Return a setting's value on one line."""
    return "(not set)" if text is None else shown(text, quote="", limit=_LIMIT)
