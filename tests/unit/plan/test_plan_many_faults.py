from pathlib import Path

from unit.plan.plan_texts import faults


def test_all_faults_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
cluster: 5
accept_downtime: yes
strategy: brige
members:
  - {name: a, adress: x, ssh: {become: no, port: "22"}}
  - {name: a, address: 1.2.3.4:22}
  - x
  - name:
    address: 10.0.0.1
  - {name: b, address: 10.0.0.1, ssh: [a]}
tls:
  ca: pki/ca.pem
  ca: pki/ca.pem
  certificate: "{nme}.pem"
  key: "{name}-key.pem"
  directory: "/etc/et cd"
ports: {client: 0, peer: 4001}
ssh: {known_hosts: kh}
"""
    (tmp_path / "kh").touch()
    assert [
        ":".join(fault.split(":")[1:4]).removesuffix(":") for fault in faults(tmp_path, text, files=True)
    ] == [
        "1:10: cluster",
        "2:18: accept_downtime",
        "3:11: strategy",
        "5:15: members.0.adress",
        "5:40: members.0.ssh.become",
        "5:50: members.0.ssh.port",
        "6:12: members.1.name",
        "6:24: members.1.address",
        "7:5: members.2",
        "8:5: members.3.name",
        "10:24: members.4.address",
        "10:39: members.4.ssh",
        "12:3: tls.client_certificate",
        "12:3: tls.client_key",
        "12:7: tls.ca",
        "13:3: tls.ca",
        "14:16: tls.certificate",
        "15:8: tls.key",
        "15:8: tls.key",
        "16:14: tls.directory",
        "17:17: ports.client",
        "17:26: ports.peer",
    ]
