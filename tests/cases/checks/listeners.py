"""What a member's listeners answer: orchestrator/etcd/checks/listeners.py."""

from support.judging import Case, fails, found, overlapping, plan, prints, says, tls

from orchestrator.host.questions import Answer
from orchestrator.plan.model import Clients, Ports

URL, LOCAL = "http://127.0.0.1:2379/health", "http://127.0.0.1:4001/health"
HTTPS, HTTP = "https://198.18.0.101:2379/health", "http://198.18.0.101:2379/health"
EXTRA = "https://198.18.0.101:2378/health"
PEER = "https://198.18.0.101:2380"
WELL, ILL = '200\n{"health":"true"}', '200\n{"health":"false"}'
BOTH = {"ETCD_ADVERTISE_CLIENT_URLS": "http://198.18.0.101:2379,http://198.18.0.101:2479"}

# fmt: off
CASES = (
    Case("serving_http", "plaintext"),
    Case("serving_http", "plaintext", (prints("server1", f"GET {URL}", '200\n{"health":true}'),)),
    Case("serving_http", "switched", (), f"no healthy answer over http: {URL}: closed"),
    Case("serving_http", "plaintext", (prints("server1", f"GET {URL}", "503\n"),), f"{URL}: status 503"),
    Case("serving_http", "plaintext", (prints("server1", f"GET {URL}", ILL),), "not healthy"),
    Case("serving_http", "plaintext", (fails("server1", f"GET {URL}", "timed out", 2),), f"{URL}: timed out"),

    Case("serving_local_http", "accepting"),
    Case("serving_local_http", "sealed"),
    Case("serving_local_http", "plaintext", (), f"no healthy answer on the local port: {LOCAL}: nobody listens"),
    Case("serving_local_http", "sealed", (prints("server1", f"GET {LOCAL}", ILL),), "not healthy"),
    Case("serving_local_http", "sealed", (prints("server1", "GET", ILL), plan(ports=Ports(local="none")))),

    Case("serving_local_http_unless_closed", "sealed"),
    Case("serving_local_http_unless_closed", "closed"),
    Case("serving_local_http_unless_closed", "sealed", (prints("server1", f"GET {LOCAL}", ILL),), "not healthy"),
    Case("serving_local_http_unless_closed", "sealed",
         (prints("server1", f"GET {LOCAL}", ILL), plan(clients=Clients(close=("local",))))),

    Case("serving_https_beside_http", "accepting"),
    Case("serving_https_beside_http", "accepting",
         (overlapping, prints("server1", f"GET {EXTRA} certificate", WELL))),
    Case("serving_https_beside_http", "accepting", (overlapping,),
         f"no healthy answer over https to the client certificate: {EXTRA}: nobody listens"),
    Case("serving_https_beside_http", "accepting",
         (overlapping, found("server1", version="3.5.30"), found("server2", version="3.6.1"),
          found("server3", version="3.5.1"), prints("server1", f"GET {HTTPS} certificate", WELL))),
    Case("serving_https_beside_http", "accepting", (overlapping, prints("server1", f"GET {EXTRA}", WELL)),
         f"serves clients without a certificate: {EXTRA}: answered 200"),
    Case("serving_https_beside_http", "accepting",
         (overlapping, prints("server1", f"GET {EXTRA} (certificate|stranger)", WELL)),
         f"serves a stranger's certificate: {EXTRA}: answered 200"),
    Case("serving_https_beside_http", "accepting",
         (overlapping, prints("server1", f"GET {EXTRA}", WELL), plan(clients=Clients(cert_auth="switch")))),
    Case("serving_https_beside_http", "accepting",
         (overlapping, prints("server1", f"GET {EXTRA}", WELL), tls(client_cert_auth=False))),
    Case("serving_https_beside_http", "accepting",  # nothing but the local port speaks http
         (overlapping, found("server1", environment={"ETCD_LISTEN_CLIENT_URLS": "http://127.0.0.1:4001",
                                                     "ETCD_ADVERTISE_CLIENT_URLS": "http://127.0.0.1:4001"}))),

    Case("serving_https", "switched"),
    Case("serving_https", "switched", (fails("server1", f"GET {HTTPS} (nothing|stranger)"),)),  # our own is shown
    Case("serving_https", "bridged", (), f"no healthy answer over https to the client certificate: {HTTPS}: closed"),
    Case("serving_https", "switched", (prints("server1", f"GET {HTTPS} certificate", ILL),), "not healthy"),
    Case("serving_https", "switched", (found("server1", environment=BOTH),), "https://198.18.0.101:2479/health"),

    Case("refusing_http", "switched"),
    Case("refusing_http", "switched", (prints("server1", f"GET {HTTP}", "400\n"),)),
    Case("refusing_http", "bridged", (prints("server1", f"GET {HTTP}", WELL),),
         f"still answers plain http: {HTTP}: answered 200"),
    Case("refusing_http", "switched", (fails("server1", f"GET {HTTP}", "timed out", 2),), "cannot tell: timed out"),
    Case("refusing_http", "switched",
         (found("server1", environment=BOTH), prints("server1", "GET http://198.18.0.101:2479", WELL)),
         "still answers plain http: http://198.18.0.101:2479/health"),

    Case("refusing_strangers", "switched"),
    Case("refusing_strangers", "switched", (tls(client_cert_auth=False), prints("server1", "GET", WELL))),
    Case("refusing_strangers", "switched", (prints("server1", f"GET {HTTPS} nothing", WELL),),
         f"serves clients without a certificate: {HTTPS}: answered 200"),
    Case("refusing_strangers", "switched", (prints("server1", f"GET {HTTPS} stranger", WELL),),
         f"serves a stranger's certificate: {HTTPS}: answered 200"),
    Case("refusing_strangers", "switched", (fails("server1", f"GET {HTTPS} stranger", "timed out", 2),), "cannot tell"),

    Case("reachable_by_every_peer_over_tls", "switched"),
    Case("reachable_by_every_peer_over_tls", "bridged", (), f"server2 cannot reach {PEER} over TLS: TLS connect error"),
    Case("reachable_by_every_peer_over_tls", "switched", (fails("server3", "HANDSHAKE", "bad certificate", 35),),
         f"server3 cannot reach {PEER} over TLS: bad certificate"),
    Case("reachable_by_every_peer_over_tls", "switched", (prints("server3", "HANDSHAKE", "000"),), "server3 cannot reach"),

    Case("listed_by_etcdctl_with_certificates", "sealed"),
    Case("listed_by_etcdctl_with_certificates", "bridged", (), "https://198.18.0.101:2379: no"),
    Case("listed_by_etcdctl_with_certificates", "sealed", (prints("server1", "members.LISTINGS", "a1, started\n--\nb2\n"),),
         "https://198.18.0.101:2379: b2"),
    Case("listed_by_etcdctl_with_certificates", "sealed",
         (says("server1", "members.LISTINGS", Answer(1, "a1\n--\na1\n", "bad certificate")),), "bad certificate"),
)
# fmt: on
