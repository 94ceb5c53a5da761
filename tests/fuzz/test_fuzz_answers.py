"""What etcd, etcdctl and the kernel answer is read, or refused with words; nothing else can come of it."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from engine.world import make_cluster
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.targets import target

from orchestrator.etcd import files, trial
from orchestrator.etcd.api import Health, v2, v3
from orchestrator.etcd.facts import host, listeners, members, process, routes
from orchestrator.etcd.install import unit
from orchestrator.host import lock
from orchestrator.host.questions import Answer, Fact
from orchestrator.plan.facts import Target
from orchestrator.remote import begun

V2, V3 = v2.V2(), v3.V3()
LEAF = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
KEYS = st.sampled_from([
    "members", "ID", "id", "name", "peerURLs", "clientURLs", "isLearner", "Status", "header", "cluster_id",
    "member_id", "leader", "version", "raftIndex", "raftAppliedIndex", "revision", "HashKV", "hash",
    "compact_revision", "health", "etcdserver", "etcdcluster", "x",
])  # fmt: skip
JSON = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)
STATUS = st.sampled_from([0, 0, 0, 1, 124, 137])
TEXT = st.one_of(JSON.map(json.dumps), st.text(max_size=200), JSON.map(lambda value: "\n".join((
    "version " + json.dumps(value), "self " + json.dumps(value), "leader " + json.dumps(value),
    "headers HTTP/1.1 200 OK", "X-Etcd-Cluster-Id: 1f", "X-Raft-Index: 9"))))  # fmt: skip


def complaint(fact: Fact[Health]) -> Callable[[Answer], Any]:
    return lambda answer: fact.reader(answer).complaint("a1")


READERS: dict[str, Callable[[Target], Callable[[Answer], Any]]] = {
    "v2 members": lambda one: V2.members(one).reader,
    "v2 status": lambda one: V2.status(one).reader,
    "v2 health": lambda one: complaint(V2.health(one)),
    "v2 login": lambda one: V2.login(one).reader,
    "v3 members": lambda one: V3.members(one).reader,
    "v3 status": lambda one: V3.status(one).reader,
    "v3 health": lambda one: complaint(V3.health(one)),
    "v3 login": lambda one: V3.login(one).reader,
    "v3 alarms": lambda one: wanted(V3.alarms(one)).reader,
    "v3 hash": lambda one: wanted(V3.hash_at(one, 0)).reader,
    "version": lambda one: members.version(one).reader,
    "files": lambda one: files.lying(one, ()).reader,
    "process": lambda one: process.running(one).reader,
    "trial": lambda one: trial.status(one).reader,
    "unit": lambda one: unit.of(one).reader,
    "clock": lambda one: host.time_of(one.name).reader,
    "ports": lambda one: listeners.listening(one.name).reader,
    "routes": lambda one: routes.of(one).reader,
    "begun": lambda one: begun.runs(one.name).reader,
    "lock": lambda one: lock.held(one.name).reader,
}
SAYS_WHY = {"v2 health", "v3 health", "v2 login", "v3 login"}  # whatever the answer is


def wanted(fact: Fact[Any] | None) -> Fact[Any]:
    assert fact is not None
    return fact


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cluster")
    make_cluster(made)
    return made


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=STATUS, text=TEXT, words=st.text(max_size=20))
@example(status=0, text="null", words="")
@example(status=0, text='{"members": null}', words="")
@example(status=0, text="[]", words="")
@example(status=0, text="[" * 100_000, words="")
@example(status=0, text='[{"Status": null}]', words="")
@example(status=0, text='{"members": [{"ID": 1e400}]}', words="")
@example(status=0, text='{"members": [{"ID": 5, "peerURLs": ["http://a:1\\nx"]}]}', words="")
def test_an_answer_is_read_or_refused(reader: str, status: int, text: str, words: str, folder: Path) -> None:
    try:
        READERS[reader](target(folder, {}))(Answer(status, text, words))
    except ValueError:
        return
    if reader not in SAYS_WHY:
        assert status == 0


BASE64 = st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode())
FIELDS = st.sampled_from([
    "LoadState", "ActiveState", "MainPID", "NRestarts", "ActiveEnterTimestampMonotonic", "clock", "environ",
    "exe", "cmdline", "journal", "drop_in", "file", "Environment",
])  # fmt: skip
LINES = st.lists(st.tuples(FIELDS, st.one_of(BASE64, st.text(max_size=20))), max_size=12).map(
    lambda pairs: "\n".join(f"{name}={value}" for name, value in pairs)
)


@pytest.mark.parametrize("reader", ["process", "unit"])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=LINES)
def test_fields_of_the_kernel_and_systemd_are_read_or_refused(reader: str, text: str, folder: Path) -> None:
    with suppress(ValueError):
        READERS[reader](target(folder, {}))(Answer(0, text))
