"""What the watcher's awk makes of the kernel's lines: each connection counts once, under what it spoke."""

# ruff: noqa: E501 -- a case is one row of a table
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator.etcd import watching
from orchestrator.etcd.facts import talkers
from orchestrator.etcd.facts.talkers import Talker, read
from orchestrator.etcd.watching.counting import COUNT
from orchestrator.host.questions import Answer

HERE, OTHER = "198.18.0.101:2379", "203.0.113.7"
BOTH = "P 2379=http,https 4001=http"
INFO = "ts rto:200"
SS = 'echo "0 0 127.0.0.1:600 127.0.0.1:2379 users:((\\"pat\x1broni\\",pid=7,fd=7))"'


def book(folder: Path, *lines: str, record: str = "", processes: Path = Path("/proc")) -> tuple[Talker, ...]:
    """Run the awk that hosts have over these lines, and read what it says."""
    (folder / "ss").write_text(f"#!/bin/sh\n{SS}\n")
    (folder / "ss").chmod(0o755)
    said = subprocess.run(
        [
            "awk",
            "-v",
            "member=etcd2.service",
            "-v",
            f"record={record}",
            "-v",
            "pause=1",
            COUNT.replace("/proc/", f"{processes}/"),
        ],
        input="\n".join((BOTH, "M perl", *lines, "")),
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C"},
    )
    text = Path(record).read_text() if record else said.stdout
    return read(Answer(0, text)).talkers


def there(port: int, info: str = f"{INFO} bytes_received:100", here: str = HERE, other: str = OTHER) -> str:
    return f"0      0   {here} {other}:{port} {info}"


def ended(port: int, info: str = f"{INFO} bytes_received:150") -> str:
    return f"UNCONN 0 0 [::ffff:198.18.0.101]:2379 [::ffff:{OTHER}]:{port} ino:0 {info}"


def spoke(port: int, scheme: str) -> str:
    return f"L {OTHER} {port} 2379 {scheme}"


def look(now: int, *lines: str) -> tuple[str, ...]:
    return (f"T {now}", *lines, ".")


# fmt: off
CASES: list[tuple[str, Sequence[str], list[tuple[str, int, int, int]]]] = [
    ("one that stays", (spoke(1, "http"), *look(1, there(1)), *look(2, there(1))), [("http", 1, 1, 100)]),
    ("one that ends", (spoke(1, "http"), *look(1, there(1)), ended(1), *look(2)), [("http", 1, 0, 150)]),
    ("one of a moment", (*look(1), spoke(1, "https"), ended(1), *look(2)), [("https", 1, 0, 150)]),
    ("one that is told of late", (*look(1), ended(1), spoke(1, "https"), *look(2)), [("https", 1, 0, 150)]),
    ("its end is told twice", (*look(1), spoke(1, "http"), ended(1), *look(2), ended(1), *look(3)), [("http", 1, 0, 150)]),
    ("several", (spoke(1, "http"), spoke(2, "https"), *look(1, there(1), there(2))), [("http", 1, 1, 100), ("https", 1, 1, 100)]),
    ("nobody knows", look(1, there(1)), [("unknown", 1, 1, 100)]),
    ("it speaks at last", (*look(1, there(1)), *look(2, there(1)), spoke(1, "https"), *look(3, there(1))), [("https", 1, 1, 100)]),
    ("it is told of a minute late", (*look(1), ended(1), *look(2), *look(3), *look(4), spoke(1, "https"), *look(5)), [("https", 1, 0, 150)]),
    ("nobody ever tells", (*look(1), ended(1), *(line for n in range(2, 40) for line in look(n))), [("unknown", 1, 0, 150)]),
    ("it never spoke", look(1, there(1, INFO)), []),
    ("a check that only connects", (*look(1), ended(1, f"{INFO} bytes_received:1"), *look(2), *look(3)), []),
    ("an old ss shows no bytes", (*look(1), ended(1, ""), *look(2), *look(3)), [("unknown", 1, 0, 0)]),
    ("for somebody else", (spoke(1, "http"), *look(1), *look(2)), []),
    ("another port", look(1, there(1, here="198.18.0.101:2380")), []),
    ("nonsense", ("", "L x", "UNCONN", "0 0", "row x", *look(1, "0 0 x")), []),
]
# fmt: on


@pytest.mark.parametrize(("lines", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_connection_is_counted_once(
    tmp_path: Path, lines: Sequence[str], expected: list[tuple[str, int, int, int]]
) -> None:
    found = book(tmp_path, *lines)
    assert {OTHER} >= {one.address for one in found}
    assert sorted(expected) == sorted(
        (one.scheme, one.connections, one.open, one.received_bytes) for one in found
    )


def test_a_port_with_one_scheme_tells_by_itself(tmp_path: Path) -> None:
    local = there(600, here="127.0.0.1:4001", other="127.0.0.1")
    (found,) = book(tmp_path, *look(1, local))
    assert (4001, "http", True, "", "") == (
        found.port, found.scheme, found.is_local, found.unit, found.process
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/patroni.service", "patroni.service"),
        ("0::/user.slice/user-0.slice/session-3.scope", "session-3.scope"),
        ("0::/user.slice/user-9.slice/user@9.service/app.slice/confd.service", "confd.service"),
        ("9:cpu:/x.service\n1:name=systemd:/system.slice/cron.service\n0::/other.service", "cron.service"),
        ("0::/kubepods/pod7/abc", "abc"),
        ("0::/a/b\x1b c.service", "b??c.service"),
        ("0::/", ""),
    ],
)
def test_a_process_of_the_host_itself_is_named_by_its_unit(tmp_path: Path, cgroup: str, unit: str) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text(f"{cgroup}\n")
    local = there(600, here="127.0.0.1:2379", other="127.0.0.1")
    (found,) = book(tmp_path, "L 127.0.0.1 600 2379 http", *look(1, local), processes=tmp_path)
    assert (True, unit, "pat?roni" if unit else "") == (found.is_local, found.unit, found.process)


def test_the_member_itself_is_no_client(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text("0::/system.slice/etcd2.service\n")
    local = there(600, here="127.0.0.1:2379", other="127.0.0.1")
    assert () == book(tmp_path, "L 127.0.0.1 600 2379 http", *look(1, local), processes=tmp_path)


def test_the_record_is_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    record = str(tmp_path / "record")
    (first,) = book(tmp_path, spoke(1, "http"), *look(10, there(1)), record=record)
    (again,) = book(tmp_path, *look(20), record=record)
    assert (10.0, 1, 100) == (again.last_s, again.connections, again.received_bytes)
    assert (0.0, OTHER) == (first.last_s, again.address)


def test_what_nobody_knows_was_seen_when_it_ended(tmp_path: Path) -> None:
    record = str(tmp_path / "record")
    (found,) = book(tmp_path, *look(10), ended(1), *look(13), *look(16), *look(19), record=record)
    assert (6.0, 6.0) == (
        found.first_s,
        found.last_s,
    )  # it was entered at 13: the look before, it might have been told


def test_it_holds_500_rows_and_lets_those_over_tls_go_first(tmp_path: Path) -> None:
    record = str(tmp_path / "record")
    plain = [
        (f"L 203.0.{n // 200}.{n % 200} 1 2379 http", there(1, other=f"203.0.{n // 200}.{n % 200}"))
        for n in range(490)
    ]
    tls = [(f"L 203.1.0.{n} 1 2379 https", there(1, other=f"203.1.0.{n}")) for n in range(60)]
    lines = [line for pair in (*tls, *plain) for line in pair]
    found = book(tmp_path, "T 1", *lines, ".", record=record)
    assert (490, 10) == tuple(sum(one.scheme == name for one in found) for name in ("http", "https"))


def since(folder: Path, *lines: str) -> float:
    """When the book says that it has watched since, by the uptime of its lines."""
    record = folder / "record"
    record.unlink(missing_ok=True)
    book(folder, *lines, record=str(record))
    (line,) = (one for one in record.read_text().splitlines() if one.startswith("since "))
    return float(line.removeprefix("since "))


def test_a_gap_begins_anew(tmp_path: Path) -> None:
    assert since(tmp_path, *look(10), *look(13), *look(16)) == 10.0
    assert since(tmp_path, *look(10), *look(13), *look(1213), *look(1216)) == 1213.0


def test_who_does_not_fit_into_the_record_is_not_taken_to_be_quiet(tmp_path: Path) -> None:
    plain = [there(1, other=f"203.0.{number // 250}.{number % 250 + 1}") for number in range(501)]
    spoken = [_spoke_plain(number) for number in range(501)]
    few = plain[:3]
    assert since(tmp_path, *look(10, *spoken, *plain), *look(13, *plain), *look(16, *plain)) == 16.0
    assert since(tmp_path, *look(10, *few), *look(13, *few), *look(16, *few)) == 10.0


def _spoke_plain(number: int) -> str:
    return f"L 203.0.{number // 250}.{number % 250 + 1} 1 2379 http"


def test_shellcheck_passes() -> None:
    """Programs for others stand in single quotes, and lists of words are split on purpose."""
    program = Path(sys.executable).with_name("shellcheck")
    left_out = "--exclude=SC2016,SC2020,SC2086"
    for script in (watching.SCRIPT, watching.START, watching.END, talkers.LOOK):
        checked = subprocess.run(
            [program, "--norc", left_out, "-s", "sh", "-"],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.stdout == ""
