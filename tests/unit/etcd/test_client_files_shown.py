"""What a review shows of a client's file: names of what changes, and values only where they are harmless."""

import pytest

from orchestrator.etcd.client_units import without_value

KEPT = (
    "+  protocol: https",
    "-  hosts: 198.18.0.101:2378,198.18.0.102:2378",
    "+  - 198.18.0.1:2379",
    "+ETCD_ENDPOINTS=https://etcd1.corp.example:2379,https://etcd2:2379",
    "+  cacert: /etc/patroni/etcd/ca.pem",
    "+use_proxies: true",
    "+ttl: 30s",
    "+etcd3:",
    '+"protocol": "https",',
)
HIDDEN = {
    "+etcd3: {username: root, password: x}": "+etcd3: ...",
    '+  "password": "x"': '+  "password": ...',
    "+- password: x": "+- password: ...",
    "+password:": "+password:",
    "+  hunter2": "+...",
    "+  key: abcdef": "+  key: ...",
    "+user: root:x": "+user: ...",
    "+ETCDCTL_USER=root:x": "+ETCDCTL_USER=...",
    "+  etcdctl --user root:x": "+  etcdctl ...",
    "+Authorization: Basic abc=": "+Authorization: ...",
    "+requirepass x": "+requirepass ...",
    "+pin: 1234": "+pin: ...",
    "+hunter:2222": "+hunter:...",
    "+url: https://root:x@etcd1:2379": "+url: ...",
}


@pytest.mark.parametrize("line", KEPT)
def test_addresses_paths_and_switches_are_shown(line: str) -> None:
    assert line == without_value(line)


@pytest.mark.parametrize(("line", "shown"), HIDDEN.items())
def test_whatever_else_is_not(line: str, shown: str) -> None:
    assert shown == without_value(line)
