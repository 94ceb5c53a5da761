"""A cluster that somebody has half secured and left half registered: that part is kept."""

import json
import time

from live.stories import failure, orchestrator, shell, unhealthy, wait_until_healthy, writing

from orchestrator.lab.hosts import link_faults
from orchestrator.lab.hosts.host import Host
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.lab.provisioning.plan_copy import PLAN

ETCDCTL = "ETCDCTL_API=3 etcdctl --endpoints=http://127.0.0.1:2379"
PEERS = {"CERT_FILE": "peer", "KEY_FILE": "peer-key", "TRUSTED_CA_FILE": "peer-ca"}


def supply(lab: Lab) -> None:
    """Put certificates of another CA on each host, for its peers, and one of the plan's, for clients."""
    authority = Authority.make("another CA")
    for host in lab.hosts:
        folder = host.root / "etc/own-tls"
        folder.mkdir()
        authority.write(folder / "peer-ca")
        authority.issue(host.name, (host.entry.address,)).write(folder / "peer", folder / "peer-key")
        for source, name in ((host.entry.certificate, "client"), (host.entry.key, "client-key")):
            (folder / name).write_bytes(source.read_bytes())
        shell(host, "chown -R etcd /etc/own-tls && chmod -R u=rwX,go= /etc/own-tls")


def secure(host: Host, *, clients: bool) -> None:
    """Have the next start speak https to its peers, and to clients where the plan's local port is open."""
    text = host.drop_in.read_text().replace("LISTEN_PEER_URLS=http:", "LISTEN_PEER_URLS=https:")
    lines = [f"ETCD_PEER_{name}=/etc/own-tls/{file}" for name, file in PEERS.items()]
    lines.append("ETCD_PEER_CLIENT_CERT_AUTH=true")
    if clients:
        address = host.entry.address
        text = text.replace(
            "LISTEN_CLIENT_URLS=http://0.0.0.0:2379",
            "LISTEN_CLIENT_URLS="
            + ",".join((f"https://{address}:2379", "http://127.0.0.1:2379", "http://127.0.0.1:4001")),
        ).replace("ADVERTISE_CLIENT_URLS=http:", "ADVERTISE_CLIENT_URLS=https:")
        lines += ["ETCD_CERT_FILE=/etc/own-tls/client", "ETCD_KEY_FILE=/etc/own-tls/client-key"]
    host.drop_in.write_text(text + "".join(f'Environment="{line}"\n' for line in lines))


def registered(host: Host) -> dict[str, tuple[str, list[str]]]:
    """Each member's ID in hex, and its peer URLs, by its name."""
    listed = json.loads(host.run(["sh", "-c", f"{ETCDCTL} member list -w json"]).stdout)["members"]
    return {one["name"]: (f"{one['ID']:x}", one["peerURLs"]) for one in listed}


def environment(host: Host) -> dict[str, str]:
    words = shell(
        host, "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID etcd2.service)/environ"
    ).splitlines()
    return dict(word.split("=", 1) for word in words if word.startswith("ETCD_"))


def said(lab: Lab, code: int, *words: str) -> str:
    done = orchestrator(lab, *words)
    assert code == done.returncode, f"{words}: {failure(done)}"
    return done.stdout + done.stderr


def restart(*hosts: Host) -> None:
    for host in hosts:
        shell(host, "systemctl daemon-reload && systemctl --no-block restart etcd2.service")


def register(host: Host, *schemes: str) -> None:
    for id_, urls in registered(host).values():
        place = urls[0].partition("://")[2]
        wanted = ",".join(f"{scheme}://{place}" for scheme in schemes)
        shell(host, f"{ETCDCTL} member update {id_} --peer-urls={wanted}")


def test_auto_tls_brings_members_together_and_comes_back_to_http_as_documented(lab: Lab) -> None:
    one, first = lab.hosts[0], [host.drop_in.read_text() for host in lab.hosts]
    register(one, "https")
    for host in lab.hosts:
        link_faults.kill_connections(host, lab.cluster.ports.peer)
    time.sleep(3)  # elections begin, and lead nowhere
    assert {"server1", "server2", "server3"} == set(unhealthy(lab))
    lost = said(lab, 5, "check", PLAN)
    assert (
        "server1 is registered with https://198.18.0.101:2380, and listens on http://0.0.0.0:2380" in lost
    ), lost
    assert "no member knows a leader, and without one etcd takes no 'member update'" in lost
    for host in lab.hosts:
        text = host.drop_in.read_text().replace("LISTEN_PEER_URLS=http:", "LISTEN_PEER_URLS=https:")
        host.drop_in.write_text(text + 'Environment="ETCD_PEER_AUTO_TLS=true"\n')
    restart(*lab.hosts)
    wait_until_healthy(lab)
    refused = said(lab, 5, "check", PLAN)
    assert "ETCD_LISTEN_PEER_URLS already holds https://0.0.0.0:2380, without ETCD_PEER_CERT_FILE" in refused

    with writing(lab):
        register(one, "https", "http")
        for host, text in zip(lab.hosts, first, strict=True):
            host.drop_in.write_text(text)
            restart(host)
            wait_until_healthy(lab)
        register(one, "http")
    said(lab, 0, "check", PLAN)


def test_what_speaks_https_is_kept_and_what_was_left_half_done_is_put_right(lab: Lab) -> None:
    one, two, _ = lab.hosts
    # server2 has https on its client port and the others would have it on the extra port: whether the lab's
    # client, which knows one port for all, came to speak no http would depend on who leads
    lab.plan.write_text(lab.plan.read_text().replace("clients:\n", "clients:\n  overlap: false\n"))
    supply(lab)
    for name, (id_, urls) in registered(one).items():
        if name != "server3":  # whoever did this forgot one
            shell(one, f"{ETCDCTL} member update {id_} --peer-urls={urls[0].replace('http:', 'https:')}")
    for host in lab.hosts:
        secure(host, clients=host is two)
    restart(*lab.hosts)
    wait_until_healthy(lab)
    before = {host.name: environment(host) for host in lab.hosts}
    files = [shell(host, "cat /etc/systemd/system/etcd2.service.d/*.conf || true") for host in lab.hosts]

    checked = said(lab, 0, "check", PLAN)
    assert (
        "server3 is registered with http://198.18.0.103:2380, and listens on https://0.0.0.0:2380" in checked
    )
    assert "To have that put right first: --repair" in said(lab, 5, "run", PLAN, "--yes")
    with writing(lab):
        review = said(lab, 0, "run", PLAN, "--yes", "--repair")
    assert "REPAIR: server3: registered with http://198.18.0.103:2380" in review
    assert "server1, server2, server3: peers speak https already" in review
    assert "server2: clients are served over https already" in review
    assert {
        name: [f"https://198.18.0.{100 + number}:2380"]
        for number, name in enumerate(("server1", "server2", "server3"), start=1)
    } == {name: urls for name, (_, urls) in registered_locally(one).items()}
    for host in lab.hosts:
        now = environment(host)
        assert "/etc/own-tls/peer" == now["ETCD_PEER_CERT_FILE"]
        wanted = "/etc/own-tls/client" if host is two else f"/etc/etcd2/{host.name}.pem"
        assert wanted == now["ETCD_CERT_FILE"]
        assert "true" == now["ETCD_CLIENT_CERT_AUTH"]

    said(lab, 0, "rollback", PLAN, "--yes")
    assert before == {host.name: environment(host) for host in lab.hosts}
    assert files == [
        shell(host, "cat /etc/systemd/system/etcd2.service.d/*.conf || true") for host in lab.hosts
    ]
    assert all(urls[0].startswith("https://") for _, urls in registered(one).values())
    said(lab, 0, "check", PLAN)


def registered_locally(host: Host) -> dict[str, tuple[str, list[str]]]:
    """The same through the local port, which is open once the members are moved."""
    command = f"{ETCDCTL.replace('2379', '4001')} member list -w json"
    listed = json.loads(host.run(["sh", "-c", command]).stdout)["members"]
    return {one["name"]: (f"{one['ID']:x}", one["peerURLs"]) for one in listed}
