"""Hosts of Ansible inventories, and of a command line."""

from pathlib import Path

import pytest

from orchestrator.plan.inventory import read
from orchestrator.plan.seeds import Seed, seed

INI = """
; ours
bastion ansible_host=10.0.0.9
[etcd]
etcd[01:03].example.com
db4 ansible_host=10.0.0.4 ansible_port=2222 ansible_user=root ansible_become=false  # an older one
[etcd:vars]
ansible_user = ops
ansible_become=true
[all:vars]
ansible_user=nobody
ansible_port=22
[kube:children]
etcd
"""
YAML = """
all:
  vars: {ansible_user: nobody}
  children:
    kube:
      children:
        etcd:
          vars: {ansible_user: ops, ansible_become: true}
          hosts:
            etcd01.example.com: {ansible_port: 2222}
            db4: {ansible_host: 10.0.0.4, ansible_become_method: doas}
"""


def inventory(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("group", ["etcd", "kube"])
def test_an_ini_inventory(group: str, tmp_path: Path) -> None:
    names = [f"etcd{number}.example.com" for number in ("01", "02", "03")]
    expected = [Seed(name, name, "ops", 22, "sudo") for name in names]
    expected.append(Seed("10.0.0.4", "db4", "root", 2222, "none"))

    assert tuple(expected) == read(inventory(tmp_path, "hosts", INI), group)


def test_a_yaml_inventory(tmp_path: Path) -> None:
    first = Seed("etcd01.example.com", "etcd01.example.com", "ops", 2222, "sudo")
    second = Seed("10.0.0.4", "db4", "ops", None, "doas")

    assert (first, second) == read(inventory(tmp_path, "hosts.yml", YAML), "etcd")


def test_without_a_group_every_host_counts(tmp_path: Path) -> None:
    assert 5 == len(read(inventory(tmp_path, "hosts", INI), None))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[etcd]\nserver1\n", "has no group 'etdc', did you mean 'etcd'"),
        ("[etdc]\n", "names no host"),
        ("[etdc]\nserver[3:1]\n", "line 2: 'server\\[3:1\\]' is no range"),
        ("[etdc]\nserver[1:9999999]\n", "is no range"),
        ("[etdc]\nserver[1:1000][1:1000][1:1000]\n", "names more than 1000 hosts"),
        (f"[etdc]\nserver{'[1:1]' * 2000}\n", "is no range"),
        ("[etdc]\na ansible_host={{ secret }}\n", "'a'"),
        ("[etdc]\na ansible_port=0\n", "is no TCP port"),
        ("[etdc]\na ansible_become=true ansible_become_method=su\n", "becomes root by 'su'"),
        ("[etdc]\na 'open\n", "line 2"),
        ("[etdc:vars]\nansible_user\n", "is no NAME=VALUE"),
    ],
    ids=range(11),
)
def test_what_cannot_be_used_is_said(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        read(inventory(tmp_path, "hosts", text), "etdc")


def test_a_device_is_no_inventory() -> None:
    with pytest.raises(ValueError, match="cannot be read: it is not a plain file"):
        read(Path("/dev/zero"), None)


@pytest.mark.parametrize("text", ["[", "- a", "a: &a [*a]", "3", "all: {children: {all: {children: {}}}}"])
def test_a_yaml_file_that_is_no_inventory_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(inventory(tmp_path, "hosts.yaml", text), None)


def test_groups_in_a_circle_end(tmp_path: Path) -> None:
    text = "[a:children]\nb\n[b:children]\na\n[b]\nserver1\n[a:vars]\nansible_user=ops\n"

    assert (Seed("server1", "server1", "ops"),) == read(inventory(tmp_path, "hosts", text), "a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server1", Seed("server1")),
        ("ops@server1:2222", Seed("server1", user="ops", port=2222)),
        ("http://198.18.0.101:2379", Seed("198.18.0.101")),
        ("http://[fd00::1]:2379/", Seed("fd00::1")),
        ("ops@[fd00::1]:2222", Seed("fd00::1", user="ops", port=2222)),
        ("fd00::1", Seed("fd00::1")),
    ],
    ids=range(6),
)
def test_a_host_of_the_command_line(text: str, expected: Seed) -> None:
    assert expected == seed(text)


@pytest.mark.parametrize(
    "text", ["", "http://", "http://[", "-oProxyCommand=x", "a b", "@server1", "server1:x"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seed(text)
