"""How each member sees another one registered: orchestrator/etcd/checks/registry.py."""

from support.judging import Case, fails, runs, sees

HTTP, HTTPS = "http://198.18.0.101:2380", "https://198.18.0.101:2380"
CLIENTS_HTTP, CLIENTS_HTTPS = "http://198.18.0.101:2379", "https://198.18.0.101:2379"
ALONE = ("server2", "server3")


# fmt: off
CASES = (
    Case("registered_as_found", "plaintext"),
    Case("registered_as_found", "plaintext", (sees("server2", "server1", peerURLs=[HTTPS]),),
         f"server2 sees peer URLs {HTTPS}, not {HTTP}"),
    Case("registered_as_found", "plaintext", (fails("server3", "member list"),), "server3 cannot tell: timed out"),

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
)
# fmt: on
