"""What proxies do and know: orchestrator/etcd/checks/relaying.py."""

import json

from support.judging import Case, down, fails, gone, lies, prints, runs

UNIT = "/etc/systemd/system/etcd2.service.d"
CERTS, TLS = f"{UNIT}/30-certs.conf", f"{UNIT}/40-tls.conf"
HTTP, HTTPS = "http://198.18.0.101:2380", "https://198.18.0.101:2380"
LOCAL = "http://127.0.0.1:4001"


def stored(*urls: str) -> str:
    return json.dumps({"PeerURLs": [*urls, "http://198.18.0.102:2380"]})


def relayed(*urls: str) -> str:
    return "200\n" + json.dumps({"endpoints": [*urls]})


# fmt: off
CASES = (
    Case("relaying_as_found", "relaying", host="proxy1"),
    Case("relaying_as_found", "relaying-staged", host="proxy1"),
    Case("relaying_as_found", "relaying-safely", (), "ETCD_CERT_FILE is", host="proxy1"),
    Case("relaying_as_found", "relaying", (runs("proxy1", ETCD_LISTEN_CLIENT_URLS="http://127.0.0.1:2379"),),
         "ETCD_LISTEN_CLIENT_URLS is", host="proxy1"),
    Case("relaying_as_found", "relaying", (lies("proxy1", CERTS),), f"{CERTS} was not there", host="proxy1"),
    Case("relaying_as_found", "relaying", (down("proxy1"),), "etcd2.service is failed", host="proxy1"),

    Case("relaying_with_certificates", "relaying-safely", host="proxy1"),
    Case("relaying_with_certificates", "relaying-staged", (), "ETCD_PEER_CERT_FILE is", host="proxy1"),
    Case("relaying_with_certificates", "relaying-safely", (gone("proxy1", CERTS),), f"{CERTS} is missing", host="proxy1"),
    Case("relaying_with_certificates", "relaying-safely", (lies("proxy1", TLS),), f"{TLS} was not there", host="proxy1"),

    Case("relaying_reads", "relaying", host="proxy1"),
    Case("relaying_reads", "relaying-safely", host="proxy1"),
    Case("relaying_reads", "relaying", (fails("proxy1", "GET http://127.0.0.1:4001"),), host="proxy1"),  # not in use
    Case("relaying_reads", "relaying", (prints("proxy1", "GET .*/v2/keys/", "503\nno endpoints"),),
         "http://127.0.0.1:2379/v2/keys/: 503", host="proxy1"),
    Case("relaying_reads", "relaying", (fails("proxy1", "GET .*/v2/stats/self", "closed"),),
         "http://127.0.0.1:2379/v2/stats/self: closed", host="proxy1"),
    Case("relaying_reads", "relaying", (down("proxy1"),), "nobody listens", host="proxy1"),

    Case("known_to_every_proxy_in_both_schemes", "bridged"),
    Case("known_to_every_proxy_in_both_schemes", "bridged", (prints("proxy1", "proxies.SCRIPT", stored(HTTP)),),
         f"proxy1 has not refreshed server1's peer URLs yet; it knows {HTTP}"),
    Case("known_to_every_proxy_in_both_schemes", "bridged", (prints("proxy1", "proxies.SCRIPT", stored(HTTPS)),),
         "proxy1 has not refreshed"),
    Case("known_to_every_proxy_in_both_schemes", "bridged", (fails("proxy1", "proxies.SCRIPT"),), "cannot tell: timed out"),

    Case("known_to_every_proxy_in_https", "sealed"),
    Case("known_to_every_proxy_in_https", "sealed", (prints("proxy1", "proxies.SCRIPT", stored(HTTPS, HTTP)),),
         f"proxy1 has not refreshed server1's peer URLs yet; it knows {HTTP}"),
    Case("known_to_every_proxy_in_https", "sealed", (prints("proxy1", "proxies.SCRIPT", "null"),), "cannot tell"),

    Case("relayed_to_over_https", "switched"),
    Case("relayed_to_over_https", "switched", (prints("proxy1", "GET .*/proxy", relayed("http://198.18.0.101:2379")),),
         "proxy1 does not relay to server1 over https yet, but to http://198.18.0.101:2379"),
    Case("relayed_to_over_https", "switched", (prints("proxy1", "GET .*/proxy", relayed()),), "but to nobody; if that lasts"),
    Case("relayed_to_over_https", "switched", (fails("proxy1", "GET .*/proxy"),), "cannot tell: timed out"),
)
# fmt: on
