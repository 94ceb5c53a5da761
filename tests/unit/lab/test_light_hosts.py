"""The plan of a measurement with light hosts: the members as they were, and hosts of clients beside them."""

from pathlib import Path

from bench import bench_growth, light_hosts
from bench.light_hosts import FIRST, NAME, HostBeside

from orchestrator.lab.provisioning import plan_copy


def test_light_hosts_stand_in_the_place_of_their_carrier(tmp_path: Path) -> None:
    carried = f"proxies:\n  - {{name: {light_hosts.CARRIER}, address: 198.18.0.200}}\n"
    bare = plan_copy.relocated(bench_growth.THREE_MEMBERS.read_text() + carried)
    plan = tmp_path / plan_copy.PLAN
    hosts = tuple(HostBeside("org", NAME, FIRST, number) for number in range(200))
    for count in (0, 1, 200):
        plan.write_text(light_hosts.planned(bare, hosts[:count]))
        cluster = plan_copy.read(plan)
        assert (3, 0, count) == (len(cluster.members), len(cluster.proxies), len(cluster.clients.hosts))
        assert [host.address for host in hosts[:count]] == [host.address for host in cluster.clients.hosts]
        assert count == sum(len(cluster.clients.units_on(host.name)) for host in hosts)
