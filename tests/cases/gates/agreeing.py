"""What members say of the cluster: orchestrator/etcd/gates/agreeing.py."""

from support.judging import Case, down, fails, interface, prints, runs, says, sees, status

from orchestrator.etcd.gates.agreeing import MAX_LAG
from orchestrator.host.questions import Answer

HTTP, HTTPS = "http://198.18.0.101:2380", "https://198.18.0.101:2380"
CLIENTS_HTTP, CLIENTS_HTTPS = "http://198.18.0.101:2379", "https://198.18.0.101:2379"
ALONE = ("server2", "server3")


# fmt: off
CASES = (
    Case("healthy", "sealed"),
    Case("healthy", "plaintext", (fails("server2", "endpoint status"),)),  # who is silent is not ahead
    Case("healthy", "plaintext", (status("server2", raftIndex=9 + MAX_LAG),)),
    Case("healthy", "sealed", (fails("server1", "endpoint health", "context deadline exceeded"),),
         "no healthy answer: context deadline exceeded"),
    Case("healthy", "sealed", (down("server1"),), "no healthy answer: connection refused"),
    Case("healthy", "sealed", (status("server1", member_id=0xB1),), "member b1 answers, not a1"),
    Case("healthy", "sealed", (status("server1", leader=0),), "knows no leader"),
    Case("healthy", "sealed", (status("server2", raftIndex=10 + MAX_LAG),), f"is {MAX_LAG + 1} raft entries behind"),
    Case("healthy", "sealed", (fails("server1", "endpoint status"),), "cannot tell: timed out"),
    Case("healthy", "sealed", (prints("server1", "endpoint status", "null"),), "cannot tell"),

    Case("registered_with_http", "plaintext"),
    Case("registered_with_http", "accepting", (sees("server2", "server1", peerURLs=[HTTP], clientURLs=[]),)),
    Case("registered_with_http", "plaintext", (sees("server2", "server1", peerURLs=[HTTPS]),),
         f"server2 sees peer URLs {HTTPS}, not {HTTP}"),
    Case("registered_with_http", "plaintext", (sees("server3", "server1", peerURLs=[]),), "server3 sees peer URLs none"),
    Case("registered_with_http", "plaintext", (sees("server3", "server1"),), "server3 knows no member a1"),
    Case("registered_with_http", "plaintext", (fails("server3", "member list"),), "server3 cannot tell: timed out"),
    Case("registered_with_http", "plaintext", (runs("server1", ETCD_LISTEN_PEER_URLS="https://0.0.0.0:2380"),),
         f"registered with {HTTP}, and listens with https://0.0.0.0:2380"),
    Case("registered_with_http", "bridged", (), f"server1 sees peer URLs {HTTP},{HTTPS}, not {HTTP}"),

    Case("registered_with_both_schemes", "bridged"),
    Case("registered_with_both_schemes", "switched"),
    Case("registered_with_both_schemes", "bridged", (sees("server1", "server1", peerURLs=[HTTPS, HTTP]),)),  # a set
    Case("registered_with_both_schemes", "accepting", (), f"sees peer URLs {HTTP}, not {HTTP},{HTTPS}"),
    Case("registered_with_both_schemes", "bridged", (sees("server3", "server1", peerURLs=[HTTPS]),), "server3 sees peer"),

    Case("registered_with_https_only", "sealed"),
    Case("registered_with_https_only", "switched", (), f"sees peer URLs {HTTP},{HTTPS}, not {HTTPS}"),
    Case("registered_with_https_only", "sealed", (sees("server2", "server1", clientURLs=[CLIENTS_HTTP]),),
         f"server2 sees client URLs {CLIENTS_HTTP}, not {CLIENTS_HTTPS}"),
    Case("registered_with_https_only", "sealed", (sees("server2", "server1", peerURLs=[HTTP]),), "server2 sees peer URLs"),

    Case("registered_for_peers_with_https", "sealed"),
    Case("registered_for_peers_with_https", "sealed", (sees("server2", "server1", clientURLs=[CLIENTS_HTTP]),)),
    Case("registered_for_peers_with_https", "sealed", (sees("server2", "server1", peerURLs=[HTTP, HTTPS]),),
         "server2 sees peer URLs"),

    Case("registering_itself_with_https", "sealed"),
    Case("registering_itself_with_https", "sealed", tuple(sees(name, "server1", peerURLs=[HTTP]) for name in ALONE)),
    Case("registering_itself_with_https", "sealed", (sees("server1", "server1", peerURLs=[HTTP]),), "server1 sees peer"),
    Case("registering_itself_with_https", "sealed", (sees("server1", "server1", clientURLs=[CLIENTS_HTTP]),),
         "server1 sees client"),

    Case("advertising_https", "switched"),
    Case("advertising_https", "bridged", (), f"sees client URLs {CLIENTS_HTTP}, not {CLIENTS_HTTPS}"),
    Case("advertising_https", "sealed", (), f"sees peer URLs {HTTPS}, not {HTTP},{HTTPS}"),

    Case("quorate", "plaintext"),
    Case("quorate", "plaintext", (fails("server1", "endpoint health"),)),  # who is to be restarted is not asked
    Case("quorate", "plaintext", (fails("server2", "endpoint health", "no leader"),), "server2 is not healthy: no leader"),
    Case("quorate", "plaintext", (says("server3", "endpoint health", Answer(0, "x is unhealthy: took 5s")),),
         "server3 is not healthy: x is unhealthy"),

    Case("free_to_go", "bridged"),
    Case("free_to_go", "bridged", (fails("server1", "endpoint health"),)),
    Case("free_to_go", "bridged", (fails("server1", "endpoint health"), fails("server2", "endpoint health"))),
    Case("free_to_go", "bridged", (fails("server2", "endpoint health", "no leader"),), "server2 is not healthy: no leader"),
    Case("free_to_go", "bridged", (fails("server3", "endpoint health", "no leader"),), "server3 is not healthy: no leader"),

    Case("free_of_alarms", "plaintext"),
    Case("free_of_alarms", "plaintext", (interface("v2"), fails("server2", "alarm list"))),  # v2 has none
    Case("free_of_alarms", "plaintext", (prints("server2", "alarm list", "memberID:9 alarm:NOSPACE"),),
         "raised: memberID:9 alarm:NOSPACE"),
    Case("free_of_alarms", "plaintext", (fails("server2", "alarm list"),), "server2 cannot tell: timed out"),
)
# fmt: on
