"""Members that answer as etcd does, and may disagree."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.errors import HostUnreachableError
from orchestrator.etcd.api import v2, v3
from orchestrator.host.operations import Job, JobResult
from orchestrator.host.questions import Answer, Answers, Question, Script

NAMES = ("server1", "server2", "server3")


LEADER = "server1"


@dataclass
class Store:
    """What one member holds; its keys are as good as their hash."""

    revision: int = 10
    compacted: int = -1
    keys: int = 77
    size_bytes: int = 0


@dataclass
class Members:
    """Three members' stores; ``written`` is how many revisions come in with each look."""

    stores: dict[str, Store] = field(default_factory=lambda: {name: Store() for name in NAMES})
    written: int = 0
    lost: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    patience_s: list[float] = field(default_factory=list)  # with each answer of those who were asked

    def look(self, questions: Iterable[Question]) -> Answers:
        found = {question: self._answer(question) for question in questions}
        for store in self.stores.values():
            store.revision += self.written
        return found

    def _answer(self, question: Question) -> Answer:
        assert isinstance(question, Script)
        if question.host in self.lost:
            raise HostUnreachableError(question.host, "timed out")
        store = self.stores[question.host]
        if question.script == v2.STATUS:
            bodies = ('version {"etcdserver":"2.3.8"}', 'self {"id":"a1"}', 'leader {"id":"a1"}')
            headers = "HTTP/1.1 200 OK\nX-Etcd-Cluster-Id: c1\nX-Raft-Index: 5\n"
            return Answer(0, "\n".join((*bodies, f"headers {headers}")))
        if question.script == v3.ASK:
            number = NAMES.index(question.host) + 1
            header = {"cluster_id": 1, "member_id": number, "revision": store.revision}
            status = {"header": header, "version": "3.4.23", "leader": NAMES.index(LEADER) + 1}
            status |= {"dbSize": store.size_bytes}
            return Answer(0, json.dumps([{"Status": status}]))
        assert question.script == v3.HASH
        self.asked.append(question.host)
        self.patience_s.append(question.timeout_s)
        return self._hashed(store, int(question.arguments[4]))

    def _hashed(self, store: Store, revision: int) -> Answer:
        refusal = "compacted" if 0 < revision <= store.compacted else ""
        refusal = "a future revision" if revision > store.revision else refusal
        if refusal:
            return Answer(1, "[]", f"Error: etcdserver: mvcc: required revision is {refusal}")
        reported = {
            "header": {"revision": store.revision},
            "hash": store.keys,
            "compact_revision": store.compacted,
        }
        return Answer(0, json.dumps([{"HashKV": reported}]))

    def perform(self, job: Job) -> JobResult:
        raise AssertionError(job)
