"""The lab's copy of a plan: the same cluster, but its files and addresses are the lab's own."""

from pathlib import Path

import pytest

from orchestrator.errors import PlanInvalidError
from orchestrator.lab.machine.programs import LabError
from orchestrator.lab.provisioning import login, plan_copy
from orchestrator.probe.login import Login

THREE_MEMBERS = Path(__file__).parents[4] / "plans" / "three-members.yaml"

OVERRIDDEN = """\
# a cluster somewhere
cluster: abroad
strategy: no-such-thing
members:
  - name: one   # the oldest
    address: 192.0.2.1
    certificate: /secret/one.pem
    key: /secret/one.key
    ssh: {host: jump.example.org, port: 2222, identity_file: /secret/id, known_hosts: /secret/hosts}
  - {name: two, address: 192.0.2.2, ssh: {host: two.example.org, config: /secret/config, jump: a.example.org}}
  - {name: three, address: 192.0.2.3}
proxies:
  - name: client
    address: 192.0.2.9
    service: etcd3
    key: /secret/client1.key
    ssh: {host: client.example.org, identity_file: /secret/id, port: 2022}
notify: {metrics_file: /secret/etcd.prom}
ssh: {jump: "ops@gate.example.org:2222", config: /secret/config}
tls:
  ca: /secret/ca.pem
  certificate: /secret/{name}.pem
  key: /secret/{name}.key
  client_certificate: /secret/client.pem
  client_key: /secret/client.key
  directory: /etc/etcd2
"""


def test_no_file_of_the_operator_is_named_any_more(tmp_path: Path) -> None:
    plan = tmp_path / "plan-of-operator.yaml"
    plan.write_text(OVERRIDDEN)
    lab = tmp_path / "lab"
    lab.mkdir()
    cluster = plan_copy.copy(plan, lab)
    assert "/secret" not in (lab / "plan.yaml").read_text()
    assert "example.org" not in (lab / "plan.yaml").read_text()
    files = [cluster.tls.ca, cluster.tls.client_certificate, cluster.tls.client_key]
    for host in cluster.etcd_hosts:
        assert host.ssh.identity_file is not None
        files += [host.certificate, host.key, host.ssh.identity_file, host.ssh.known_hosts]
    assert {True} == {file.is_relative_to(lab) for file in files}
    assert plan.read_text() == OVERRIDDEN


def test_hosts_are_reached_at_their_addresses_and_other_overrides_stay(tmp_path: Path) -> None:
    plan = tmp_path / "abroad.yaml"
    plan.write_text(OVERRIDDEN)
    (tmp_path / "lab").mkdir()
    cluster = plan_copy.copy(plan, tmp_path / "lab")
    (one, two, _), (proxy,) = cluster.members, cluster.proxies
    assert ("192.0.2.1", 2222) == (one.ssh.host, one.ssh.port)
    assert ("192.0.2.2", 22) == (two.ssh.host, two.ssh.port)
    assert ("192.0.2.9", 2022, "etcd3") == (proxy.ssh.host, proxy.ssh.port, proxy.service)


def test_comments_and_everything_else_stay() -> None:
    original = THREE_MEMBERS.read_text()
    copied = plan_copy.relocated(original)
    assert "# Three members on plain HTTP" in copied
    assert "patience: {gate: 90s, pause: 500ms}" in copied
    assert "  - {name: server2, address: 198.18.0.102}" in copied.splitlines()
    assert copied == plan_copy.relocated(copied)


def test_the_plans_user_stays_with_a_password_of_the_labs_own(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{OVERRIDDEN}auth: {{user: anna, password_file: /secret/password}}\n")
    lab = tmp_path / "lab"
    lab.mkdir()
    cluster = plan_copy.copy(plan, lab)
    assert "/secret" not in (lab / "plan.yaml").read_text()
    made = login.write(cluster, None)
    assert made == login.of(cluster)
    assert made is not None
    assert ("anna", True) == (made.user, len(made.password) > 20)
    assert cluster.auth is not None
    assert cluster.auth.password_file.is_relative_to(lab)
    assert 0o600 == cluster.auth.password_file.stat().st_mode & 0o777
    assert Login("anna", "known") == login.write(cluster, Login("anna", "known"))
    assert Login("anna", "known") == login.of(cluster)


def test_whoever_logs_in_to_restored_data_is_named_and_nobody_through_v2() -> None:
    original = THREE_MEMBERS.read_text()
    assert "\nauth:" not in plan_copy.relocated(original)
    copied = plan_copy.relocated(original, user="bob")
    assert "auth:\n  user: bob\n  password_file: keys/etcd.password\n" in copied
    assert "\nauth:" not in plan_copy.relocated(f"{original}api: v2\n", user="bob")


def test_clients_that_the_plan_moves_are_nobodys_in_the_lab() -> None:
    original = (
        f"{THREE_MEMBERS.read_text()}clients:\n  overlap: true\n  units: [{{unit: patroni, files: []}}]\n"
        "  hosts: [{name: app1, address: 198.18.0.121}]\n"
        "watch: {quiet: 2s}\n"
    )
    copied = plan_copy.relocated(original)
    assert "overlap: true" in copied
    assert "patroni" not in copied
    assert "app1" not in copied
    assert "watch" not in copied


def test_faults_are_reported_of_the_operators_file(tmp_path: Path) -> None:
    plan = tmp_path / "faulty.yaml"
    plan.write_text(OVERRIDDEN.replace("address: 192.0.2.2", "adress: 192.0.2.2"))
    with pytest.raises(PlanInvalidError, match=r"faulty\.yaml:"):
        plan_copy.copy(plan, tmp_path)
    assert not (tmp_path / "plan.yaml").exists()


def test_the_labs_own_copy_is_not_copied_onto_itself(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(OVERRIDDEN)
    with pytest.raises(LabError, match="own copy"):
        plan_copy.copy(plan, tmp_path)


@pytest.mark.parametrize(
    ("written", "quiet_s", "port"),
    [
        ("", 3.0, 2378),
        ("clients: {quiet: 20m, extra_port: 2377}\n", 3.0, 2377),
        ("clients: {quiet: 500ms}\n", 0.5, 2378),
    ],
)
def test_a_rehearsal_does_not_wait_long_for_quiet_and_the_rest_stays(
    tmp_path: Path, written: str, quiet_s: float, port: int
) -> None:
    plan = tmp_path / "plan-of-operator.yaml"
    plan.write_text(f"{THREE_MEMBERS.read_text()}\n{written}")
    lab = tmp_path / "lab"
    lab.mkdir()
    cluster = plan_copy.copy(plan, lab)
    assert (quiet_s, port) == (cluster.clients.quiet_s, cluster.clients.extra_port)
