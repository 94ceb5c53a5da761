"""Another etcd on the host that has its certificates where the plan puts this one's is named."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.scripts import shell
from support.sites import judged, make_site

from orchestrator.etcd.facts.neighbours import SCRIPT
from orchestrator.host.questions import Answer

REPORTED = (
    "109 /etc/etcd2/ca.pem kv@second.service\n109 /etc/etcd2/a.pem kv@second.service\n7 /etc/etcd2/ca.pem "
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(0, ""), [("pass", "no other etcd uses files in /etc/etcd2")]),
        (
            Answer(0, REPORTED),
            [
                ("fail", "kv@second.service (pid 109) uses /etc/etcd2/ca.pem, /etc/etcd2/a.pem"),
                ("fail", "another etcd (pid 7) uses /etc/etcd2/ca.pem"),
            ],
        ),
        (Answer(124, ""), [("fail", "cannot tell: no answer in time")]),
    ],
)
def test_each_of_them_is_named_with_its_files(
    tmp_path: Path, answer: Answer, expected: list[tuple[str, str]]
) -> None:
    found = judged("other etcds", make_site(tmp_path), {SCRIPT: answer})
    assert expected == [(one.verdict, one.evidence) for one in found]


@contextmanager
def etcd(folder: Path, variables: Mapping[str, str]) -> Iterator[int]:
    """A process that is called etcd and has these variables."""
    program = folder / "etcd-v3"
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "60"], env=variables)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def used(folder: Path, own: int, *paths: Path) -> list[str]:
    """The first two words of each line that the script prints; the unit is the test run's."""
    systemctl = folder / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho {own}\n")
    systemctl.chmod(0o755)
    words = " ".join(map(str, paths))
    done = shell(f"PATH={folder}:$PATH\nset -- etcd2 {words}\n{SCRIPT}")
    assert (0, "") == (done.returncode, done.stderr)
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("variables", "finds"),
    [
        ({"ETCD_PEER_CERT_FILE": "{0}/ca.pem"}, True),
        ({"ETCD_PEER_CERT_FILE": "{0}/linked.pem"}, False),
        ({"ETCD_PEER_CERT_FILE": "{0}/ca.pem.old"}, False),
        ({"ETCD_CONFIG_FILE": "{0}/etcd.yml"}, True),
    ],
)
def test_a_file_is_used_by_whoever_names_it(tmp_path: Path, variables: dict[str, str], finds: bool) -> None:  # noqa: FBT001 - a row
    ca = tmp_path / "ca.pem"
    ca.touch()
    (tmp_path / "etcd.yml").write_text(
        f"name: a\npeer-transport-security:\n  trusted-ca-file: '{ca}' # mine\n"
    )
    with etcd(tmp_path, {name: value.format(tmp_path) for name, value in variables.items()}) as pid:
        assert ([f"{pid} {ca}"] if finds else []) == used(tmp_path, 1, ca, tmp_path / "not-there.pem")
        assert [] == used(tmp_path, pid, ca)


def test_what_is_no_etcd_is_none(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    process = subprocess.Popen(["/bin/sleep", "60"], env={**os.environ, "ETCD_PEER_CERT_FILE": str(ca)})
    try:
        assert [] == used(tmp_path, 1, ca)
    finally:
        process.kill()
        process.wait()
