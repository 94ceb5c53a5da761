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
from unit.etcd.test_settings import subject

from orchestrator import lock
from orchestrator.etcd import files, process
from orchestrator.etcd.api import v2, v3
from orchestrator.etcd.preflight import ports, routes, unit
from orchestrator.operations import Answer
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


READERS: dict[str, Callable[[Answer, Path], Any]] = {
    "v2 members": lambda answer, _: V2.read_members(answer),
    "v2 status": lambda answer, _: V2.read_status(answer),
    "v2 health": lambda answer, _: V2.complaint(answer, "a1"),
    "v3 members": lambda answer, _: V3.read_members(answer),
    "v3 status": lambda answer, _: V3.read_status(answer),
    "v3 health": lambda answer, _: V3.complaint(answer, "a1"),
    "v3 alarms": lambda answer, _: V3.read_alarms(answer),
    "v3 hash": lambda answer, _: V3.read_hash(answer),
    "files": lambda answer, _: files.parse(answer),
    "process": lambda answer, folder: process.read(one := subject(folder, {}), {process.check(one): answer}),
    "unit": lambda answer, folder: unit.read(one := subject(folder, {}), {unit.check(one): answer}),
    "ports": lambda answer, _: ports.listeners(answer.text),
    "routes": lambda answer, _: routes.read(answer),
    "heard": lambda answer, _: routes.heard(answer),
    "begun": lambda answer, _: begun.read(answer),
    "lock": lambda answer, _: str(lock.read(answer.stdout)),
}


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
        READERS[reader](Answer(status, text, words), folder)
    except ValueError:
        return
    if reader not in {"v2 health", "v3 health", "lock"}:  # these say why, whatever the answer is
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
        READERS[reader](Answer(0, text), folder)
