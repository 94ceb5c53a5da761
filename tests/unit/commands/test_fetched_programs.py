"""Programs come from the hosts by parts, once for each content, and only as they were announced."""

import base64
import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.commands import as_found
from orchestrator.errors import RefusedError
from orchestrator.etcd.facts.layout import PART_BYTES
from orchestrator.host.questions import Answer, Answers, Question, Script
from orchestrator.plan.layout import Program
from orchestrator.session import Session

CONTENT = b"etcd" * (PART_BYTES // 4) + b"more"
ETCD = Program("/usr/bin/etcd", hashlib.sha256(CONTENT).hexdigest())


class Hosts:
    """Hosts that all have the same file; what is asked is noted."""

    def __init__(self, content: bytes, parts: int | None = None) -> None:
        self.content, self.parts, self.asked = content, parts, list[str]()

    def look(self, questions: Iterable[Question]) -> Answers:
        return {question: self.answer(question) for question in questions}

    def answer(self, question: Question) -> Answer:
        assert isinstance(question, Script)
        self.asked.append(question.host)
        start = 0 if self.parts is None else int(question.arguments[1]) * PART_BYTES
        part = self.content[start : start + PART_BYTES]
        return Answer(0, base64.b64encode(gzip.compress(part, 1)).decode())


def fetch(hosts: Hosts, host: str, store: Path) -> None:
    as_found._fetch(cast("Session", SimpleNamespace(hosts=hosts)), host, ETCD, store)


def test_a_program_is_copied_once(tmp_path: Path) -> None:
    hosts = Hosts(CONTENT, parts=2)
    fetch(hosts, "server1", tmp_path / "store")
    fetch(hosts, "server2", tmp_path / "store")
    assert CONTENT == (tmp_path / "store" / ETCD.sha256).read_bytes()
    assert ["server1"] * 3 == hosts.asked


def test_another_content_than_was_announced_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="server1: /usr/bin/etcd is too large, or was changed"):
        fetch(Hosts(b"another", parts=1), "server1", tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_found, "MOST_PARTS", 3)
    hosts = Hosts(b"endless")
    with pytest.raises(RefusedError, match="too large"):
        fetch(hosts, "server1", tmp_path)
    assert 3 == len(hosts.asked)
