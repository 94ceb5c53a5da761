"""The review says of each step whether it takes a member away, and nothing but a restart does that."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine.walking import compiled
from engine.world import World, make_cluster
from support.reviews import reviewed, shown

from orchestrator.commands.phases.seen import described_sources
from orchestrator.etcd.gather import gather
from orchestrator.etcd.settings import LISTEN_CLIENT
from orchestrator.host.operations import Job, Operation, Remove, Run, Write
from orchestrator.output import Styled
from orchestrator.plan.facts import Source
from orchestrator.report.review import markdown, settings, text, wording
from orchestrator.report.review.model import Radius


def test_only_a_restart_takes_a_member_away_whatever_a_path_is_called(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = World(cluster)
    runbook = compiled(cluster, world)
    jobs = [
        Job(f"ab12-{step.id}", step.host, step.operations, 60.0, step=step.id)
        for step in (runbook.step("stage/server1"), runbook.step("accept/server1"))
    ]
    reported = [line.strip() for line in shown(reviewed(cluster, world, runbook, jobs)).splitlines()]
    assert "1. server1: stage (no restart)" in reported
    assert "2. server1: accept (restarts the member)" in reported

    quiet = (Remove("/srv/restart/ca.pem"), Run(("etcdctl", "put", "restart", "now")))
    assert not replace(runbook.step("accept/server1"), operations=quiet).restarts


def test_whoever_has_gone_a_part_of_the_way_goes_on_from_there(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = World(cluster)
    runbook = compiled(cluster, world)
    steps = [runbook.step(f"bridge/{host}") for host in ("server2", "server3")]
    steps += [runbook.step(f"switch/server{number}") for number in (1, 2, 3)]
    jobs = [Job(f"ab12-{one.id}", one.host, one.operations, 60.0, step=one.id) for one in steps]
    review = reviewed(cluster, world, runbook, jobs)
    ways = ["server1: from bridged to sealed.", "server2, server3: from accepting to sealed."]
    assert ways == shown(review).splitlines()[1:3]
    assert "- server2, server3: from `accepting` to `sealed`." in markdown.rendered(review).splitlines()
    alone = reviewed(cluster, world, runbook, jobs[:1])
    assert 1 == shown(alone).count(": from ")
    assert shown(alone).startswith("Migration bridge of cluster three-members: 1 step, 0 restarts.")
    assert " from " not in shown(reviewed(cluster, world, runbook, [])).splitlines()[1]


def test_a_review_of_proxies_alone_says_nothing_of_members_that_are_away() -> None:
    proxy = Radius("proxy1", "proxy", 3, None, None, ())
    assert "its own host's clients wait" in wording.radius(proxy)
    said = " ".join(wording.away([proxy]))
    assert "member" not in said
    assert "clients on its own host" in said


def test_where_settings_are_changed_is_said_before_the_steps(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = World(cluster)
    runbook = compiled(cluster, world)
    facts = gather(cluster, World(cluster).look)
    flagged = facts.members["server2"].model_copy(
        update={"source": Source(flags=("ETCD_NAME",), command="/usr/bin/etcd --name=a")}
    )
    others = facts.model_copy(update={"members": {**facts.members, "server2": flagged}})
    reported = "server2: settings from flags in ExecStart=, changed there by files of ours beside theirs."
    assert [] == list(described_sources(facts))
    assert [reported] == list(described_sources(others))
    review = reviewed(cluster, world, runbook, [], sources=tuple(described_sources(others)))
    assert reported in shown(review).splitlines()[:6]


def test_what_a_restart_touches_is_said_in_a_line() -> None:
    one = Radius("server2", "member", 3, 1.84, "server1", ("clients on :2379 keep http",))
    assert (
        "restarts server2: 1 of 3 away for about 1.8 s; leadership moves to server1 first; "
        "clients on :2379 keep http" == wording.radius(one)
    )
    alone = Radius("server1", "member", 2, None, None, (":2379 speaks https from then on, no http",))
    assert (
        "restarts server1: 1 of 2 away, and no quorum meanwhile; :2379 speaks https from then on, no http"
        == wording.radius(alone)
    )
    proxy = Radius("proxy1", "proxy", 3, None, None, ())
    assert "restarts proxy1, a proxy: its own host's clients wait" == wording.radius(proxy)


@pytest.mark.parametrize(
    ("members", "waits"),
    [
        (1, "every client waits"),
        (2, "every client waits"),
        (3, "others use the rest"),
        (5, "others"),
        (7, "others"),
    ],
)
def test_the_summary_says_who_waits_while_a_member_is_away(tmp_path: Path, members: int, waits: str) -> None:
    cluster = make_cluster(tmp_path, members)
    world = World(cluster)
    runbook = compiled(cluster, world)
    step = runbook.step("accept/server1")
    job = Job(f"ab12-{step.id}", step.host, step.operations, 60.0, step=step.id)
    reported = shown(reviewed(cluster, world, runbook, [job]))
    assert [waits in line for line in reported.splitlines() if "is away" in line or "is back" in line] == [
        True
    ]
    assert f"1 of {members} away" in reported


@pytest.mark.parametrize(
    ("before", "behind", "said"),
    [
        ("http://0.0.0.0:2379", "http://0.0.0.0:2379", ["clients on :2379 keep http"]),
        ("http://0.0.0.0:2379", "https://0.0.0.0:2379", [":2379 speaks https from then on, no http"]),
        (
            "http://0.0.0.0:2379",
            "http://0.0.0.0:2379,https://0.0.0.0:2379",
            ["clients on :2379 keep http, and find https too"],
        ),
        (
            "http://0.0.0.0:2379,https://0.0.0.0:2379",
            "https://0.0.0.0:2379,http://127.0.0.1:4001",
            [":2379 speaks https from then on, no http", ":4001 opens with http"],
        ),
        (
            "https://[::]:2379,http://127.0.0.1:4001",
            "https://[::]:2379",
            ["clients on :2379 keep https", ":4001 closes (http)"],
        ),
    ],
    ids=["the same", "https alone", "both", "a local port", "closed"],
)
def test_what_clients_find_on_each_port_behind_a_restart(before: str, behind: str, said: list[str]) -> None:
    assert said == list(settings.clients({LISTEN_CLIENT: before}, {LISTEN_CLIENT: behind}))


def test_what_is_new_is_green_and_what_goes_is_red(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = World(cluster)
    runbook = compiled(cluster, world)
    one: tuple[Operation, ...] = (
        Write("/etc/x", "old\nsame\n"),
        Write("/etc/x", "new\nsame\n"),
        Remove("/etc/x"),
    )
    jobs = [Job("1", "server1", one, 60.0, step="accept/server1")]
    review = reviewed(cluster, world, runbook, jobs)
    found = {str(part): part.style for part in text.parts(review) if isinstance(part, Styled)}
    assert ("green", "red") == (found["+ new"], found["- old"])
    contents = [action.content for job in review.jobs for action in job.actions]
    assert [
        ("+ old", "+ same"),
        ("@@ -1,2 +1,2 @@", "- old", "+ new", "  same"),
        ("- new", "- same"),
    ] == contents


def test_values_that_may_be_secret_are_in_no_diff(tmp_path: Path) -> None:
    cluster = make_cluster(tmp_path)
    world = World(cluster)
    files = (Write("/etc/x", "a-password: one\nb: 1\n"), Write("/etc/x", "a-password: two\nb: 1\n"))
    jobs = [Job("1", "server1", files, 60.0, step="accept/server1")]
    review = reviewed(cluster, world, compiled(cluster, world), jobs)
    first, second = (action.content for action in review.jobs[0].actions)
    assert ("+ a-password: replaced", "+ b: 1") == first
    assert ("(only values differ that may be secret, and are not shown)",) == second


def test_text_from_elsewhere_means_nothing_in_markdown() -> None:
    assert r"\[a\](b) \<script\> \*\* \\x1b\[1m" == markdown.plain("[a](b) <script> ** \x1b[1m")
    assert ("`a`", "``a`b``", "`` `a ``") == tuple(map(markdown.code, ("a", "a`b", "`a")))
    assert ["````diff", "```", "````"] == list(markdown.fenced(["```"], "diff"))
