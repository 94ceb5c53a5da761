"""A cluster's beginning, by flags alone: the members' data is made, so that they start as found afterwards.

What is found may not be what began the cluster: it is joined since, or was begun by a discovery that is long
gone. A member that has data takes its peers from there, whatever its settings say of the beginning.
"""

import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from orchestrator.lab.hosts.host import PATH, Host
from orchestrator.lab.lifecycle import authentication, readiness, restoring
from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError, run, wait_until
from orchestrator.lab.provisioning import as_found
from orchestrator.plan.layout import HostLayout, Layout
from orchestrator.probe.http_session import Endpoint
from orchestrator.probe.login import Login

CLIENTS = 2379  # on loopback alone, while the cluster forms
_QUICK = ("--heartbeat-interval=50", "--election-timeout=500")


def form(members: Sequence[Host], proxies: Sequence[Host], found: Layout, login: Login | None) -> None:
    """Make the data of the members of mounted hosts, with names and URLs of the registry.

    It is that of a snapshot, if there is one; else their cluster forms, and ends, with authentication on for
    whoever has a ``login``.
    """
    for host in members:
        as_found.check_programs(host, found.hosts[host.name])
    if found.snapshot:
        restoring.restore(members, found, found.snapshot)
    else:
        _start_once(members, found, login)
    for host in proxies:
        _write_peers(host, found)


def _start_once(members: Sequence[Host], found: Layout, login: Login | None) -> None:
    with ExitStack() as running:
        for host in members:
            running.enter_context(_running(host, found))
        for host in members:
            with network.entered(host.namespace):
                wait_until(
                    lambda: readiness.is_healthy("127.0.0.1", CLIENTS),
                    f"{host.name}: its etcd forms a cluster with the others",
                    timeout_s=60.0,
                )
        if login:
            with network.entered(members[0].namespace):
                authentication.turn_on(Endpoint("http", "127.0.0.1", CLIENTS), login)


@contextmanager
def _running(host: Host, found: Layout) -> Iterator[None]:
    """Run a member in its host's network and root, as its user, and end it in good order."""
    own = found.hosts[host.name]
    log = host.console.with_name(f"{host.name}.forming.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_inside(host, own), own.etcd, *_flags(host.name, own, found)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": PATH},
        )
    try:
        yield
    except LabError as cause:
        raise LabError(f"{cause}; its log is {log}") from cause
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _inside(host: Host, own: HostLayout) -> Sequence[str]:
    user = f"--userspec={own.account.user}:{own.account.group}"
    return ("nsenter", f"--net={network.NAMED / host.namespace}", "--", "chroot", user, str(host.root))


def _flags(name: str, own: HostLayout, found: Layout) -> Iterator[str]:
    ports = dict.fromkeys(urlsplit(url).port for url in found.members[name].peer_urls)
    everywhere = "[::]" if any(":" in address for address in own.addresses) else "0.0.0.0"  # noqa: S104 - in the lab
    client = f"http://127.0.0.1:{CLIENTS}"
    yield from as_found.beginning(name, found)
    yield f"--data-dir={own.data}"
    yield from [f"--wal-dir={own.wal}"] if own.wal else []
    yield f"--listen-peer-urls={','.join(f'http://{everywhere}:{port}' for port in ports)}"
    yield f"--listen-client-urls={client}"
    yield f"--advertise-client-urls={client}"
    yield "--initial-cluster-state=new"
    yield from _QUICK


def _write_peers(host: Host, found: Layout) -> None:
    """Write what a v2 proxy knows of the members, as it does itself: that beats its settings."""
    own = found.hosts[host.name]
    urls = [url for member in found.members.values() for url in member.peer_urls]
    folder, user = f"{own.data}/proxy", f"{own.account.user}:{own.account.group}"
    script = 'mkdir -p -- "$1" && printf %s "$2" > "$1/cluster" && chown -R -- "$3" "$1"'
    peers = json.dumps({"PeerURLs": urls})
    run(["chroot", str(host.root), "sh", "-ec", script, "sh", folder, peers, user])
