"""Cases of gates: a world in some state, what is different in it, and what a gate then says of a host.

A case names the question whose answer is another one by the script that it runs or by the URL that it asks,
so that it stays true when a gate asks more, or in another order.
"""

import base64
import hashlib
import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.sourced import SourcedWorld, in_a_file
from engine.walking import run
from engine.world import World, make_cluster

import orchestrator.etcd
from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd.checks.gate import HostCheck
from orchestrator.etcd.gather import gather
from orchestrator.host.questions import Answer, HttpProbe, Question
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Facts, Target
from orchestrator.plan.model import Clients
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_forward

IN_PLACE = {"edited", "settled"}  # states that only such a plan comes to
Reply = Callable[[Answer], Answer]


@dataclass
class Scene:
    """One host in a world of its own, and the answers that are not the world's."""

    world: World
    target: Target
    replies: list[tuple[str, str, Reply | Answer]] = field(default_factory=list)

    def answer(self, question: Question) -> Answer:
        """Answer as the world does, unless the case says otherwise; the last word counts."""
        what, spoken = asked(question), None
        for host, pattern, reply in self.replies:
            if host == question.host and re.search(pattern, what):
                spoken = reply(spoken or self._of_world(question)) if callable(reply) else reply
        return spoken or self._of_world(question)

    def _of_world(self, question: Question) -> Answer:
        return self.world.look([question])[question]


Change = Callable[[Scene], None]
Layout = Callable[[Mapping[str, str]], tuple[str, dict[str, str]]]


@dataclass(frozen=True)
class Case:
    """A gate of a host in a state, with what is different there; ``refused`` is in the reason, if any.

    ``layout`` is where the operator's own files have the settings, in states of a plan that edits them.
    """

    gate: str
    state: str
    given: tuple[Change, ...] = ()
    refused: str | None = None
    host: str = "server1"
    migration: str = "bridge"
    layout: Layout = in_a_file

    def __str__(self) -> str:
        return f"{self.gate}: {self.refused or 'holds'}"


@cache
def _scripts() -> dict[str, str]:
    """Name every script of the package by its module and constant, such as ``process.SCRIPT``."""
    found: dict[str, str] = {}
    for info in pkgutil.walk_packages(orchestrator.etcd.__path__, "orchestrator.etcd."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            for text in value.values() if isinstance(value, dict) else (value,):
                if isinstance(text, str) and name.isupper():
                    found.setdefault(text, f"{info.name.rpartition('.')[2]}.{name}")
    return found


def asked(question: Question) -> str:
    """Say what is asked: the script's name and its arguments, or the request with what is shown."""
    if not isinstance(question, HttpProbe):
        return " ".join((_scripts()[question.script], *question.arguments))
    shown = "stranger" if question.is_stranger else "certificate" if question.certificate else "nothing"
    return f"GET {question.url} {shown}"


class Stage:
    """Makes worlds, each state of each migration once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, str, Layout], tuple[World, Facts]] = {}

    def scene(self, case: Case) -> Scene:
        """Return a scene for a case, nobody else's."""
        key = case.migration, case.state, case.layout
        if key not in self._made:
            self._made[key] = self._make(*key)
        world, facts = deepcopy(self._made[key])
        host = world.cluster.host(case.host)
        scene = Scene(world, Target(world.cluster, facts, host))
        for change in case.given:
            change(scene)
        return scene

    def _make(self, migration: str, state: str, layout: Layout) -> tuple[World, Facts]:
        cluster = make_cluster(self._folder, proxies=1)
        if state == "closed":
            cluster = cluster.model_copy(update={"clients": Clients(close=("local",))})
        world = self._in_place(layout) if state in IN_PLACE else World(cluster)
        cluster = world.cluster
        facts = gather(cluster, world.look)
        runbook = compile_forward(cluster, facts, MIGRATIONS[migration])
        if state not in {"plaintext", "relaying"}:
            context = RunContext(cluster.patience, sleep=lambda _: None)
            run(runbook, LiveExecutor(world), MemoryEventLog(), context, until=state)
        world.performed.clear()  # nobody looks at how it came about, and copying takes time
        for host in cluster.hosts:
            world.place(host.name).results.clear()
        return world, facts

    def _in_place(self, layout: Layout) -> World:
        """A world whose plan has the operator's own files edited; it has no proxies."""
        cluster = make_cluster(self._folder).model_copy(update={"persist": "in_place"})
        return SourcedWorld(cluster, layout)


def verdict(stage: Stage, make: HostCheck, case: Case) -> str | None:
    """Return what a gate says in a case."""
    scene = stage.scene(case)
    gate = make(scene.target)
    return gate.refusal({question: scene.answer(question) for question in gate.questions})


def failures(stage: Stage, make: Callable[[str], HostCheck], cases: Iterable[Case]) -> list[str]:
    """Return each case in which a gate says something else."""
    found = []
    for case in cases:
        said = verdict(stage, make(case.gate), case)
        is_right = said is None if case.refused is None else said is not None and case.refused in said
        if not is_right:
            found.append(f"{case}: in {case.state}, {case.host}, it said {said!r}")
    return found


# What can be different


def says(host: str, what: str, reply: Reply | Answer) -> Change:
    """Have a host answer otherwise whatever is asked in words that a pattern finds."""

    def change(scene: Scene) -> None:
        before = len(scene.replies)
        scene.replies.append((host, what, reply))
        assert len(scene.replies) == before + 1

    return change


def fails(host: str, what: str, said: str = "timed out", status: int = 1) -> Change:
    """Have a question to a host fail."""
    return says(host, what, Answer(status, "", said))


def prints(host: str, what: str, text: str) -> Change:
    """Have a question to a host answered with this text."""
    return says(host, what, Answer(0, text))


def tells_json(host: str, what: str, edit: Callable[[Any], object]) -> Change:
    """Change the JSON that a question to a host is answered with, in place."""

    def reply(answer: Answer) -> Answer:
        reported = json.loads(answer.stdout)
        edit(reported)
        return replace(answer, stdout=json.dumps(reported))

    return says(host, what, reply)


def sees(viewer: str, member: str, **fields: object) -> Change:
    """Have a member see another one registered otherwise (``peerURLs``, ``clientURLs``), or not at all."""

    def edit(reported: dict[str, list[dict[str, object]]]) -> None:
        (one,) = (each for each in reported["members"] if each["name"] == member)
        one.update(fields)
        if not fields:
            reported["members"].remove(one)

    return tells_json(viewer, "member list", edit)


def status(host: str, **fields: object) -> Change:
    """Have a member say something else of itself; ``member_id`` is its header's."""

    def edit(reported: list[dict[str, dict[str, Any]]]) -> None:
        own = reported[0]["Status"]
        header = {name: fields[name] for name in fields if name in own["header"]}
        own["header"].update(header)
        own.update({name: value for name, value in fields.items() if name not in header})

    return tells_json(host, "endpoint status", edit)


def runs(host: str, **variables: str | None) -> Change:
    """Have a host's process run with other variables; None takes one away."""

    def change(scene: Scene) -> None:
        environment = scene.world.place(host).environment
        for name, value in variables.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value

    return change


def runs_as(host: str, *words: str) -> Change:
    """Have a host's process be started with this command line."""

    def reply(answer: Answer) -> Answer:
        encoded = base64.b64encode("".join(f"{word}\0" for word in words).encode()).decode()
        return replace(answer, stdout=re.sub(r"(?m)^cmdline=.*$", f"cmdline={encoded}", answer.stdout))

    return says(host, "^process.SCRIPT", reply)


def down(host: str) -> Change:
    """Have a host's etcd not run."""

    def change(scene: Scene) -> None:
        scene.world.place(host).is_running = False

    return change


def lies(
    host: str, path: str, text: str = "somebody else's", mode: int = 0o644, owner: str = "root"
) -> Change:
    """Have a file lie on a host."""

    def change(scene: Scene) -> None:
        scene.world.place(host).files[path] = (text, mode, owner, owner)

    return change


def gone(host: str, path: str) -> Change:
    """Have a file be gone from a host."""

    def change(scene: Scene) -> None:
        del scene.world.place(host).files[path]

    return change


def plan(**fields: object) -> Change:
    """Have the plan say something else."""

    def change(scene: Scene) -> None:
        scene.target = replace(scene.target, cluster=scene.target.cluster.model_copy(update=fields))

    return change


def tls(**fields: object) -> Change:
    """Have the plan's ``tls`` say something else."""

    def change(scene: Scene) -> None:
        plan(tls=scene.target.cluster.tls.model_copy(update=fields))(scene)

    return change


def found(host: str, **fields: object) -> Change:
    """Have something else be found on a host before the first change."""

    def change(scene: Scene) -> None:
        facts = scene.target.facts
        role = "members" if host in facts.members else "proxies"
        hosts = dict(getattr(facts, role))
        hosts[host] = hosts[host].model_copy(update=fields)
        scene.target = replace(scene.target, facts=facts.model_copy(update={role: hosts}))

    return change


def overlapping(scene: Scene) -> None:
    """Have clients be served over https beside http."""
    scene.target = replace(scene.target, facts=scene.target.facts.model_copy(update={"overlaps": True}))


def interface(name: str) -> Change:
    """Have the members be driven through another of etcd's interfaces."""

    def change(scene: Scene) -> None:
        facts = scene.target.facts.model_copy(update={"api": name})
        scene.target = replace(scene.target, facts=facts)

    return change


def sha256(text: str) -> str:
    """Return the digest that a host tells of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()
