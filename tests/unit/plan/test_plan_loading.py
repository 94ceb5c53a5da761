import re
from pathlib import Path

import pytest
from unit.plan.plan_texts import SHIPPED, SMALL, STRATEGIES, faults, loaded, swapped

from orchestrator import commandline
from orchestrator.errors import PlanInvalidError
from orchestrator.plan.loading import load
from orchestrator.plan.model import Cluster, Member, Patience, Ports, Proxy, SharedSsh, Ssh, Tls, Watch


def test_the_shipped_plan_loads_with_every_path_absolute() -> None:
    folder = SHIPPED.parent
    ssh = {"port": 22, "user": "root", "become": "none"}
    keys = {"identity_file": folder / "keys/id_ed25519", "known_hosts": folder / "keys/known_hosts"}
    expected = Cluster(
        name="three-members",
        strategy="bridge",
        members=tuple(
            Member(
                name=f"server{i}",
                address=f"198.18.0.10{i}",
                service="etcd2",
                ssh=Ssh.model_validate({"host": f"198.18.0.10{i}", **ssh, **keys}),
                certificate=folder / f"pki/server{i}.pem",
                key=folder / f"pki/server{i}-key.pem",
            )
            for i in (1, 2, 3)
        ),
        tls=Tls(
            ca=folder / "pki/ca.pem",
            certificate="pki/{name}.pem",
            key="pki/{name}-key.pem",
            client_certificate=folder / "pki/client.pem",
            client_key=folder / "pki/client-key.pem",
            directory="/etc/etcd2",
            client_cert_auth=True,
            peer_cert_auth=True,
        ),
        service="etcd2",
        ssh=SharedSsh.model_validate({"user": "root", **keys}),
        ports=Ports(client=2379, peer=2380, local=4001, trial=12380),
        patience=Patience(gate_s=90.0, pause_s=0.5),
    )
    actual = load(SHIPPED, STRATEGIES, files=False)
    assert expected == actual.cluster
    assert actual.warnings == ()


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    cluster = loaded(tmp_path, SMALL).cluster
    member = cluster.member("a")
    assert (cluster.strategy, member.service) == ("bridge", "etcd")
    assert (cluster.ports, cluster.patience) == (Ports(), Patience())
    assert member.ssh == Ssh(
        host="10.0.0.1",
        port=22,
        user="root",
        identity_file=None,
        known_hosts=Path("~/.ssh/known_hosts").expanduser(),
        become="none",
    )
    assert (cluster.tls.client_cert_auth, cluster.tls.peer_cert_auth) == (True, True)
    assert (cluster.proxies, cluster.watch, cluster.api) == ((), Watch(), "auto")
    assert cluster.tls.trust == "system"


def test_a_member_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    entry = """\
  - name: a
    address: 10.0.0.1
    service: etcd@a
    certificate: other/{name}.pem
    key: /abs/a.key
    ssh:
      {host: b.example.com, port: 2222, user: admin, identity_file: ~/id, known_hosts: kh, become: sudo}
"""
    text = swapped("  - {name: a, address: 10.0.0.1}\n", entry) + "ssh: {user: ops, identity_file: all}\n"
    cluster = loaded(tmp_path, text).cluster
    first, second = cluster.members[:2]
    assert first.model_dump() == {
        "name": "a",
        "address": "10.0.0.1",
        "service": "etcd@a",
        "certificate": tmp_path / "other/a.pem",
        "key": Path("/abs/a.key"),
        "ssh": {
            "host": "b.example.com",
            "port": 2222,
            "user": "admin",
            "identity_file": Path("~/id").expanduser(),
            "known_hosts": tmp_path / "kh",
            "become": "sudo",
            "config": None,
            "jump": None,
            "host_key": None,
        },
    }
    assert (second.service, second.key) == ("etcd", tmp_path / "b.key")
    assert (second.ssh.user, second.ssh.port, second.ssh.identity_file) == ("ops", 22, tmp_path / "all")


def test_a_proxy_is_a_host_like_a_member(tmp_path: Path) -> None:
    text = (
        SMALL
        + """\
service: etcd2
ssh: {user: ops}
proxies:
  - {name: p, address: p.example.com}
  - {name: q, address: 10.0.0.9, service: etcd@q, key: "own/{name}.key", ssh: {host: 10.0.0.9, port: 2222}}
"""
    )
    cluster = loaded(tmp_path, text).cluster
    first, second = cluster.proxies
    assert isinstance(first, Proxy)
    assert (first.service, first.ssh.user, first.ssh.host) == ("etcd2", "ops", "p.example.com")
    assert (first.certificate, first.key) == (tmp_path / "p.pem", tmp_path / "p.key")
    assert (second.service, second.key, second.ssh.port) == ("etcd@q", tmp_path / "own/q.key", 2222)
    assert [host.name for host in cluster.hosts] == ["a", "b", "c", "p", "q"]
    assert (cluster.host("q"), cluster.host("b")) == (second, cluster.member("b"))
    missing = faults(tmp_path, text, files=True)
    assert any(f"'{tmp_path}/own/q.key' does not exist" in line for line in missing)
    assert any("proxies.1.key" in line for line in missing)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[fleet, flanneld]", Watch(units=("fleet", "flanneld"))),
        ("{units: [fleet]}", Watch(units=("fleet",))),
        (
            "{units: [fleet], quiet: 1.5s, errors: 'E[0-9]+'}",
            Watch(units=("fleet",), quiet_s=1.5, errors="E[0-9]+"),
        ),
    ],
)
def test_units_to_watch_are_a_list_or_more_than_that(tmp_path: Path, written: str, expected: Watch) -> None:
    assert loaded(tmp_path, f"{SMALL}watch: {written}\n").cluster.watch == expected


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        ("ERROR: 501: All the given peers are not reachable", True),
        ("dial tcp 127.0.0.1:4001: connection refused", True),
        ("context deadline exceeded: Timed out", True),
        ("INFO engine.go:81: Engine leadership changed", False),
        ("watching for terrors_total", False),
    ],
)
def test_error_lines_are_reported_from_others(line: str, *, is_error: bool) -> None:
    assert bool(re.search(Watch().errors, line)) is is_error


def test_interface_and_trust_may_be_chosen(tmp_path: Path) -> None:
    cluster = loaded(tmp_path, SMALL + "  trust: files\napi: v2\n").cluster
    assert (cluster.tls.trust, cluster.api) == ("files", "v2")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("500ms", 0.5), ("2m", 120.0), ("1.5s", 1.5), ("'3s'", 3.0)]
)
def test_durations_become_seconds(tmp_path: Path, text: str, seconds: float) -> None:
    assert loaded(tmp_path, f"{SMALL}patience: {{gate: {text}}}\n").cluster.patience.gate_s == seconds


@pytest.mark.parametrize("address", ["10.0.0.9", "'2001:db8::1'", "etcd-1.example.com", "etcd1", "a.b."])
def test_an_address_is_an_ip_address_or_a_dns_name(tmp_path: Path, address: str) -> None:
    text = swapped("10.0.0.1", address)
    assert loaded(tmp_path, text).cluster.members[0].address == address.strip("'")


def test_one_certificate_may_serve_all_members(tmp_path: Path) -> None:
    cluster = loaded(
        tmp_path, swapped('"{name}.pem"', "shared.pem").replace("{name}.key", "shared.key")
    ).cluster
    assert {member.certificate for member in cluster.members} == {tmp_path / "shared.pem"}


def test_an_even_number_of_members_is_worth_a_warning(tmp_path: Path) -> None:
    text = swapped("tls:\n", "  - {name: d, address: 10.0.0.4}\ntls:\n")
    assert loaded(tmp_path, text).warnings == (
        (
            f"{tmp_path}/plan.yaml:3:3: members: 4 members tolerate no more failures than 3: "
            "an odd number is better"
        ),
    )


@pytest.mark.parametrize(("count", "words"), [(1, "one member"), (2, "two members")])
def test_one_or_two_members_need_the_operators_consent(tmp_path: Path, count: int, words: str) -> None:
    lines = SMALL.splitlines(keepends=True)
    text = "".join(lines[: 2 + count] + lines[5:])
    assert faults(tmp_path, text) == [
        (
            f"plan.yaml:3:3: members: with {words} a restart takes the quorum away, and the cluster is "
            "down until it is over: add members first, or write 'accept_downtime: true'"
        )
    ]
    result = loaded(tmp_path, text + "accept_downtime: true\n")
    assert (len(result.cluster.members), result.warnings) == (count, ())


def test_every_file_is_looked_for_only_if_asked(tmp_path: Path) -> None:
    text = SMALL + "ssh: {identity_file: id, known_hosts: kh}\n"
    names = [
        "ca.pem",
        "a.pem",
        "b.pem",
        "c.pem",
        "a.key",
        "b.key",
        "c.key",
        "client.pem",
        "client.key",
        "id",
        "kh",
    ]
    assert faults(tmp_path, text) == []
    missing = faults(tmp_path, text, files=True)
    assert sorted(names) == sorted(line.split("'")[1].removeprefix(f"{tmp_path}/") for line in missing)
    made = [
        line
        for line in missing
        if line.endswith(f", or have all made: {commandline.command('certs', tmp_path / 'plan.yaml')}")
    ]
    assert [line for line in missing if ": tls." in line] == made != []
    for name in names:
        (tmp_path / name).touch()
    assert faults(tmp_path, text, files=True) == []
    (tmp_path / "ca.pem").unlink()
    (tmp_path / "ca.pem").mkdir()
    (tmp_path / "kh").unlink()
    assert faults(tmp_path, text, files=True) == [
        f"plan.yaml:7:7: tls.ca: '{tmp_path}/ca.pem' is a directory: put the file there or correct the path",
        (
            f"plan.yaml:13:39: ssh.known_hosts: '{tmp_path}/kh' does not exist: put the hosts' own keys "
            f"there ({commandline.command('hostkeys', tmp_path / 'plan.yaml')} shows and writes them)"
        ),
    ]


def test_a_members_own_missing_file_is_shown_where_the_member_names_it(tmp_path: Path) -> None:
    text = swapped("b, address: 10.0.0.2", "b, address: 10.0.0.2, key: own.key, ssh: {identity_file: own}")
    lines = [line for line in faults(tmp_path, text, files=True) if ":4:" in line]
    fix = "does not exist: put the file there or correct the path"
    assert lines == [
        f"plan.yaml:4:39: members.1.key: '{tmp_path}/own.key' {fix}",
        f"plan.yaml:4:69: members.1.ssh.identity_file: '{tmp_path}/own' {fix}",
    ]
    assert not any("b.key" in line for line in faults(tmp_path, text, files=True))


def test_a_plan_is_named_as_the_operator_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PlanInvalidError) as caught:
        load(Path("sub/../plan.yaml"), STRATEGIES)
    assert caught.value.faults == (
        "sub/../plan.yaml:1:1: plan: cannot be read: No such file or directory; check the path",
    )
    Path("plan.yaml").write_text(SMALL, encoding="utf-8")
    assert load(Path("plan.yaml"), STRATEGIES, files=False).cluster.tls.ca == tmp_path / "ca.pem"
