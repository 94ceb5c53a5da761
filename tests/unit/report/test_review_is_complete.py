"""What is reviewed is what runs: every operation of every job is in a review, shown or folded away."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import compiled, context, run
from engine.world import World, make_cluster
from support.reviews import reviewed, shown, targets

from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.host.operations import Job, Operation, Run, Write
from orchestrator.plan.model import Cluster
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import LiveExecutor
from orchestrator.remote.job_script import render
from orchestrator.report.review import as_json, by_hand, folding, markdown
from orchestrator.report.review.model import Review, ReviewedJob
from orchestrator.runbook.model import Runbook, holds_material


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    made = make_cluster(tmp_path, proxies=2)
    for host in made.etcd_hosts:
        host.key.write_text(f"-----BEGIN PRIVATE KEY-----\n{body(host.name)}\n-----END PRIVATE KEY-----\n")
    return made


def body(name: str) -> str:
    """What stands in a host's key, and nowhere else."""
    return base64.b64encode(f"the key of {name}".encode()).decode()


@pytest.fixture
def world(cluster: Cluster) -> World:
    return World(cluster)


@pytest.fixture
def runbook(cluster: Cluster, world: World) -> Runbook:
    return compiled(cluster, world)


@pytest.fixture
def jobs(cluster: Cluster, world: World, runbook: Runbook) -> list[Job]:
    rehearsal = DryRunExecutor(LiveExecutor(world))
    run(runbook, rehearsal, MemoryEventLog(), context(cluster))
    return rehearsal.jobs


@pytest.fixture
def review(cluster: Cluster, world: World, runbook: Runbook, jobs: list[Job]) -> Review:
    return reviewed(cluster, world, runbook, jobs)


def test_every_operation_of_every_job_is_in_the_review_in_its_order(review: Review, jobs: list[Job]) -> None:
    assert [(job.host, job.step, job.successor, job.operations) for job in jobs] == [
        (job.host, job.step, job.successor, tuple(action.operation for action in job.actions))
        for job in review.jobs
    ]
    assert [[render(operation) for operation in job.operations] for job in jobs] == [
        [operation["line"] for operation in job["operations"]]
        for one in json.loads(as_json.rendered(review))["rounds"]
        for job in one["jobs"]
    ]


def test_a_terminal_shows_every_line_of_what_is_not_folded_and_names_where_the_rest_is(
    review: Review,
) -> None:
    lines = [line.strip() for line in shown(review, verbose=True).splitlines()]
    number = {"shown": 0, "folded": 0}
    for job in review.jobs:
        if job.same:
            number["folded"] += 1
            assert any(line.startswith(f"the same as {job.same.number} ({job.same.host})") for line in lines)
        else:
            number["shown"] += 1
            assert not [action.line for action in job.actions if action.line not in lines]
            assert not [line for action in job.actions for line in action.content if f"| {line}" not in lines]
    assert number["folded"] > number["shown"]


def unfolded(job: ReviewedJob, model: ReviewedJob, review: Review) -> list[str]:
    """What a folded job does, by the job that it is like, and by its own values."""
    own = review.hosts[job.host]
    named = {value: own[name] for name, value in review.hosts[model.host].items()}
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, named))})(?![A-Za-z0-9])")
    return [pattern.sub(lambda match: named[match[0]], text) for text in said(model)]


def said(job: ReviewedJob) -> list[str]:
    """What a job does, without digests and sizes, which follow from the rest."""
    return [
        re.sub(r"\d+ bytes, sha256 [0-9a-f]{12}…", "", line)
        for action in job.actions
        for line in (action.line, *action.content)
    ]


def test_what_is_folded_is_told_whole_by_the_job_that_it_is_like_and_by_its_values(review: Review) -> None:
    by_number = {job.number: job for job in review.jobs}
    folded = [(job, by_number[job.same.number]) for job in review.jobs if job.same]
    together = re.compile(r"ETCD_INITIAL_CLUSTER=")  # it names all hosts, and is the same on each
    for job, model in folded:
        theirs = [line for line in unfolded(job, model, review) if not together.search(line)]
        assert [line for line in said(job) if not together.search(line)] == theirs
        assert [line for line in said(job) if together.search(line)] == [
            line for line in said(model) if together.search(line)
        ]
        material = [each.operation for each in job.actions if holds_material(each.operation)]
        for operation, other in zip(material, model.actions, strict=False):
            assert isinstance(operation, Write)
            if operation not in [each.operation for each in model.actions]:
                assert f"sha256 of {operation.path}" in (job.same.values if job.same else {}), other


@pytest.mark.parametrize(
    "change",
    [
        lambda operations: (*operations, Run(("systemctl", "restart", "etcd2.service"))),
        lambda operations: operations[:-1],
        lambda operations: (*operations[:-1], Run(("update-ca-certificates", "--fresh"))),
        lambda operations: (replace(operations[0], mode=0o700), *operations[1:]),
        lambda operations: (operations[0], replace(operations[1], mode=0o600), *operations[2:]),
        lambda operations: (operations[1], operations[0], *operations[2:]),
    ],
    ids=["one more", "one less", "another word", "another mode", "a file's mode", "another order"],
)
def test_a_job_that_does_anything_else_is_not_folded(
    cluster: Cluster, world: World, runbook: Runbook, jobs: list[Job], change: object
) -> None:
    assert callable(change)
    operations: tuple[Operation, ...] = change(jobs[1].operations)
    changed = [jobs[0], replace(jobs[1], operations=operations), *jobs[2:]]
    found = reviewed(cluster, world, runbook, changed).jobs
    assert found[1].same is None
    assert found[2].same is not None
    assert found[2].same.number == 1


def test_another_hosts_values_are_no_reason_to_fold() -> None:
    one, other = {"name": "server1", "address": "198.18.0.1"}, {"name": "server2", "address": "198.18.0.2"}
    own = folding.equal(["https://198.18.0.1:2379 server1"], ["https://198.18.0.2:2379 server2"], one, other)
    assert other == own
    assert {} == folding.equal(["server1=http://198.18.0.1"], ["server1=http://198.18.0.1"], one, other)
    for theirs in (
        "https://198.18.0.3:2379 server2",
        "https://198.18.0.20:2379 server2",
        "x server2",
        "server2",
    ):
        assert folding.equal(["https://198.18.0.1:2379 server1"], [theirs], one, other) is None


def test_no_rendering_holds_a_key(cluster: Cluster, world: World, review: Review) -> None:
    renderings = [
        shown(review, verbose=True),
        as_json.rendered(review),
        markdown.rendered(review),
        by_hand.rendered(review, targets(cluster, world)),
        repr(review),
    ]
    bodies = [body(host.name) for host in cluster.etcd_hosts]
    assert all(body_ in host.key.read_text() for body_, host in zip(bodies, cluster.etcd_hosts, strict=True))
    assert [] == [each for each in bodies if any(each in text for text in renderings)]
