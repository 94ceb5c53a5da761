"""Programs come from the hosts once for each content, and only as they were announced."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.commands import as_found
from orchestrator.errors import RefusedError
from orchestrator.host.questions import Answer, Answers, Download, Question
from orchestrator.plan.layout import Program
from orchestrator.session import Session

GIVEN = Answer(0, "")
CONTENT = b"etcd" * 1000
ETCD = Program("/usr/bin/etcd", hashlib.sha256(CONTENT).hexdigest())


class Hosts:
    """Hosts that all have the same file; what is asked is noted."""

    def __init__(self, content: bytes, answer: Answer = GIVEN) -> None:
        self.content, self.answer, self.asked = content, answer, list[str]()

    def look(self, questions: Iterable[Question]) -> Answers:
        answers = {}
        for question in questions:
            assert isinstance(question, Download)
            assert (ETCD.path,) == question.arguments
            self.asked.append(question.host)
            assert 0o600 == question.into.stat().st_mode & 0o777
            question.into.write_bytes(self.content)
            answers[cast("Question", question)] = self.answer
        return answers


def fetch(hosts: Hosts, host: str, store: Path) -> None:
    as_found._fetch(cast("Session", SimpleNamespace(hosts=hosts)), host, ETCD, store)


def test_a_program_is_copied_once(tmp_path: Path) -> None:
    hosts, left = Hosts(CONTENT), tmp_path / "store" / f"{ETCD.sha256}.unfinished"
    left.parent.mkdir()
    left.touch(mode=0o644)
    fetch(hosts, "server1", tmp_path / "store")
    fetch(hosts, "server2", tmp_path / "store")
    assert CONTENT == (tmp_path / "store" / ETCD.sha256).read_bytes()
    assert ["server1"] == hosts.asked


def test_another_content_than_was_announced_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="server1: /usr/bin/etcd was changed while it was copied"):
        fetch(Hosts(b"another"), "server1", tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_half_a_program_is_none(tmp_path: Path) -> None:
    gone = Answer(1, "", "cat: /usr/bin/etcd: Input/output error\n")
    with pytest.raises(RefusedError, match=r"server1: /usr/bin/etcd cannot be copied: cat: .*output error"):
        fetch(Hosts(CONTENT[:99], gone), "server1", tmp_path)
    assert not (tmp_path / ETCD.sha256).exists()
