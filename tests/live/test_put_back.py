"""Configuration management that puts http back on a sealed cluster is named before any restart."""

from live.stories import (
    OURS,
    failure,
    orchestrator,
    restarts,
    shell,
    wait_until_healthy,
    written,
)

from orchestrator.etcd import effective
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning import initial_settings
from orchestrator.lab.provisioning.plan_copy import PLAN

RELOAD = "systemctl daemon-reload"
FILE, YAML = "/etc/default/etcd", "/etc/etcd/etcd.conf.yml"
HTTP, HTTPS = "http://0.0.0.0:2380", "https://0.0.0.0:2380"
SAYS_HTTP = f"ETCD_LISTEN_PEER_URLS={HTTP}, not {HTTPS}"


def laid_out(lab: Lab) -> None:
    """The second member has its settings in a file, the third in a configuration file."""
    _, two, three = lab.hosts
    for host in (two, three):
        settings = initial_settings.of_member(lab.cluster, host.entry)
        host.drop_in.write_text("[Service]\n")
        if host is two:
            written(host, FILE[1:], "".join(f'{name}="{value}"\n' for name, value in settings.items()))
        else:
            keys = "".join(f"{effective.flag(name)}: {value}\n" for name, value in settings.items())
            written(host, YAML[1:], f"# by Puppet\n{keys}enable-grpc-gateway: true\n")
            command = f"ExecStart=\nExecStart=/usr/bin/etcd --config-file {YAML}\n"
            written(host, f"{OURS}/15-theirs.conf", f"[Service]\n{command}")
        shell(host, f"{RELOAD} && systemctl --no-block restart etcd2.service")
        wait_until_healthy(lab)


def refusals(lab: Lab) -> list[str]:
    """What status, a resume and a rollback say, none of which may end well or restart anything."""
    before, said = restarts(lab), []
    for words, codes in ((["status"], {9}), (["run", "--resume"], {5, 7}), (["rollback", "--yes"], {5, 7})):
        done = orchestrator(lab, words[0], PLAN, *words[1:])
        assert done.returncode in codes, failure(done)
        said.append(" ".join(done.stderr.split()))
    assert before == restarts(lab)
    return said


def line_of(host: Host, path: str, name: str) -> int:
    return int(shell(host, f"grep -n '{name}' {path} | cut -d: -f1"))


def test_what_somebody_has_put_back_is_named_before_it_does_harm(hasty_lab: Lab) -> None:
    lab = hasty_lab
    laid_out(lab)
    one, two, three = lab.hosts
    done = orchestrator(lab, "run", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    peers = line_of(two, FILE, "ETCD_LISTEN_PEER")

    # as it stands now: ours win, and theirs are named for whoever writes them
    done = orchestrator(lab, "status", PLAN)
    assert done.returncode == 0, failure(done)
    assert f"server2: {FILE}: lines {peers - 2}, " in done.stdout
    assert f"server3: {YAML}: lines " in done.stdout
    assert "settings plan.yaml" in done.stdout

    # a drop-in behind ours
    late = f"/{OURS}/50-ansible.conf"
    written(one, late[1:], f"[Service]\n# Ansible\nEnvironment=ETCD_LISTEN_PEER_URLS={HTTP}\n")
    shell(one, RELOAD)
    status, resume, rollback = refusals(lab)
    assert f"{late}: line 3 says {SAYS_HTTP}" in status
    assert f"{late}: line 3 says {SAYS_HTTP}" in rollback
    assert (
        f"{late} is read after our 40-tls.conf and sets ETCD_LISTEN_PEER_URLS (line 3: {HTTP}, not" in resume
    )
    shell(one, f"rm {late}; {RELOAD}")

    # ours are gone, so that theirs count again
    shell(two, f"mkdir /root/ours; mv /{OURS}/40-tls.* /root/ours; {RELOAD}")
    for reported in refusals(lab):
        assert f"/{OURS}/40-tls.conf is missing" in reported
        assert f"{FILE}: line {peers - 1} says ETCD_ADVERTISE_CLIENT_URLS=http://" in reported
        assert f"line {peers} says {SAYS_HTTP}" in reported
    shell(two, f"mv /root/ours/* /{OURS}; {RELOAD}")

    # our copy of a configuration file, written over
    copy = "/etc/etcd/etcd.conf.40-tls.yml"
    shell(three, f"cp -p {copy} /root; sed -i s,https:,http:,g {copy}")
    for reported in refusals(lab):
        assert f"{copy} has another content" in reported
        assert f"line {line_of(three, copy, 'listen-peer-urls')} says {SAYS_HTTP}" in reported
    shell(three, f"cp -p /root/etcd.conf.40-tls.yml {copy}")

    # theirs say https by now, as `settings` says: all is well, but there is no way back to http in them
    shell(two, f"cp -p {FILE} /root; sed -i s,http:,https:,g {FILE}")
    for words in (["run", PLAN, "--resume"], ["status", PLAN]):
        done = orchestrator(lab, *words)
        assert done.returncode == 0, failure(done)
    before = restarts(lab)
    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 5, failure(done)
    said = " ".join(done.stderr.split())
    assert f"own files fail server2: the next start would read {FILE}: line" in said
    assert f"line {peers} says ETCD_LISTEN_PEER_URLS={HTTPS}, not {HTTP}" in said
    assert before == restarts(lab)
    shell(two, f"cp -p /root/etcd {FILE}")

    done = orchestrator(lab, "rollback", PLAN, "--yes")
    assert done.returncode == 0, failure(done)
    wait_until_healthy(lab)
