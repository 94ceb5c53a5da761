"""A review for programs: one JSON document, whose ``format`` grows when a field changes its meaning."""

import json
from collections.abc import Mapping

from orchestrator.report.review import wording
from orchestrator.report.review.model import Action, Radius, Review, ReviewedJob, ReviewedRound, Setting

FORMAT = 1


def rendered(review: Review) -> str:
    """Return the review as JSON; docs/review.md says what its fields mean."""
    return json.dumps(data(review), indent=2)


def data(review: Review) -> Mapping[str, object]:
    """Return the review as plain data: nothing is folded, and nothing secret is in it."""
    return {
        "format": FORMAT,
        "cluster": review.cluster,
        "migration": review.migration,
        "direction": review.direction,
        "runbook": review.runbook,
        "outline": review.outline,
        "jobs": len(review.jobs),
        "restarts": [_radius(one) for one in review.restarts],
        "notes": [{"label": note.label, "text": note.text} for note in review.notes],
        "assumed": list(review.assumed),
        "ways": [
            {"hosts": list(way.hosts), "from": way.source, "to": way.target, "meaning": way.meaning}
            for way in review.ways
        ],
        "at_the_end": list(review.ends),
        "times": list(review.times),
        "cannot_be_undone": list(review.lasting),
        "sources": list(review.sources),
        "always": list(review.always),
        "settings": [_setting(one) for one in review.settings],
        "rounds": [_round(one) for one in review.rounds],
    }


def _setting(setting: Setting) -> Mapping[str, object]:
    changes = [{"round": one.round, "old": one.before, "new": one.after} for one in setting.changes]
    return {"host": setting.host, "name": setting.name, "changes": changes}


def _round(one: ReviewedRound) -> Mapping[str, object]:
    return {
        "name": one.name,
        "from": one.source,
        "to": one.target,
        "order": one.order,
        "waits_first": list(one.first),
        "jobs": [_job(job) for job in one.jobs],
    }


def _job(job: ReviewedJob) -> Mapping[str, object]:
    return {
        "number": job.number,
        "host": job.host,
        "step": job.step,
        "hands_over_to": job.successor,
        "restart": _radius(job.radius) if job.radius else None,
        "same_as": job.same.number if job.same else None,
        "differs_in": dict(job.same.values) if job.same else {},
        "operations": [_action(action) for action in job.actions],
        "gates": list(job.gates),
    }


def _action(action: Action) -> Mapping[str, object]:
    return {
        "does": type(action.operation).__name__,
        "line": action.line,
        "diff": list(action.content),
        "is_assumed": action.is_assumed,
    }


def _radius(one: Radius) -> Mapping[str, object]:
    return {
        "host": one.host,
        "role": one.role,
        "members": one.members,
        "away_s": one.away_s,
        "leadership_to": one.successor,
        "clients": list(one.clients),
        "text": wording.radius(one),
    }
