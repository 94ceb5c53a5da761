"""What was seen of hosts becomes one cluster, however its hosts were named."""

from pathlib import Path

from support.sites import make_site

from orchestrator.commands.seen_hosts import Look, Seen, summed_up
from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.facts.process import Process
from orchestrator.plan.seeds import Seed

PROCESS = Process("etcd2", True, "running", 7, "etcd", "etcd", {}, "/usr/bin/etcd", (), 0, 60.0, ())  # noqa: FBT003 -- as a fact has it


def test_a_host_that_is_named_twice_is_one_member(tmp_path: Path) -> None:
    targets = make_site(tmp_path, "server1", "server2").members
    registry = {
        name: Registered(name, f"server{number}", (f"http://198.18.0.10{number}:2380",), ())
        for number, name in enumerate("ab", start=1)
    }
    seeds = (Seed("db1", "db1"), Seed("198.18.0.102"), Seed("198.18.0.101"))
    named = zip(seeds, (targets[0], targets[1], targets[0]), "aba", strict=True)
    seen = [Seen(seed, target, PROCESS, "flags", (), (), registry[own]) for seed, target, own in named]

    found = summed_up(Look(tuple(seen), registry, "3.4.23", wants_login=False))
    assert [("server1", "db1"), ("server2", "198.18.0.102")] == [
        (host.name, host.seed.host) for host in found.hosts
    ]
