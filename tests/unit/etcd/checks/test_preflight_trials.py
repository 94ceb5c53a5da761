"""Whether a host can carry a trial: what is read of it, and what is said of what it lacks."""

import shlex
from pathlib import Path

import pytest
from support.scripts import shell
from support.sites import judged, make_site, verdicts

from orchestrator.etcd.trial import carrying
from orchestrator.host.questions import Answer

WELL = {
    "systemd": "252",
    "DynamicUser": "no",
    "Type": "notify",
    "available": str(4 * 2**20),
    "log": "/d/member/wal",
}
CLOSED = "dialled=http://198.18.0.102:12380/ 7 Connection refused"


def said(folder: Path, *dialled: str, **changes: str) -> list[tuple[str, str]]:
    lines = [*(f"{key}={value}" for key, value in {**WELL, **changes}.items()), *dialled]
    findings = judged("trial", make_site(folder), {carrying.SCRIPT: Answer(0, "\n".join(lines))})
    return [(one.verdict, one.evidence) for one in findings]


def test_a_port_that_is_closed_is_a_port_that_is_reached(tmp_path: Path) -> None:
    (found,) = said(tmp_path, CLOSED, "dialled=http://198.18.0.103:12380/ 7 ")
    assert found == ("pass", "4096 MiB of memory, port 12380 of every other member is in reach")


@pytest.mark.parametrize(
    ("dialled", "reported"),
    [
        ("http://198.18.0.103:12380/ 28 ", "cannot reach 198.18.0.103:12380: no answer within 3 s"),
        (
            "http://198.18.0.103:12380/ 7 No route to host",
            "cannot reach 198.18.0.103:12380: No route to host",
        ),
    ],
)
def test_a_firewall_is_seen_before_anything_listens(tmp_path: Path, dialled: str, reported: str) -> None:
    assert [("fail", reported)] == said(tmp_path, CLOSED, f"dialled={dialled}")


@pytest.mark.parametrize(
    ("changes", "verdict", "reported"),
    [
        ({"systemd": "219"}, "fail", "systemd 219 cannot hide the member's data"),
        ({"DynamicUser": "yes"}, "fail", "DynamicUser=yes"),
        ({"Type": "forking"}, "fail", "Type=forking"),
        (
            {"odd": "/srv/etcd data/member /srv/etcd data/member/wal"},
            "fail",
            "its data in /srv/etcd data/member",
        ),
        ({"log": ""}, "fail", "cannot see where etcd2.service keeps its log"),
        ({"available": "204800"}, "fail", "200 MiB of memory are available"),
        ({"available": "409600"}, "warn", "400 MiB of memory are available"),
    ],
)
def test_what_a_host_lacks_is_said(
    tmp_path: Path, changes: dict[str, str], verdict: str, reported: str
) -> None:
    ((found, evidence),) = said(tmp_path, **changes)
    assert verdict == found
    assert reported in evidence


def test_an_answer_that_cannot_be_read_is_a_fail(tmp_path: Path) -> None:
    answers = {carrying.SCRIPT: Answer(0, "systemd=new\navailable=x")}
    assert ["fail"] == verdicts(judged("trial", make_site(tmp_path), answers))


def test_the_kernel_s_word_for_a_closed_port_is_read_from_curl() -> None:
    dial = carrying.SCRIPT[carrying.SCRIPT.index("shift\n") :]
    done = shell(f"set -- etcd2 http://127.0.0.1:1/\n{dial}")
    assert "dialled=http://127.0.0.1:1/ 7 Connection refused\n" == done.stdout


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("d/member/wal/0.wal", "d/member/snap/db"), "log={0}/d/member/wal\nodd=\n"),
        (("my data/member/wal/0.wal", "d/member/snap/db"),
         "log={0}/my data/member/wal\nodd={0}/d/member {0}/my data/member/wal\n"),
        ((), "log=\nodd=\n"),
    ],
)  # fmt: skip
def test_where_the_data_lie_is_seen_by_what_the_process_holds_open(
    tmp_path: Path, names: tuple[str, ...], expected: str
) -> None:
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    systemctl = tmp_path / "systemctl"
    systemctl.write_text('#!/bin/sh\ncase $2 in *MainPID) echo "$PPID" ;; esac\n')
    systemctl.chmod(0o755)
    opened = " ".join(f"{number}< {shlex.quote(str(path))}" for number, path in enumerate(paths, start=7))
    done = shell(f"PATH={tmp_path}:$PATH\nexec 9<&- {opened}\nset -- etcd2\n{carrying.SCRIPT}")
    assert expected.format(tmp_path) in done.stdout
