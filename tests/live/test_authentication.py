"""A cluster whose authentication is on: migrated as the plan's user, whose password nobody sees."""

import pytest
from live.conftest import FRESH, booted
from live.stories import events, failure, orchestrator, shell, state_file
from support.command_lines import watching_command_lines

from orchestrator.engine.progress import Progress
from orchestrator.lab.provisioning.plan_copy import PLAN

PASSWORD = "planted: a 'pass word'"  # noqa: S105 -- nobody's
ETCDCTL = "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379"
ENABLE = (
    f'{ETCDCTL} user add --interactive=false "root:$0" && {ETCDCTL} role add root && '
    f"{ETCDCTL} user grant-role root root && {ETCDCTL} auth enable"
)
LOGIN = ("--user", "root", "--identity-file", "keys/id_ed25519", "--known-hosts", "keys/known_hosts")
TLS = "--cacert=/etc/etcd2/ca.pem --cert=/etc/etcd2/server1.pem --key=/etc/etcd2/server1-key.pem"


@pytest.mark.usefixtures("base_system")
def test_a_cluster_with_authentication_is_migrated_and_brought_back() -> None:
    with booted(FRESH) as lab:
        one, said = lab.hosts[0], dict[str, str]()
        one.run(["sh", "-ec", ENABLE, PASSWORD])
        lab.plan.write_text(lab.plan.read_text().replace(", local: 4001}", "}"))

        def say(*arguments: str, exits: int = 0) -> str:
            done = orchestrator(lab, *arguments)
            assert done.returncode == exits, failure(done)
            said[" ".join(arguments)] = done.stdout + done.stderr
            return done.stdout + done.stderr

        refused = say("check", PLAN, exits=5)
        assert "authentication is on: the plan names no user" in refused
        secret = lab.directory / "root.password"
        secret.write_text("wrong\n")
        secret.chmod(0o600)
        lab.plan.write_text(lab.plan.read_text() + "auth: {user: root, password_file: root.password}\n")
        assert "the user 'root' of the plan (auth) is not taken" in say("check", PLAN, exits=5)
        secret.write_text(f"{PASSWORD}\n")
        drafted = say("init", "198.18.0.101", *LOGIN)
        assert "# auth: {user: root, password_file: root.password} # FILL IN: authentication is on" in drafted

        with watching_command_lines({PASSWORD}) as shown:
            say("check", PLAN)
            say("run", PLAN, "--yes")
            say("status", PLAN)
            drafting = say("init", "198.18.0.101", *LOGIN, exits=5)
            say("backup", PLAN)
            # nobody has the user that the certificate names, so etcd tells even its holder nothing
            printed = shell(
                one, f"ETCDCTL_API=3 etcdctl {TLS} --endpoints=https://198.18.0.101:2379 get x 2>&1; :"
            )
            say("rollback", PLAN, "--yes")
        assert "Error" in printed, printed
        assert "198.18.0.101: none of its client listeners speaks http (https://0.0.0.0:2379)" in drafting
        assert "let it be https://0.0.0.0:2379,http://127.0.0.1:4001 and then, as root: " in drafting
        assert [] == shown
        assert set(Progress.of(events(lab)).states.values()) == {"plaintext"}

        said["state file"] = state_file(lab).read_text()
        for host in lab.hosts:
            said[host.name] = shell(
                host, "journalctl --output=json --no-pager --all; cat /run/orchestrator/*/*"
            )
        assert [] == [name for name, text in said.items() if PASSWORD in text]
