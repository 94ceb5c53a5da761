"""A plan drafted from running hosts: what `init` writes passes `check`."""

from live.stories import failure, fingerprint, orchestrator, shell, written

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

KEYS = ("--identity-file", "keys/id_ed25519", "--known-hosts", "keys/known_hosts")


def test_one_endpoint_is_enough_for_a_plan_that_passes_every_check(lab: Lab) -> None:
    before = fingerprint(lab)

    shown = orchestrator(lab, "init", "http://198.18.0.101:2379", "--user", "root", *KEYS)
    assert 0 == shown.returncode, failure(shown)
    assert "# yaml-language-server: $schema=plan.schema.json" == shown.stdout.splitlines()[0]
    for number in (1, 2, 3):
        assert f"{{name: server{number}, address: 198.18.0.10{number}}}" in shown.stdout

    arguments = ("198.18.0.102", "--user", "root", *KEYS, "--out", "drafted/plan.yaml")
    (lab.directory / "drafted").mkdir()
    done = orchestrator(lab, "init", *arguments)
    assert 0 == done.returncode, failure(done)
    assert (lab.directory / "drafted/plan.schema.json").exists()
    made = orchestrator(lab, "certs", "drafted/plan.yaml")
    assert 0 == made.returncode, failure(made)
    checked = orchestrator(lab, "check", "drafted/plan.yaml")
    assert 0 == checked.returncode, failure(checked)
    assert "0 warned, 0 failed" in checked.stdout
    seen = orchestrator(lab, "certs", "drafted/plan.yaml", "--show")
    assert 0 == seen.returncode, failure(seen)
    assert "ok       198.18.0.101: it dials 198.18.0.102, 198.18.0.103 from there" in seen.stdout
    assert "ok       198.18.0.103: peers dial https://198.18.0.103:2380" in seen.stdout
    assert "no name is missing" in seen.stdout
    assert before == fingerprint(lab)

    again = orchestrator(lab, "init", *arguments)
    assert 5 == again.returncode, failure(again)
    assert "is there already, and was not touched" in again.stderr


def test_an_inventory_and_a_host_that_hides_its_etcd(lab: Lab) -> None:
    inventory = lab.directory / "hosts.ini"
    inventory.write_text(
        "[etcd]\n"
        + "".join(f"db{number} ansible_host=198.18.0.10{number}\n" for number in (1, 2, 3))
        + "[etcd:vars]\nansible_user=root\n"
    )
    own = (lab.directory / PLAN).read_text()
    done = orchestrator(lab, "init", "--from-inventory", "hosts.ini", "--group", "etcd", *KEYS)
    assert 0 == done.returncode, failure(done)
    assert "  user: root" in done.stdout
    assert own == (lab.directory / PLAN).read_text()

    host = lab.host("server3")
    written(host, "etc/systemd/system/etcd-two.service", "[Service]\nExecStart=/tmp/etcd 1000\n")
    shell(host, "cp /usr/bin/sleep /tmp/etcd; systemctl daemon-reload; systemctl start etcd-two")
    refused = orchestrator(lab, "init", "--from-inventory", "hosts.ini", *KEYS)
    assert 5 == refused.returncode, failure(refused)
    assert "db3: several units run an etcd: etcd, etcd-two" in refused.stderr
    chosen = orchestrator(lab, "init", "--from-inventory", "hosts.ini", "--service", "etcd2", *KEYS)
    assert 0 == chosen.returncode, failure(chosen)


def test_a_user_with_sudo_behind_a_jump_host(lab: Lab) -> None:
    for host in lab.hosts:
        shell(
            host,
            "useradd --create-home --shell /bin/bash --password '*' ops; cp -r /root/.ssh /home/ops/.ssh; "
            "chown -R ops:ops /home/ops/.ssh; echo 'ops ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/ops; "
            "chmod 440 /etc/sudoers.d/ops",
        )
    jump = "ops@198.18.0.101"
    (lab.directory / "behind").mkdir()
    (lab.directory / "behind.ini").write_text(
        "[etcd]\n"
        + "".join(f"db{number} ansible_host=198.18.0.10{number}\n" for number in (1, 2, 3))
        + "[etcd:vars]\nansible_user=ops\n"
        + f"ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p -q {jump}\"'\n"
    )
    listed = orchestrator(lab, "init", "--from-inventory", "behind.ini", "--out", "behind/plan.yaml", *KEYS)
    assert 0 == listed.returncode, failure(listed)
    drafted = (lab.directory / "behind/plan.yaml").read_text()
    assert [f'  jump: "{jump}"', "  become: sudo", "  user: ops"] == sorted(
        (line for line in drafted.splitlines() if line.startswith(("  jump", "  become", "  user"))),
        key=lambda line: "jbu".index(line.strip()[0]),
    )
    made = orchestrator(lab, "certs", "behind/plan.yaml")
    assert 0 == made.returncode, failure(made)
    checked = orchestrator(lab, "check", "behind/plan.yaml")
    assert 0 == checked.returncode, failure(checked)

    named = orchestrator(lab, "init", "198.18.0.103", "--user", "ops", "--jump", jump, *KEYS)
    assert 0 == named.returncode, failure(named)
    assert f'  jump: "{jump}"' in named.stdout
    assert "{name: server1, address: 198.18.0.101}" in named.stdout
