"""Checks of a host before the first change: each passes, warns and fails for its own reason."""

import math
import os
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from support.sites import NOW, item, judged, make_site, running, verdicts

from orchestrator.etcd.checks.host import FOR_CHECKS, NEEDED, ON_MEMBERS, skew_s
from orchestrator.etcd.checks.item import Finding
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.checks.unit import seconds, slow_start
from orchestrator.etcd.facts import process, starts
from orchestrator.etcd.facts.listeners import SOCKETS
from orchestrator.etcd.install.unit import SCRIPT
from orchestrator.host.questions import Answer, Script
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Ports


def script_of(name: str, site: Site) -> str:
    """The script of a check's last question."""
    question = next(iter(item(name).make(site))).questions[-1]
    assert isinstance(question, Script)
    return question.script


RESTARTED = {starts.SCRIPT: Answer(0, "Type=simple\n")}
ALL = "path=/usr/bin:/bin\n" + "".join(
    f"has={tool}\n" for tool in (*NEEDED, *ON_MEMBERS, *FOR_CHECKS, "update-ca-certificates")
)

TOOLS = [
    (ALL, ["pass"], "programs"),
    (ALL.replace("has=curl\n", "lacks=curl\n"), ["fail"], "curl: not found in /usr/bin:/bin"),
    (ALL.replace("has=ip\n", "lacks=ip\n"), ["warn", "pass"], "not on PATH: ip"),
    (ALL.replace("has=update-ca-certificates\n", ""), ["warn", "pass"], "no trust store"),
    ("", ["fail"], "runs no script"),
]
SLOW = [
    # last start, systemd's limit, patience.gate; what is reported
    (None, 90, 90, []),
    (9.9, 12, 12, []),
    (44.0, 90, 90, []),
    (46.0, 90, 95, ["systemd kills a start after 90 s"]),
    (46.0, 95, 90, ["the run waits 90 s for it"]),
    (60.0, 90, 90, ["systemd kills a start after 90 s", "the run waits 90 s for it"]),
    (46.0, math.inf, 600, []),
]
UNITS = [
    ("Type=notify\nTimeoutStartUSec=1min 30s\nUnitFileState=enabled", ["pass"], "Type=notify"),
    ("Type=notify\nTimeoutStartUSec=20s\nUnitFileState=enabled", ["warn", "pass"], "TimeoutStartSec=20"),
    ("Type=notify\nTimeoutStartUSec=5s\nUnitFileState=enabled", ["fail", "pass"], "TimeoutStartSec=5"),
    ("Type=simple\nTimeoutStartUSec=5s\nUnitFileState=enabled", ["pass"], "Type=simple"),
    ("Type=forking\nTimeoutStartUSec=90s\nUnitFileState=enabled", ["warn", "pass"], "Type=forking"),
    (
        "Type=notify\nTimeoutStartUSec=infinity\nUnitFileState=disabled",
        ["warn", "pass"],
        "a reboot does not start it",
    ),
    (
        "Type=notify\nTimeoutStartUSec=90s\nUnitFileState=alias\nWantedBy=\nRequiredBy=",
        ["warn", "pass"],
        "etcd2.service (alias): a reboot does not start it",
    ),
    (
        "Type=notify\nTimeoutStartUSec=90s\nUnitFileState=alias\nWantedBy=multi-user.target",
        ["pass"],
        "active",
    ),
    ("Type=notify\nTimeoutStartUSec=90s\nUnitFileState=static\nWantedBy=", ["pass"], "active"),
    (
        "Type=notify\nTimeoutStartUSec=90s\nUnitFileState=enabled\nNeedDaemonReload=yes",
        ["fail", "pass"],
        "were changed since",
    ),
]
ROOM = [
    ("data 9999999 99999 /var/lib/etcd\nfiles 99999 999 /etc", ["pass"], "97 MiB, in /etc"),
    ("data 900000 99999 /var/lib/etcd\nfiles 99999 - /etc", ["warn", "pass"], "878 MiB left for etcd's data"),
    (
        "data 99999 99999 /var/lib/etcd\nfiles 99999 999 /etc",
        ["fail", "pass"],
        "97 MiB left for /var/lib/etcd",
    ),
    ("data 9999999 99 /var/lib/etcd\nfiles 999 999 /etc", ["fail", "fail", "pass"], "99 inodes left"),
    (
        "data 9999999 99999 /var/lib/etcd\nfiles 99999 999 /etc\nclosed-to-root - - /etc",
        ["fail", "pass"],
        "/etc is read-only",
    ),
    ("saved 9999999 99 /var\nfiles 99999 999 /etc", ["fail", "pass"], "99 inodes left"),
    ("", ["fail"], "cannot tell"),
]
PORTS = [
    ('LISTEN 0 4096 *:2379 *:* users:(("etcd",pid=30,fd=8))', ["pass"], "etcd's or free"),
    ('LISTEN 0 4096 127.0.0.1:4001 0.0.0.0:* users:(("etcd",pid=30,fd=8))', ["pass"], "etcd's or free"),
    ('LISTEN 0 4096 *:4001 *:* users:(("old",pid=9,fd=8))', ["fail"], "old (pid 9) listens on *:4001"),
    ('LISTEN 0 4096 [::ffff:127.0.0.1]:4001 *:* users:(("old",pid=9,fd=8))', ["fail"], "127.0.0.1:4001"),
    (
        'LISTEN 0 4096 198.18.0.9%eth0:4001 *:* users:(("old",pid=9,fd=8))',
        ["warn", "pass"],
        "198.18.0.9:4001",
    ),
    ('LISTEN 0 4096 10.0.0.9:2379 0.0.0.0:* users:(("haproxy",pid=9,fd=8))', ["warn", "pass"], "haproxy"),
    ("LISTEN 0 4096 [::1]:4001 [::]:*", ["warn", "pass"], "unknown"),
    (
        'LISTEN 0 4096 *:12380 *:* users:(("old",pid=9,fd=8))',
        ["fail"],
        "old (pid 9) listens on *:12380, where certificates will be tried out",
    ),
    (
        'LISTEN 0 4096 *:12380 *:* users:(("etcd",pid=30,fd=8))',
        ["fail"],
        "etcd2.service itself listens on *:12380, where certificates will be tried out",
    ),
]


@pytest.mark.parametrize(("start_s", "limit_s", "gate_s", "expected"), SLOW)
def test_a_member_whose_last_start_took_long_is_given_the_time_for_another(
    tmp_path: Path, start_s: float | None, limit_s: float, gate_s: float, expected: list[str]
) -> None:
    site = make_site(tmp_path)
    patience = site.cluster.patience.model_copy(update={"gate_s": gate_s})
    one = replace(site.members[0], cluster=site.cluster.model_copy(update={"patience": patience}))
    remarks = [*slow_start(one, start_s, limit_s)]
    assert ["warn"] * len(expected) == [remark.verdict for remark in remarks]
    assert all(text in remark.evidence for text, remark in zip(expected, remarks, strict=True))


STOPPED_FOR_LONG = [
    # when it stopped, was stopped, started and was ready, in seconds since the host's boot; what is reported
    ((100, 189, 189, 191), []),  # the old process did not end until systemd killed it
    ((100, 7300, 7305, 7307), []),  # it was down for hours, and starts failed: each is the end of the stop
    ((100, 101, 101, 147), ["its last start took 46 s", "its last start took 46 s"]),
    ((0, 0, 101, 147), ["its last start took 46 s", "its last start took 46 s"]),
]


@pytest.mark.parametrize(("moments", "expected"), STOPPED_FOR_LONG)
def test_how_long_a_member_was_stopped_says_nothing_of_its_next_start(
    tmp_path: Path, moments: tuple[int, ...], expected: list[str]
) -> None:
    names = ("ActiveExit", "InactiveEnter", "InactiveExit", "ActiveEnter")
    lines = [f"{name}TimestampMonotonic={at * 1_000_000}" for name, at in zip(names, moments, strict=True)]
    said = {
        starts.SCRIPT: Answer(0, "\n".join(("Type=notify", *lines))),
        process.SCRIPT: running(),
        SCRIPT: Answer(0, "Type=notify\nTimeoutStartUSec=1min 30s\nUnitFileState=enabled"),
    }
    *warned, last = judged("unit", make_site(tmp_path), said)
    assert "pass" == last.verdict
    assert expected == [one.evidence.partition(",")[0] for one in warned]


def test_without_a_local_port_it_may_be_another_programs(tmp_path: Path) -> None:
    site = make_site(tmp_path, ports=Ports(local="none"))
    reported = 'LISTEN 0 4096 *:4001 *:* users:(("old",pid=9,fd=8))'
    (found,) = judged("ports", site, {process.SCRIPT: running(), SOCKETS: Answer(0, reported)})
    assert ("pass", "2379, 2380, 12380, 2378 are etcd's or free") == (found.verdict, found.evidence)


KEPT = {
    "ETCD_LISTEN_CLIENT_URLS": "https://198.18.0.101:2379,http://127.0.0.1:2381",
    "ETCD_CERT_FILE": "/etc/own/server.pem",
    "ETCD_KEY_FILE": "/etc/own/server-key.pem",
}


@pytest.mark.parametrize(("local", "verdict"), [("none", "fail"), ("auto", "pass"), (4001, "pass")])
def test_a_certificate_of_its_own_for_clients_needs_a_local_port(
    tmp_path: Path, local: int | Literal["auto", "none"], verdict: str
) -> None:
    site = make_site(tmp_path, ports=Ports(local=local))
    members = {name: one.model_copy(update={"environment": KEPT}) for name, one in site.facts.members.items()}
    site = replace(site, facts=site.facts.model_copy(update={"members": members}))
    (found,) = judged("ports", site, {process.SCRIPT: running(), SOCKETS: Answer(0, "")})
    assert verdict == found.verdict
    assert (verdict == "fail") == ("there is no local port to ask it by" in found.evidence)


@pytest.mark.parametrize(("reported", "expected", "evidence"), TOOLS)
def test_programs(tmp_path: Path, reported: str, expected: list[str], evidence: str) -> None:
    site = make_site(tmp_path)
    found = judged("tools", site, {script_of("tools", site): Answer(0, reported)})
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


@pytest.mark.parametrize(("reported", "expected", "evidence"), UNITS)
def test_units(tmp_path: Path, reported: str, expected: list[str], evidence: str) -> None:
    site = make_site(tmp_path)
    found = judged("unit", site, {**RESTARTED, process.SCRIPT: running(), SCRIPT: Answer(0, reported)})
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


def test_an_alias_is_enabled_by_its_real_name(tmp_path: Path) -> None:
    reported = "Type=simple\nUnitFileState=disabled\nFragmentPath=/lib/systemd/system/etcd.service"
    found = judged(
        "unit", make_site(tmp_path), {**RESTARTED, process.SCRIPT: running(), SCRIPT: Answer(0, reported)}
    )
    assert "systemctl enable etcd.service" == found[0].fix


def test_a_unit_that_does_not_run_fails_and_so_does_one_that_is_not_there(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    for answer, evidence in (
        (running(state="failed"), "is failed"),
        (Answer(0, "LoadState=not-found"), "there is no unit etcd2.service"),
    ):
        (one,) = judged("unit", site, {**RESTARTED, process.SCRIPT: answer, SCRIPT: Answer(0, "")})
        assert ("fail", True) == (one.verdict, evidence in one.evidence)


@pytest.mark.parametrize(("reported", "expected", "evidence"), ROOM)
def test_room(tmp_path: Path, reported: str, expected: list[str], evidence: str) -> None:
    site = make_site(tmp_path)
    found = judged("disk", site, {script_of("disk", site): Answer(0, f"{reported}\nweight 9 9")})
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


@pytest.mark.parametrize(
    ("api", "place", "needed"),
    [("v3", "server1", 512 + 256), ("v2", "server1", 1024 + 256), ("v3", "server2", 16)],
)
def test_where_the_data_will_be_saved_there_has_to_be_room_for_it(
    tmp_path: Path, api: str, place: str, needed: int
) -> None:
    site = make_site(tmp_path, "server1", "server2")
    site = replace(site, facts=site.facts.model_copy(update={"api": api}))

    def found(mib: int) -> list[Finding]:
        reported = f"saved {mib * 1024} 999 /var\nweight {512 * 1024} {1024 * 1024}"
        return judged("disk", site, {script_of("disk", site): Answer(0, reported)}, place)

    (good,), (bad, _) = found(needed), found(needed - 1)
    assert ("pass", "fail") == (good.verdict, bad.verdict)
    assert f"where the cluster's data will be saved, at least {needed} are needed" in bad.evidence


def test_a_directory_that_the_service_may_not_enter_fails(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    script = script_of("directory", site)
    (bad,) = judged("directory", site, {script: Answer(0, "closed etcd /etc/etcd2\nfiles 1 1 /etc")})
    (good,) = judged("directory", site, {script: Answer(0, "open etcd /etc")})
    assert ("fail", "etcd may not enter /etc/etcd2") == (bad.verdict, bad.evidence)
    assert "pass" == good.verdict


@pytest.mark.parametrize(("reported", "expected", "evidence"), PORTS)
def test_ports(tmp_path: Path, reported: str, expected: list[str], evidence: str) -> None:
    site = make_site(tmp_path)
    answers = {process.SCRIPT: running(), script_of("ports", site): Answer(0, reported)}
    found = judged("ports", site, answers)
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


@pytest.mark.parametrize(
    ("urls", "verdict", "evidence"),
    [
        ("http://0.0.0.0:2379", "pass", "asked at http://127.0.0.1:2379"),
        ("https://0.0.0.0:2379,http://127.0.0.1:4001", "pass", "asked at http://127.0.0.1:4001"),
        ("", "pass", "asked at http://localhost:2379"),
        ("https://0.0.0.0:2379,https://[::1]:2", "fail",
         ("none of its client listeners speaks http (https://0.0.0.0:2379,https://[::1]:2), so it cannot be "
         "asked")),
    ],
)  # fmt: skip
def test_a_member_is_asked_over_http(tmp_path: Path, urls: str, verdict: str, evidence: str) -> None:
    answers = {process.SCRIPT: running({"ETCD_LISTEN_CLIENT_URLS": urls})}
    (one,) = judged("listeners", make_site(tmp_path), answers)
    assert (verdict, evidence) == (one.verdict, one.evidence)
    wanted = f"let it be {urls},http://127.0.0.1:4001 and then, as root: systemctl daemon-reload"
    assert (verdict == "fail") == (wanted in one.fix)


# Moments on the bastion, in seconds around a time, between which a clock was read; what it told; how far off.
SKEWS = [((0, 1), 0.5, 0.0), ((0, 1), 0.0, 0.0), ((0, 1), 3.0, 2.0), ((0, 1), -4.0, -4.0)]


@pytest.mark.parametrize(("between", "reported", "expected"), SKEWS)
def test_a_clock_is_off_by_what_the_look_cannot_explain(
    between: tuple[int, int], reported: float, expected: float
) -> None:
    early, late = (NOW + timedelta(seconds=each) for each in between)
    assert pytest.approx(expected, abs=1e-3) == skew_s(NOW.timestamp() + reported, (early, late))


@pytest.mark.parametrize(
    ("off_s", "expected", "evidence"),
    [
        (0, ["pass"], "within 1 s"),
        (5, ["warn"], "5.0 s ahead of the bastion"),
        (-5, ["warn"], "5.0 s behind the bastion"),
        (300, ["fail"], "300.0 s ahead"),
        (-2 * 3600, ["fail"] * 6, "7200.0 s behind"),  # and five certificates are not valid there yet
    ],
)
def test_clocks(tmp_path: Path, off_s: int, expected: list[str], evidence: str) -> None:
    site = make_site(tmp_path)
    answer = Answer(0, f"{NOW.timestamp() + off_s:.3f}\n")
    found = judged("clock", site, {script_of("clock", site): answer})
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


def test_a_certificate_that_is_not_valid_anywhere_is_not_the_clocks_fault(tmp_path: Path) -> None:
    site = replace(make_site(tmp_path), now=NOW + timedelta(days=999))
    found = judged("clock", site, {script_of("clock", site): Answer(0, f"{NOW.timestamp()}")})
    assert ["pass"] == verdicts(found)


def test_times_are_read_as_systemd_writes_them() -> None:
    assert [90, 3600.5, 0.1] == [seconds("1min 30s"), seconds("1h 500ms"), seconds("100ms")]
    assert float("inf") == seconds("infinity")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ["1" * 50_000, "5s more", "5", "s"])
def test_what_is_no_time_of_systemds_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="systemd wrote a time that cannot be read"):
        seconds(text)


@pytest.mark.parametrize("garbage", ["", "nonsense", "a=b", "\n\n", "data x y"])
def test_an_answer_that_cannot_be_read_is_never_a_pass_nor_a_crash(tmp_path: Path, garbage: str) -> None:
    site = make_site(tmp_path, "server1", "server2", "server3")
    for one in CHECKLIST:
        for examination in one.make(site):
            if not examination.questions:
                continue
            answers = dict.fromkeys(examination.questions, Answer(1, garbage, "broken"))
            found = one.findings(examination, answers)
            assert "pass" not in verdicts(found), (one.name, found)
            (unheard,) = one.findings(examination, {})
            assert "no answer from" in unheard.evidence


def test_everybody_of_the_site_is_a_target(tmp_path: Path) -> None:
    site = make_site(tmp_path, "server1", "server3")
    assert ["server1", "server3"] == [one.name for one in site.members]
    assert ("server2",) == site.missed
    assert all(isinstance(one, Target) for one in site.everyone)


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        (("systemd-escape", "ss"), "apt-get install iproute2 systemd (on Debian; elsewhere: the packages"),
        (("curl", "stat", "cut"), "apt-get install coreutils curl (on Debian"),
        (("etcdctl", "curl"), "apt-get install curl (on Debian"),
        (("etcdctl", "curl"), "; put etcdctl into /usr/local/bin"),
        (("etcdctl",), "put etcdctl into /usr/local/bin"),
    ],
)
def test_missing_programs_come_with_the_packages_that_hold_them(
    tmp_path: Path, lacking: tuple[str, ...], words: str
) -> None:
    site, reported = make_site(tmp_path), ALL
    for name in lacking:
        reported = reported.replace(f"has={name}\n", f"lacks={name}\n")
    found = judged("tools", site, {script_of("tools", site): Answer(0, reported)})
    assert words in found[0].fix


@pytest.mark.parametrize(
    ("reported", "fix"),
    [
        ("files 9 999 /srv", 'du -xm "$(findmnt -no TARGET -T /srv)" | sort -n | tail'),
        (
            "data 9 999 /var/lib/etcd",
            "etcdctl --endpoints=http://localhost:2379 --command-timeout=60s defrag",
        ),
        ("files 99999 9 /etc", 'du --inodes -x "$(findmnt -no TARGET -T /etc)"'),
        (
            "files 99999 999 /etc\nclosed-to-root - - /etc",
            'mount -o remount,rw "$(findmnt -no TARGET -T /etc)"',
        ),
    ],
)
def test_a_disk_comes_with_the_commands_for_its_own_trouble(tmp_path: Path, reported: str, fix: str) -> None:
    site = make_site(tmp_path)
    found = judged("disk", site, {script_of("disk", site): Answer(0, f"{reported}\nweight 9 9")})
    assert fix in found[0].fix


def test_the_directory_that_is_closed_is_the_one_to_open(tmp_path: Path) -> None:
    closed, root = tmp_path / "closed", make_site(tmp_path)
    (closed / "certs").mkdir(parents=True)
    (tmp_path / "link").symlink_to(closed / "certs")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (
        ("systemctl", "echo MainPID=0; echo User=etcd"),
        ("runuser", f"case $6 in {closed}* | {tmp_path}/link) exit 1 ;; esac"),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    asked = subprocess.run(
        ["sh", "-c", script_of("directory", root), "check", "etcd2", str(tmp_path), str(tmp_path / "link")],
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = judged("directory", root, {script_of("directory", root): Answer(0, asked.stdout)})
    (one,) = [each for each in found if "may not enter" in each.evidence]
    assert f"etcd may not enter {closed}" == one.evidence
    assert one.fix.startswith(f"chmod o+x {closed}; ")


def test_a_link_to_nowhere_is_taken_away(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    script = script_of("directory", site)
    found = judged(
        "directory", site, {script: Answer(0, "untrusted /srv/etcd2 leads nowhere\nopen etcd /srv")}
    )
    assert ("/srv/etcd2 leads nowhere: a link without its target", "rm /srv/etcd2") == (
        found[0].evidence,
        found[0].fix,
    )


def test_a_program_that_is_in_the_way_is_found_by_its_unit(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    reported = 'LISTEN 0 4096 *:4001 *:* users:(("old",pid=9,fd=8))\nLISTEN 0 4096 *:12380 *:*'
    one, two = judged(
        "ports", site, {process.SCRIPT: running(), script_of("ports", site): Answer(0, reported)}
    )
    assert "systemctl status 9 shows its unit" in one.fix
    assert "ss -ltnp sport = :12380" in two.fix
