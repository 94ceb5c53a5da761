"""Filling a lab's cluster with keys and leases over etcd's gateway, as fast as a few clients can."""

import json
import os
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.host import places
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.probe import v3
from orchestrator.probe.http_session import Endpoint, Request, Session

VALUE_KB, VALUES_AT_ONCE = 128, 8  # etcd takes 1.5 MB in one request
CLIENTS = 6
LEASE_TTL_S, KEY_EACH = 86_400, 10  # one lease in so many has a key
PATIENCE_S = 60.0
KEYS, LEASED = "/keyspace/", "/leased/"


@dataclass(frozen=True, slots=True)
class Used:
    """What a cluster holds before a run: keys of that size, leases, and what it cost to get there."""

    keys_mb: int
    filled_s: float
    database_mb: float
    leases: frozenset[str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What lies where a run keeps the data: its size, and from the file's beginning to its last byte."""

    size_mb: float
    took_s: float


def snapshot(host: Host) -> Snapshot:
    """Return what a run has kept of a member's data on its host."""
    script = f"stat --format='%s %.W %.Y' {places.KEPT}/*/snapshot.db"
    size, born, written = map(float, host.run(["sh", "-ec", script]).stdout.split())
    return Snapshot(round(size / 2**20, 1), round(written - born, 3))


def filled(lab: Lab, size_mb: int, count: int) -> Used:
    """Fill the cluster, and tell what it holds. The leases come last: their entries push the keys' out."""
    began, port = time.monotonic(), lab.cluster.ports.client
    with_keys(lab, size_mb)
    filled_s = time.monotonic() - began
    with_leases(lab, count)
    first = lab.members[0]
    database_mb = metric(first, port, "etcd_mvcc_db_total_size_in_bytes") / 2**20
    granted = leases(first, port) if count else frozenset[str]()
    return Used(size_mb, round(filled_s, 1), round(database_mb, 1), granted)


def with_keys(lab: Lab, size_mb: int) -> None:
    """Write that much: values of random bytes, some in each transaction."""
    each_mb = VALUE_KB * VALUES_AT_ONCE / 1024

    def write(session: Session, number: int) -> None:
        first = number * VALUES_AT_ONCE
        session.ask(_put_all({f"{KEYS}{first + each:08}": _value() for each in range(VALUES_AT_ONCE)}))

    _at_once(lab, round(size_mb / each_mb), write)


def with_leases(lab: Lab, count: int) -> None:
    """Grant that many leases, some of which have a key."""

    def grant(session: Session, number: int) -> None:
        lease = str(session.ask(v3.grant(LEASE_TTL_S))["ID"])
        if number % KEY_EACH == 0:
            session.ask(v3.put(f"{LEASED}{number:06}", "leased", lease=lease))

    _at_once(lab, count, grant)


def leases(host: Host, port: int) -> frozenset[str]:
    """Return the leases that a member knows, asked on its host over plain http."""
    url = f"http://127.0.0.1:{port}"
    listing = ("env", "ETCDCTL_API=3", "etcdctl", f"--endpoints={url}", "lease", "list")
    _, *found = host.run(listing, timeout_s=PATIENCE_S).stdout.splitlines()  # the first line has their number
    return frozenset(found)


def metric(host: Host, port: int, name: str) -> float:
    """Return a number that a member tells of itself, asked on its host over plain http."""
    text = host.run(["curl", "--silent", "--fail", f"http://127.0.0.1:{port}/metrics"]).stdout
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


def _at_once(lab: Lab, count: int, work: Callable[[Session, int], None]) -> None:
    """Do that so often, by some clients at once, each of which stays with one member."""

    def client(number: int) -> None:
        address = lab.members[number % len(lab.members)].address
        endpoint = Endpoint("http", address, lab.cluster.ports.client)
        session = Session(endpoint, None, timeout_s=PATIENCE_S)
        for each in range(number, count, CLIENTS):
            work(session, each)
        session.close()

    with lab.in_bastion(), ThreadPoolExecutor(CLIENTS) as pool:  # its threads are born in that network
        list(pool.map(client, range(CLIENTS)))


def _put_all(pairs: dict[str, bytes]) -> Request:
    puts = [
        {"request_put": {"key": v3.encoded(key), "value": b64encode(value).decode()}}
        for key, value in pairs.items()
    ]
    return Request("POST", "/v3/kv/txn", json.dumps({"success": puts}))


def _value() -> bytes:
    return os.urandom(VALUE_KB * 1024)
