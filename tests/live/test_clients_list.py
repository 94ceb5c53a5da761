"""Who talks plain http and who TLS: counted on real hosts, on one port and on ports of their own."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from live.conftest import FRESH, THREE_MEMBERS, booted
from live.stories import failure, orchestrator, shell, wait_until_healthy

from orchestrator.etcd import watching
from orchestrator.etcd.checks.plain_clients import free_of_plain_clients
from orchestrator.etcd.checks.site import assumed
from orchestrator.etcd.watching.place import TICK_S
from orchestrator.host.operations import Job, Operation
from orchestrator.lab.hosts.etcd_programs import OWN
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN
from orchestrator.plan.facts import Target
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import open_session

ADDRESS = "198.18.0.101"
UNIT = "orchestrator-watching-etcd2"
QUIET_S = 6
CURLS = 4  # a second apart, as from cron
ASKING = """
import http.client, ssl, sys, time
scheme, _, place = sys.argv[1].partition("://")
if scheme == "http":
    member = http.client.HTTPConnection(place)
else:
    member = http.client.HTTPSConnection(place, context=ssl.create_default_context(cafile=sys.argv[2]))
while True:
    member.request("GET", "/version")
    member.getresponse().read()
    time.sleep(float(sys.argv[3]))
"""
SETTLED_S = 2 * TICK_S + 1  # a connection that has not spoken is counted at the second look


@pytest.fixture(params=[(OWN, 2378), ("3.5.30", 2379)], ids=lambda param: f"{param[0]}-{param[1]}")
def served(
    request: pytest.FixtureRequest,
    base_system: Path,  # noqa: ARG001 - it has to be there
    tmp_path: Path,
) -> Iterator[tuple[Lab, int]]:
    """One member that serves http on 2379, and https beside it, on that port where etcd can do that."""
    etcd, port = request.param
    plan = tmp_path / "plan.yaml"
    lines = [line for line in THREE_MEMBERS.read_text().splitlines() if "server2" not in line]
    text = "\n".join(line for line in lines if "server3" not in line)
    plan.write_text(f"{text}\naccept_downtime: true\nclients: {{quiet: {QUIET_S}s}}\n")
    with booted(FRESH, plan, etcd=etcd) as lab:
        serve_both(lab, port)
        yield lab, port


def serve_both(lab: Lab, port: int) -> None:
    host = lab.hosts[0]
    place = host.root / "etc/own-tls"
    place.mkdir()
    for source, name in ((host.entry.certificate, "cert"), (host.entry.key, "key")):
        (place / name).write_bytes(source.read_bytes())
        (place / name).chmod(0o644)
    plain = "LISTEN_CLIENT_URLS=http://0.0.0.0:2379"
    text = host.drop_in.read_text()
    assert plain in text
    both = f"{plain},https://0.0.0.0:{port},http://127.0.0.1:4001"
    tls = 'Environment="ETCD_CERT_FILE=/etc/own-tls/cert" "ETCD_KEY_FILE=/etc/own-tls/key"'
    host.drop_in.write_text(f"{text.replace(plain, both)}\n[Service]\n{tls}\n")
    shell(host, "systemctl daemon-reload && systemctl restart etcd2.service")
    wait_until_healthy(lab)


def etcdctl(lab: Lab, url: str, *words: str) -> list[str]:
    """An etcdctl on the bastion, which speaks gRPC."""
    program = str(lab.hosts[0].root / "usr/bin/etcdctl")
    ca = [f"--cacert={lab.cluster.tls.ca}"] if url.startswith("https") else []
    return lab.command(["env", "ETCDCTL_API=3", program, f"--endpoints={url}", *ca, *words])


@contextmanager
def running(*commands: list[str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    started = [subprocess.Popen(one, stdin=quiet, stdout=quiet, stderr=quiet) for one in commands]
    time.sleep(1)
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def kept_alive(lab: Lab, url: str, pause_s: float = 0.2) -> list[str]:
    """A client that asks over one connection again and again."""
    words = (sys.executable, "-c", ASKING, url, str(lab.cluster.tls.ca), str(pause_s))
    return lab.command(words)


def done(lab: Lab, make: Callable[[Target], Iterable[Operation]]) -> None:
    with lab.in_bastion(), open_session(lab.plan, None) as session:
        job = Job(f"w-{time.monotonic_ns()}", "server1", tuple(make(target(lab))), 60.0)
        result = LiveExecutor(session.hosts).perform(job)
    assert result.exit_status == 0, result


def target(lab: Lab) -> Target:
    facts = assumed(lab.cluster, "v3").model_copy(update={"overlaps": True})
    return Target(lab.cluster, facts, lab.cluster.members[0])


def refusal(lab: Lab) -> str:
    gate = free_of_plain_clients(target(lab))
    with lab.in_bastion(), open_session(lab.plan, None) as session:
        return gate.refusal(session.hosts.look(gate.questions)) or ""


def clients(lab: Lab, *options: str) -> Mapping[str, Any]:
    shown = orchestrator(lab, "clients", PLAN, "--output", "json", *options)
    assert shown.returncode == 0, failure(shown)
    members: list[Mapping[str, Any]] = json.loads(shown.stdout)["members"]
    assert 1 == len(members)
    return members[0]


def counted(member: Mapping[str, Any]) -> Counter[tuple[str, int, bool]]:
    """How many connections of other hosts were seen, by scheme and port, and whether they are cut off."""
    found: Counter[tuple[str, int, bool]] = Counter()
    for one in member["clients"]:
        if not one["is_local"]:
            found[one["scheme"], one["port"], one["is_cut_off"]] += one["connections"]
    return found


def test_every_client_is_counted_under_what_it_speaks(served: tuple[Lab, int]) -> None:
    lab, port = served
    http, https = f"http://{ADDRESS}:2379", f"https://{ADDRESS}:{port}"
    watches = (etcdctl(lab, http, "watch", "x"), etcdctl(lab, https, "watch", "x"))
    silent = (kept_alive(lab, http, 600.0), kept_alive(lab, https, 600.0))
    after = (*watches, kept_alive(lab, http), kept_alive(lab, https))
    with running(*watches, *silent):
        done(lab, watching.begin)
        time.sleep(TICK_S)
        with running(*after):
            for url in (http, https) * CURLS:
                lab.run(["curl", "--silent", "--cacert", str(lab.cluster.tls.ca), f"{url}/version"])
                time.sleep(0.5)
            for url in (http, https):
                subprocess.run(etcdctl(lab, url, "get", "x"), check=True, capture_output=True)
            time.sleep(SETTLED_S)
            found = clients(lab)
            said = refusal(lab)
    each = CURLS + 4  # two watches (that of before has sent a ping), a busy client, a gRPC call of a moment
    by_port = 0 if port == 2379 else 1
    expected = Counter({("http", 2379, True): each + by_port, ("https", port, False): each + by_port})
    if port == 2379:  # what was there before and has said nothing since: nobody can tell
        expected["unknown", 2379, True] = 2
    assert expected == counted(found), found
    assert found["is_watched"]
    assert "to server1:2379 talks plain http (connected now)" in said
    assert ("it has said nothing since it is watched" in said) == (port == 2379)

    deadline = time.monotonic() + QUIET_S + SETTLED_S + 10
    while (said := refusal(lab)) and time.monotonic() < deadline:
        time.sleep(1)
    assert said == ""
    watched_s = clients(lab)["watched_s"]
    done(lab, watching.begin)
    assert clients(lab)["watched_s"] >= watched_s

    a_client_of_the_host_itself(lab)
    a_listener_that_is_opened_later(lab)
    done(lab, watching.end)
    done(lab, watching.end)
    left = lab.hosts[0].run(
        ["sh", "-c", f"ls -d /var/lib/orchestrator/{UNIT}*; systemctl is-active {UNIT}"], check=False
    )
    assert left.stdout == "inactive\n"
    assert f"{UNIT}.service is inactive" in refusal(lab)
    a_look_without_a_watcher(lab, port)


def a_client_of_the_host_itself(lab: Lab) -> None:
    """It counts if it is of a service; what is only a shell's, or goes to the local port, does not."""
    host = lab.hosts[0]
    for name, url in (("counts", f"http://{ADDRESS}:2379"), ("spared", "http://127.0.0.1:4001")):
        setting = "--setenv=ETCDCTL_API=3"
        shell(host, f"systemd-run --quiet --unit={name} {setting} etcdctl --endpoints={url} watch x")
    time.sleep(SETTLED_S)
    said = refusal(lab)
    assert "etcdctl (counts.service) on server1 to server1:2379 talks plain http (connected now)" in said
    assert "spared" not in said
    units = {(one["unit"], one["is_cut_off"]) for one in clients(lab)["clients"] if one["open"]}
    assert {("counts.service", True), ("spared.service", False)} == units
    shell(host, "systemctl stop counts.service spared.service")


def a_listener_that_is_opened_later(lab: Lab) -> None:
    """A restart of the member with other listeners is no gap, and the new ones are watched too."""
    watched_s = clients(lab)["watched_s"]
    host = lab.hosts[0]
    local = "http://127.0.0.1:4001"
    host.drop_in.write_text(host.drop_in.read_text().replace(local, f"{local},http://0.0.0.0:2377"))
    shell(host, "systemctl daemon-reload && systemctl restart etcd2.service")
    wait_until_healthy(lab)
    time.sleep(TICK_S + 1)
    lab.run(["curl", "--silent", f"http://{ADDRESS}:2377/version"])
    time.sleep(SETTLED_S)
    found = clients(lab)
    assert found["watched_s"] > watched_s
    assert ["http"] == found["ports"]["2377"]
    assert 1 == counted(found)["http", 2377, True]


def a_look_without_a_watcher(lab: Lab, port: int) -> None:
    http, https = f"http://{ADDRESS}:2379", f"https://{ADDRESS}:{port}"
    with running(kept_alive(lab, http), kept_alive(lab, https)):
        found = clients(lab, "--for", "3s")
        assert not found["is_watched"]
        assert {("http", 2379, True), ("https", port, False)} == set(counted(found))
        host = lab.hosts[0]
        shell(host, "mv /usr/bin/perl /usr/bin/perl.away")
        found = clients(lab, "--for", "3s")
        assert found["means"] == "ports"
        one_port = {("unknown", 2379, True)}
        expected = one_port if port == 2379 else {("http", 2379, True), ("https", port, False)}
        assert expected == set(counted(found))
