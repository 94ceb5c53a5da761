"""Hosts of Ansible inventories, and of a command line."""

import json
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

# What would lead elsewhere than to the host that a ProxyCommand names, or by another way.
CHANGED_WAYS = (
    "-F other",
    "-J outer",
    "-o ProxyJump=outer",
    '-o "ProxyCommand=ssh -W %%h:%%p outer"',
    "-o HostName=10.0.0.1",
)


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


@pytest.mark.parametrize("variable", ["ansible_private_key_file", "ansible_ssh_private_key_file"])
def test_ports_and_keys_as_ansible_has_them(variable: str, tmp_path: Path) -> None:
    here = str(Path("keys/id").absolute())
    expected = [Seed(f"db{number}", f"db{number}", port=2222, identity_file=here) for number in (1, 2)]
    expected.append(Seed("db3", "db3", port=22, identity_file=str(Path("~/id").expanduser())))
    text = f"db[1:2]:2222 {variable}=keys/id\ndb3:2222 ansible_port=22 {variable}=~/id\n"
    assert tuple(expected) == read(inventory(tmp_path, "hosts", text), None)
    hosts = f'{{"db[1:2]:2222": {{{variable}: keys/id}}, "db3:22": {{{variable}: "~/id"}}}}'
    assert tuple(expected) == read(inventory(tmp_path, "hosts.yml", f"all: {{hosts: {hosts}}}"), None)


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


@pytest.mark.parametrize(
    ("words", "jump"),
    [
        ("-o ProxyJump=ops@bastion:2222,inner", "ops@bastion:2222,inner"),
        ("-J ops@bastion -o ControlPersist=60s", "ops@bastion"),
        ("-o 'ProxyJump inner' -Jlater", "inner"),
        ('-o ProxyCommand="ssh -W %h:%p -q ops@bastion"', "ops@bastion"),
        ('-C -oProxyCommand="/usr/bin/ssh -l ops bastion -W [%h]:%p -p 2222"', "ops@bastion:2222"),
        ('-o ProxyCommand="ssh -W %h:%p fd00::1"', "[fd00::1]"),
        ("-o 'ProxyJump\tops@bastion'", "ops@bastion"),
        ("-o ProxyCommand='ssh -o Port=2222 -p 22 -oUser=ops -W %h:%p bastion'", "ops@bastion:2222"),
        ("-o ProxyCommand='ssh -p 2222 -p 22 -o ProxyCommand=none -W %h:%p -q bastion'", "bastion:2222"),
        ("-o ProxyCommand='ssh -W %h:%p -q \"ops@bastion\"'", "ops@bastion"),
        ("-o ProxyCommand=none", "none"),
        ("-o ProxyCommand=none -o ProxyJump=bastion", "none"),
        ("-o StrictHostKeyChecking=no -C", None),
        ("-F /dev/null -J bastion", "bastion"),
        ("-o ControlPath={{home}}/%C", None),
        ("", None),
    ],
    ids=range(16),
)
def test_a_jump_host_in_words_for_ssh(words: str, jump: str | None, tmp_path: Path) -> None:
    text = f"db1 ansible_ssh_extra_args='-v'\n[all:vars]\nansible_ssh_common_args={words}\n"
    assert (Seed("db1", "db1", jump=jump),) == read(inventory(tmp_path, "hosts", text), None)
    in_yaml = f"all: {{hosts: {{db1: }}, vars: {{ansible_ssh_common_args: {json.dumps(words)}}}}}"
    assert (Seed("db1", "db1", jump=jump),) == read(inventory(tmp_path, "hosts.yml", in_yaml), None)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "-o ProxyCommand='nc -x proxy %h %p'",
            "'db1': the ProxyCommand .* is no 'ssh -W %h:%p HOST'.* --jump",
        ),
        ("-o ProxyCommand='ssh bastion nc %h %p'", "is no 'ssh -W"),
        ("-o ProxyCommand='ssh -W %h:%p -J outer inner'", "is no 'ssh -W"),
        ("-o ProxyCommand='ssh -W %h:%p {{ bastion }}'", "is no 'ssh -W"),
        ("-o ProxyJump={{bastion}}", "'db1'"),
        ("-o ProxyCommand='ssh -W %h:%p -p 0 bastion'", "is no TCP port"),
        ("-z", "is no words for ssh: option -z not recognized"),
        ("-o ProxyCommand='", "is no words of a command line: No closing quotation"),
        *((f"-o ProxyCommand='ssh {words} -W %h:%p inner'", "is no 'ssh -W") for words in CHANGED_WAYS),
        ("-o ProxyCommand='ssh -W %h:%p outer,inner'", "is no 'ssh -W"),
        ("-o ProxyCommand='ssh -W %h:%p none'", "is no 'ssh -W"),
        ("-o ProxyCommand='ssh -l ops -W %h:%p root@bastion'", "is no 'ssh -W"),
        ("{{ ssh_words }}", "'{{' is no option of ssh.*--jump"),
        ("-C {{ '-J bastion' if far else '' }}", "'{{' is no option of ssh"),
        ("-F ssh.cfg -C", "'-F ssh.cfg' says.*--ssh-config"),
        ("-o {{option}}", "'{{option}}' is no option of ssh"),
        ("-J{{bastion}}", "'db1'"),
    ],
    ids=str,
)
def test_a_way_that_is_not_understood_is_said_with_what_helps(
    words: str, reason: str, tmp_path: Path
) -> None:
    text = f"all: {{hosts: {{db1: }}, vars: {{ansible_ssh_common_args: {json.dumps(words)}}}}}"
    with pytest.raises(ValueError, match=reason):
        read(inventory(tmp_path, "hosts.yml", text), None)


DEEP = """
[a:children]
etcd
b
[b:children]
etcd
[etcd]
db1
[z]
db1
[b:vars]
ansible_user=b
[z:vars]
ansible_user=z
"""


# The same as `ansible-inventory --host db1` says of them (ansible-core 2.19.14).
@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("[zone]\ndb1\n[etcd]\ndb1\n[site:children]\netcd\n[zone:vars]\nansible_user=zone\n{}", "etcd"),
        ("[a]\ndb1\n[etcd]\ndb1\n[a:vars]\nansible_user=a\nansible_group_priority=2\n{}", "a"),
        (DEEP, "b"),
        ("[etcd]\ndb1\n[ungrouped]\ndb1\n[ungrouped:vars]\nansible_user=u\n{}", "etcd"),
        ("db1\n[ungrouped:vars]\nansible_user=u\n[all:vars]\nansible_user=all\n", "u"),
        ("[etcd]\ndb1\n[etcd:vars]\nmotd=Don't panic\nansible_user='ops'  # ours\n", "ops"),
        ("db1\n[all:vars]\nansible_user=ops  # ours\n", "ops"),
    ],
    ids=range(7),
)
def test_of_several_groups_the_one_counts_that_counts_for_ansible(
    text: str, user: str, tmp_path: Path
) -> None:
    path = inventory(tmp_path, "hosts", text.format("[etcd:vars]\nansible_user=etcd\n"))
    assert (Seed("db1", "db1", user),) == read(path, None)


def test_an_empty_variable_of_a_host_undoes_that_of_its_group(tmp_path: Path) -> None:
    path = inventory(
        tmp_path,
        "hosts.yml",
        "all: {vars: {ansible_ssh_common_args: -J gw}, hosts: {db1: {ansible_ssh_common_args: }}}",
    )
    assert (Seed("db1", "db1"),) == read(path, None)


def test_quotes_within_a_group_s_words_for_ssh_stay(tmp_path: Path) -> None:
    words = '-oProxyCommand="ssh -W %h:%p gw"'
    for value in (words, f"'{words}'", '"-oProxyCommand=\\"ssh -W %h:%p gw\\""  # a remark'):
        path = inventory(tmp_path, "hosts", f"db1\n[all:vars]\nansible_ssh_common_args={value}\n")
        assert (Seed("db1", "db1", jump="gw"),) == read(path, None)


def test_groups_that_meet_again_and_again_are_read_at_once(tmp_path: Path) -> None:
    layers = [f"[{side}{n}:children]\na{n + 1}\nb{n + 1}\n" for n in range(40) for side in "ab"]
    path = inventory(tmp_path, "hosts", "".join(layers) + "[a40]\ndb1\n[b40]\n")
    assert (Seed("db1", "db1"),) == read(path, "a0")


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
