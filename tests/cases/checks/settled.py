"""What a member runs with and what lies on its host: orchestrator/etcd/checks/settled.py."""

import base64

from support.judging import (
    Case,
    Change,
    Scene,
    down,
    fails,
    found,
    gone,
    lies,
    plan,
    runs,
    runs_as,
    says,
    sha256,
    tls,
)

from orchestrator.host.questions import Answer
from orchestrator.plan.facts import FoundFile
from orchestrator.plan.sections import Clients

UNIT = "/etc/systemd/system/etcd2.service.d"
ENDS = f"{UNIT}/50-closed.conf"
LOCAL, CERTS, TLS = f"{UNIT}/25-insecure_localhost.conf", f"{UNIT}/30-certs.conf", f"{UNIT}/40-tls.conf"
CA, CERTIFICATE, KEY = "/etc/etcd2/ca.pem", "/etc/etcd2/server1.pem", "/etc/etcd2/server1-key.pem"
STORE = "/usr/local/share/ca-certificates/etcd-three-members-1.crt"
PEERS_HTTP = "Environment=ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380"
PEERS_HTTPS = "Environment=ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"
CERT_ELSEWHERE = "Environment=ETCD_CERT_FILE=/x.pem"
SAME = FoundFile(sha256=sha256("theirs"), mode=0o644, owner="root", group="root")
OTHER = FoundFile(sha256=sha256("what was there"), mode=0o644, owner="root", group="root")


def unreadable(host: str) -> Change:
    return says(
        host, "^files.SCRIPT", lambda said: Answer(0, said.stdout.replace(" readable ", " unreadable "))
    )


def read_late(text: str) -> Change:
    """A unit that reads a drop-in behind ours."""
    encoded = base64.b64encode(f"[Service]\n{text}\n".encode()).decode()
    return says("server1", "^unit.SCRIPT", Answer(0, f"drop_in={encoded} {UNIT}/50-late.conf"))


def mode_of(path: str, mode: int) -> Change:
    def change(scene: Scene) -> None:
        files = scene.world.place(scene.target.name).files
        text, _, owner, group = files[path]
        files[path] = (text, mode, owner, group)

    return change


OWN = {f"ETCD_PEER_{name}": f"/etc/own/{name}" for name in ("CERT_FILE", "KEY_FILE", "TRUSTED_CA_FILE")}


# fmt: off
CASES = (
    Case("configured_as_found", "plaintext"),
    Case("configured_as_found", "plaintext", (runs("server1", ETCD_CONFIG_FILE="/etc/etcd.yml"),),
         "etcd reads a configuration file"),
    Case("configured_as_found", "plaintext", (runs_as("server1", "etcd", "--name=x", "-debug"),),
         "--name, --debug"),
    Case("configured_as_found", "plaintext", (fails("server1", "process.SCRIPT", "has just ended"),), "cannot tell"),

    Case("running_with_http", "plaintext"),
    Case("running_with_http", "plaintext", (down("server1"),), "etcd2.service is failed"),
    Case("running_with_http", "plaintext", (runs("server1", ETCD_LISTEN_CLIENT_URLS="http://0.0.0.0:1,https://0.0.0.0:2"),),
         "ETCD_LISTEN_CLIENT_URLS already holds https://0.0.0.0:2"),
    Case("running_with_http", "plaintext", (runs("server1", ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"),),
         "ETCD_LISTEN_PEER_URLS already holds https://0.0.0.0:2380, without ETCD_PEER_CERT_FILE, ETCD_PEER_KEY_FILE"),
    Case("running_with_http", "plaintext", (runs("server1", **OWN, ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"),)),
    Case("running_with_http", "sealed", (), "ETCD_LISTEN_PEER_URLS already holds https://0.0.0.0:2380, without certificates other"),
    Case("running_with_http", "plaintext", (runs("server1", **OWN, ETCD_LISTEN_PEER_URLS="https://a:1,http://a:2"),),
         "ETCD_LISTEN_PEER_URLS already holds https://a:1, and http beside it"),
    Case("running_with_http", "plaintext", (runs("server1", ETCD_ADVERTISE_CLIENT_URLS="https://a:2379"),),
         "ETCD_ADVERTISE_CLIENT_URLS already holds"),

    Case("running_as_found", "plaintext"),
    Case("running_as_found", "staged", (lies("server1", TLS, "theirs"), found("server1", files={TLS: SAME}))),
    Case("running_as_found", "plaintext", (read_late(PEERS_HTTPS),)),  # the check 'origin' looks at that
    Case("running_as_found", "plaintext", (down("server1"),), "etcd2.service is failed"),
    Case("running_as_found", "plaintext", (runs("server1", ETCD_CERT_FILE="/x.pem"),), "ETCD_CERT_FILE is '/x.pem', not"),
    Case("running_as_found", "plaintext", (runs("server1", ETCD_LISTEN_PEER_URLS=None),), "ETCD_LISTEN_PEER_URLS is"),
    Case("running_as_found", "plaintext", (lies("server1", CERTS),), f"{CERTS} was not there before the first change"),
    Case("running_as_found", "plaintext", (lies("server1", TLS), found("server1", files={TLS: OTHER})),
         f"{TLS} is not as it was before the first change"),
    Case("running_as_found", "plaintext", (found("server1", files={TLS: OTHER}),), f"{TLS} is not as it was"),

    Case("listening_locally", "opened", migration="guide"),
    Case("listening_locally", "plaintext", (), "ETCD_LISTEN_CLIENT_URLS is"),
    Case("listening_locally", "plaintext", (
        found("server1", environment={"ETCD_LISTEN_CLIENT_URLS": "http://127.0.0.1:4001, http://0.0.0.0:2379"}),
        runs("server1", ETCD_LISTEN_CLIENT_URLS="http://127.0.0.1:4001, http://0.0.0.0:2379",
             ETCD_LISTEN_PEER_URLS=None, ETCD_ADVERTISE_CLIENT_URLS=None, ETCD_INITIAL_CLUSTER=None,
             ETCD_INITIAL_ADVERTISE_PEER_URLS=None))),  # open already: nothing of ours lies
    Case("listening_locally", "opened", (gone("server1", LOCAL),), f"{LOCAL} is missing", migration="guide"),
    Case("listening_locally", "opened", (lies("server1", CERTS),), f"{CERTS} was not there", migration="guide"),
    Case("listening_locally", "opened", (runs("server1", ETCD_KEY_FILE="/x"),), "ETCD_KEY_FILE is '/x'", migration="guide"),

    Case("loaded_with_certificates", "accepting"),
    Case("loaded_with_certificates", "staged", (), "ETCD_CERT_FILE is"),
    Case("loaded_with_certificates", "accepting", (gone("server1", CERTS),), f"{CERTS} is missing"),
    Case("loaded_with_certificates", "accepting", (lies("server1", LOCAL, "x"),), f"{LOCAL} has another content"),
    Case("loaded_with_certificates", "switched", (), f"{TLS} was not there before the first change"),
    Case("loaded_with_certificates", "accepting", (read_late(CERT_ELSEWHERE),),
         f"{UNIT}/50-late.conf: line 2 says ETCD_CERT_FILE=/x.pem, not /etc/etcd2/server1.pem"),
    Case("loaded_with_certificates", "accepting", (down("server1"),), "etcd2.service is failed"),

    Case("running_with_https", "switched"),
    Case("running_with_https", "sealed"),
    Case("running_with_https", "bridged", (), "ETCD_LISTEN_PEER_URLS is 'http://0.0.0.0:2380', not"),
    Case("running_with_https", "switched", (runs("server1", ETCD_PEER_CLIENT_CERT_AUTH=None),), "ETCD_PEER_CLIENT_CERT_AUTH"),
    Case("running_with_https", "switched", (runs("server1", ETCD_LISTEN_CLIENT_URLS="https://0.0.0.0:2379"),),
         "ETCD_LISTEN_CLIENT_URLS is 'https://0.0.0.0:2379', not"),
    Case("running_with_https", "switched", (gone("server1", TLS),), f"{TLS} is missing"),
    Case("running_with_https", "switched", (gone("server1", LOCAL),), f"{LOCAL} is missing"),
    Case("running_with_https", "switched", (lies("server1", CERTS, "x"),), f"{CERTS} has another content"),
    Case("running_with_https", "sealed", (read_late(PEERS_HTTP),),
         f"{UNIT}/50-late.conf: line 2 says ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380, not https://0.0.0.0:2380"),
    Case("running_with_https", "sealed", (read_late(PEERS_HTTPS),)),
    Case("running_with_https", "sealed", (says("server1", "^unit.SCRIPT", Answer(0, "NeedDaemonReload=yes")),),
         "changed since systemd read them"),
    Case("running_with_https", "sealed", (fails("server1", "unit.SCRIPT"),), "cannot tell: timed out"),
    Case("running_with_https", "switched", (down("server1"),), "etcd2.service is failed"),
    Case("running_with_https", "switched", (fails("server1", "files.SCRIPT"),), "cannot tell: timed out"),

    Case("running_with_ports_closed", "closed"),
    Case("running_with_ports_closed", "sealed", (plan(clients=Clients(close=("local",))),),
         "ETCD_LISTEN_CLIENT_URLS is 'https://0.0.0.0:2379,http://127.0.0.1:4001', not 'https://0.0.0.0:2379'"),
    Case("running_with_ports_closed", "closed", (gone("server1", ENDS),), f"{ENDS} is missing"),

    Case("holding_certificates", "staged"),
    Case("holding_certificates", "relaying-staged", host="proxy1"),
    Case("holding_certificates", "plaintext", (), f"{CA} is missing; {CERTIFICATE} is missing; {KEY} is missing"),
    Case("holding_certificates", "staged", (gone("server1", KEY),), f"{KEY} is missing"),
    Case("holding_certificates", "staged", (lies("server1", CERTIFICATE),), f"{CERTIFICATE} has another content"),
    Case("holding_certificates", "staged", (mode_of(KEY, 0o644),), f"{KEY} is 0644"),
    Case("holding_certificates", "staged", (unreadable("server1"),), f"{KEY} is not readable by the service's user"),
    Case("holding_certificates", "staged", (says("server1", "files.SCRIPT", Answer(1, "", "cut off")),), "cannot tell: cut off"),

    Case("holding_no_certificates", "plaintext"),
    Case("holding_no_certificates", "plaintext", (lies("server1", CA, "theirs"), found("server1", files={CA: SAME}))),
    Case("holding_no_certificates", "staged", (), f"{KEY} was not there before the first change"),
    Case("holding_no_certificates", "plaintext", (lies("server1", STORE),), f"{STORE} was not there"),
    Case("holding_no_certificates", "plaintext", (lies("server1", STORE), tls(trust="files"))),
    Case("holding_no_certificates", "plaintext", (found("server1", files={CA: OTHER}),), f"{CA} is not as it was"),

    Case("free_of_other_files", "plaintext"),
    Case("free_of_other_files", "sealed"),  # the very same is no other
    *(Case("free_of_other_files", "plaintext", (lies("server1", path),), f"{path} holds something else")
      for path in (CA, CERTIFICATE, KEY, LOCAL, CERTS, TLS, STORE)),
)
# fmt: on
