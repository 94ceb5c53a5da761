"""Clients' hosts in a plan: what is wrong with them is named with its place and its fix."""

from pathlib import Path

import pytest
from unit.plan.plan_texts import SMALL, faults, loaded

APP, OTHER = "{name: app, address: 10.0.0.7}", "{name: other, address: 10.0.0.8}"


def plan(hosts: str, on: str = ", on: [app]") -> str:
    """A plan whose clients' hosts are in line 14, and whose unit is in line 15."""
    unit = f"{{unit: x{on}, files: [{{path: /etc/x, content: 'x-{{name}}'}}]}}"
    return f"{SMALL}clients:\n  hosts: [{hosts}]\n  units: [{unit}]\n"


CASES = {
    "all is well": (plan(APP), ()),
    "a member's host beside it": (plan(APP, ", on: [a, app]"), ()),
    "on is missing": (
        plan(APP, ""),
        (
            (
                "15:11: clients.units.0.on: is missing, and the plan has clients.hosts: name the unit's "
                "hosts of a, b, c, app"
            ),
        ),
    ),
    "on is empty": (
        plan(APP, ", on: []"),
        ("15:25: clients.units.0.on: names no host: write at least one",),
    ),
    "an unknown host": (
        plan(APP, ", on: [app, ap]"),
        ("15:31: clients.units.0.on.1: no host is named 'ap', did you mean 'app'?",),
    ),
    "a host without a unit": (
        plan(f"{APP}, {OTHER}"),
        (
            (
                "14:50: clients.hosts.1.name: no unit runs on 'other': name it in 'on' of one in "
                "clients.units, or leave it out"
            ),
        ),
    ),
    "two with one address": (
        plan("{name: app, address: 10.0.0.7}, {name: other, address: 10.0.0.7}", ", on: [app, other]"),
        (
            (
                "14:66: clients.hosts.1.address: address '10.0.0.7' is taken in line 14: every host has its "
                "own, and a member's is named in 'on' of clients.units alone"
            ),
        ),
    ),
    "a member's address": (
        plan("{name: app, address: 10.0.0.2}"),
        (
            (
                "14:32: clients.hosts.0.address: address '10.0.0.2' is taken in line 4: every host has its "
                "own, and a member's is named in 'on' of clients.units alone"
            ),
        ),
    ),
    "etcd's fields": (
        plan("{name: app, address: 10.0.0.7, service: etcd}"),
        ("14:42: clients.hosts.0.service: unknown field, known here: address, name, ssh",),
    ),
    "itself": (
        plan("{name: app, address: 127.0.0.1}"),
        (
            (
                "14:32: clients.hosts.0.address: '127.0.0.1' leads every host to itself: write the address "
                "that the others dial"
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_shown_with_its_place_and_its_fix(tmp_path: Path, case: str) -> None:
    text, expected = CASES[case]
    assert [f"plan.yaml:{line}" for line in expected] == faults(tmp_path, text)


def test_a_clients_host_is_reached_as_members_are(tmp_path: Path) -> None:
    text = plan("{name: app, address: 10.0.0.7, ssh: {port: 2222}}") + "ssh: {user: ops, become: sudo}\n"
    (app,) = loaded(tmp_path, text).cluster.clients.hosts
    assert ("10.0.0.7", 2222, "ops", "sudo") == (app.ssh.host, app.ssh.port, app.ssh.user, app.ssh.become)
    assert {"port", "user", "become"} == app.ssh.model_fields_set


def test_without_clients_hosts_a_unit_runs_on_every_members(tmp_path: Path) -> None:
    text = f"{SMALL}clients: {{units: [{{unit: x, files: [{{path: /etc/x, content: x}}]}}]}}\n"
    clients = loaded(tmp_path, text).cluster.clients
    assert [1, 1, 1] == [len(clients.units_on(name)) for name in "abc"]
