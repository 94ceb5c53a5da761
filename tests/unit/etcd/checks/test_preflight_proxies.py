"""HTTP proxies: etcd obeys them over https, so a member that NO_PROXY does not exempt would be lost."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from engine.world import World, make_cluster
from support.sites import judged, make_site, running, unit_reported, verdicts

from orchestrator.etcd.checks.http_proxies import is_exempt
from orchestrator.etcd.facts import process
from orchestrator.etcd.gather import gather
from orchestrator.etcd.install.unit import SCRIPT
from orchestrator.host.questions import Answer

# Go's own table: golang.org/x/net/http/httpproxy, proxy_test.go, TestUseProxy; on port 80.
LIST = (
    "foobar.com, .barbaz.net, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, "
    "[2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64"
)
DIALLED = [
    ("localhost", True), ("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("::2", False),
    ("192.168.1.1", True), ("192.168.1.2", False), ("192.168.1.3", True), ("192.168.1.4", False),
    ("10.0.0.2", True), ("10.0.0.4", False), ("2001:db8::52:0:1", True), ("2001:db8::52:0:2", False),
    ("2001:db8::52:0:3", True), ("2002:db8:a::123", True), ("fe80::424b:c8be:1643:a1b6", False),
    ("barbaz.net", False), ("www.barbaz.net", True), ("foobar.com", True), ("www.foobar.com", True),
    ("foofoobar.com", False), ("baz.com", False), ("localhost.net", False), ("local.localhost", False),
    ("barbarbaz.net", False), ("FooBar.com", True), ("::ffff:10.0.0.2", True),
]  # fmt: skip


@pytest.mark.parametrize(("host", "expected"), DIALLED)
def test_who_is_exempt_is_what_go_says(host: str, expected: bool) -> None:  # noqa: FBT001 -- a table's column
    assert expected == is_exempt(host, 80, LIST)


@pytest.mark.parametrize(
    ("no_proxy", "expected"),
    [("*", True), ("a, *", True), ("", False), (",, ,", False), ("*.example.com", True),
     ("example.com:", True), (":80", False), ("10.0.0.0/255.0.0.0", False), ("[", False),
     ("/8", False), ("example.com.", False)],
)  # fmt: skip
def test_entries_of_other_kinds(no_proxy: str, expected: bool) -> None:  # noqa: FBT001 -- a table's column
    assert expected == is_exempt("etcd.example.com", 2380, no_proxy)


CORP = "http://user:geheim@198.18.61.1:3128"
CASES = [
    ({}, {}, "pass", "no proxy is set"),
    ({"ALL_PROXY": CORP}, {}, "pass", "no proxy is set"),  # Go's net/http does not know it
    ({"HTTPS_PROXY": ""}, {}, "pass", "no proxy is set"),
    ({"HTTPS_PROXY": CORP}, {}, "fail", "HTTPS_PROXY is set for etcd, and NO_PROXY does not exempt server2"),
    ({"https_proxy": CORP}, {}, "fail", "server2 (198.18.0.102), server3 (198.18.0.103)"),
    ({"HTTP_PROXY": CORP}, {}, "fail", "HTTP_PROXY is set"),
    ({"HTTPS_PROXY": CORP, "NO_PROXY": "localhost,127.0.0.1,.corp.example"}, {}, "fail", "server2"),
    ({"HTTPS_PROXY": CORP, "NO_PROXY": "198.18.0.102"}, {}, "fail", "does not exempt server3 (198.18.0.103)"),
    ({"HTTPS_PROXY": CORP, "no_proxy": "198.18.0.0/24"}, {}, "pass", "exempts every member"),
    ({"HTTPS_PROXY": CORP, "NO_PROXY": "198.18.0.9", "no_proxy": "*"}, {}, "fail", "server2"),
    ({"HTTPS_PROXY": CORP, "NO_PROXY": "198.18.0.102:2380,198.18.0.103:2379"}, {}, "fail", "exempt server3"),
    # what counts is the next start
    ({"HTTPS_PROXY": CORP}, {"NO_PROXY": "*"}, "pass", "exempts every member"),
    ({}, {"HTTPS_PROXY": CORP}, "fail", "server2"),
    ({"HTTPS_PROXY": CORP}, {"HTTPS_PROXY": ""}, "pass", "no proxy"),
]


@pytest.mark.parametrize(("now", "next_start", "verdict", "evidence"), CASES)
def test_a_proxy_has_to_leave_the_members_alone(
    tmp_path: Path, now: dict[str, str], next_start: dict[str, str], verdict: str, evidence: str
) -> None:
    words = " ".join(f'"{name}={value}"' for name, value in next_start.items())
    answers = {process.SCRIPT: running(now), SCRIPT: unit_reported(f"Environment={words}")}
    (one,) = judged("http proxy", make_site(tmp_path), answers)
    assert verdict == one.verdict
    assert evidence in one.evidence
    assert "geheim" not in str(one)


def test_the_fix_is_a_command_that_exempts_them_at_the_next_start(tmp_path: Path) -> None:
    now = {"HTTPS_PROXY": CORP, "NO_PROXY": "a 50%, 198.18.0.102"}
    (one,) = judged(
        "http proxy", make_site(tmp_path), {process.SCRIPT: running(now), SCRIPT: unit_reported()}
    )
    folder = "/etc/systemd/system/etcd2.service.d"
    line = 'Environment="NO_PROXY=a 50%%,198.18.0.102,198.18.0.103"'
    printed = ["printf", r"%s\n", "[Service]", line, ">", f"{folder}/zz-no-proxy.conf"]
    assert ["mkdir", "-p", folder, "&&", *printed, "&&", "systemctl", "daemon-reload"] == shlex.split(one.fix)

    in_file = unit_reported(file="/etc/default/etcd=NO_PROXY=x\n")
    (one,) = judged("http proxy", make_site(tmp_path), {process.SCRIPT: running(now), SCRIPT: in_file})
    assert "add 198.18.0.102,198.18.0.103 to NO_PROXY in /etc/default/etcd" == one.fix
    later = f"{in_file.stdout}\n{unit_reported(file='/etc/etcd.env=NO_PROXY=y').stdout}"
    answers = {process.SCRIPT: running(now), SCRIPT: Answer(0, later)}
    (one,) = judged("http proxy", make_site(tmp_path), answers)
    assert one.fix.endswith("in /etc/etcd.env")


def test_an_etcd_that_is_built_with_an_old_go_takes_no_networks(tmp_path: Path) -> None:
    now = running({"HTTPS_PROXY": CORP, "NO_PROXY": "198.18.0.0/24"})
    site = make_site(tmp_path)
    old = {name: found.model_copy(update={"version": "2.3.8"}) for name, found in site.facts.members.items()}
    aged = replace(site, facts=site.facts.model_copy(update={"members": old}))
    answers = {process.SCRIPT: now, SCRIPT: unit_reported()}
    assert ["pass"] == verdicts(judged("http proxy", site, answers))
    assert ["fail"] == verdicts(judged("http proxy", aged, answers))


def test_a_proxys_password_is_in_no_fact_and_no_repr(tmp_path: Path) -> None:
    world = World(make_cluster(tmp_path))
    for host in world.hosts.values():
        host.environment["HTTPS_PROXY"] = CORP
    assert "geheim" not in gather(world.cluster, world.look).model_dump_json()
    site = make_site(tmp_path)
    seen = process.running(site.hosts[0]).reader(running({"HTTPS_PROXY": CORP}))
    assert CORP == seen.proxies["HTTPS_PROXY"]
    assert "geheim" not in repr(seen)


def test_half_an_answer_exempts_nobody(tmp_path: Path) -> None:
    (one,) = judged(
        "http proxy", make_site(tmp_path), {process.SCRIPT: Answer(1, ""), SCRIPT: unit_reported()}
    )
    assert "fail" == one.verdict
