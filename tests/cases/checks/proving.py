"""What the trials of a member and of those before it show: orchestrator/etcd/checks/proving.py."""

import base64
from collections.abc import Iterable

from support.judging import Case, Change, fails, prints, says

from orchestrator.host.questions import Answer

TRIAL = "https://198.18.0.101:12380"
UP = ("LoadState=loaded", "ActiveState=active", "Result=success", "MainPID=7")
LOST = ("ActiveState=failed", "Result=exit-code", "MainPID=0")
HIDDEN = ("ActiveState=failed", "Result=resources", "MainPID=0")
REFUSED = '{"level":"warn","msg":"rejected connection","remote-addr":"198.18.0.9:1","error":"x509: no"}'


def trial(
    host: str, state: Iterable[str] = UP, *logged: str, own: str = "", peers: str = "", proxy: str = ""
) -> Change:
    """Have a host's trial stand otherwise; ``peers`` are ids, those with a "!" were not reached.

    Those with a "?" are active, but were not dialled.
    """
    lines = list(state)
    lines += [f'metric=etcd_server_id{{server_id="{own}"}} 1'] if own else []
    for peer in peers.split():
        value = 0 if peer.startswith("!") else 1
        remote = peer.lstrip("!?")
        lines.append(f'metric=etcd_network_active_peers{{Local="{own}",Remote="{remote}"}} {value}')
        lines += [f"dialled={remote}"] if peer == remote else []
    lines += [f"proxy={proxy}"] if proxy else []
    encoded = base64.b64encode("\n".join(logged).encode()).decode()
    return prints(host, "LOOK", "\n".join([*lines, f"journal={encoded}"]))


def logged(host: str, own: str, *peers: str) -> Change:
    """Have a host's trial tell of its peers by its log alone, as etcd does before 3.4."""
    return trial(host, (*UP, f"id={own}", *(f"dialled={peer}" for peer in peers)))


WELL_BEFORE = (
    logged("server1", "a1", "a2", "a3"),
    logged("server2", "a2", "a1", "a3"),
    logged("server3", "a3", "a1", "a2"),
)

# fmt: off
CASES = (
    Case("proven_to_every_peer", "proven"),
    Case("proven_to_every_peer", "proven", host="server2"),
    Case("proven_to_every_peer", "proven", host="server3"),
    Case("proven_to_every_peer", "staged", (), "the trial on server1 did not stay up: failed (exit-code), and logged no reason"),
    Case("proven_to_every_peer", "staged", (trial("server1", LOST, "starting", "open /etc/x.pem: no such file", "bye"),),
         "did not stay up: failed (exit-code): open /etc/x.pem: no such file"),
    Case("proven_to_every_peer", "staged", (trial("server1", HIDDEN, "set up"),), "failed (resources): set up"),
    Case("proven_to_every_peer", "proven", (trial("server1", LOST, "panic: x"),), "the trial on server1 did not stay up",
         host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server1", LOST, "panic: x"),), "the trial on server1 did not stay up",
         host="server2"),
    Case("proven_to_every_peer", "proven", (trial("server3", LOST, "panic: x"),), host="server2"),  # it comes later
    Case("proven_to_every_peer", "proven", (trial("server1"),), "the trial on server1 does not say yet who it is"),
    Case("proven_to_every_peer", "proven", (trial("server1", own="a1"),)),
    Case("proven_to_every_peer", "proven", (trial("server1", own="a1", peers="!a2 a3"),),
         "server1 cannot reach https://198.18.0.102:12380 over TLS: its etcd has not", host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server1", own="a1", peers="a3"),),
         "server1 cannot reach https://198.18.0.102:12380 over TLS", host="server2"),
    Case("proven_to_every_peer", "proven", (trial("server2", own="a2", peers="!a1 a3"),),
         f"server2 cannot reach {TRIAL} over TLS", host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server3", own="a3", peers="a1 a2"),), host="server3"),
    Case("proven_to_every_peer", "proven",
         (trial("server3", own="a3", peers="!a1 a2"), fails("server3", f"HANDSHAKE {TRIAL}", "no answer", 28)),
         "no answer; the trial there runs: open that port between the members, or roll back and", host="server3"),
    Case("proven_to_every_peer", "proven",
         (trial("server3", own="a3", peers="!a1 a2"), fails("server3", f"HANDSHAKE {TRIAL}", "bad certificate", 35)),
         f"server3 cannot reach {TRIAL} over TLS: bad certificate", host="server3"),
    Case("proven_to_every_peer", "proven", (fails("server3", "HANDSHAKE", "curl is too old", 35),), host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server3", own="a3", peers="!a1 a2", proxy="HTTPS_PROXY"),),
         "its etcd obeys HTTPS_PROXY, and a connection without it works: exempt every member in NO_PROXY", host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server2", (*UP, "network=own")),),
         "the trial on server2 has a network of its own", host="server2"),
    Case("proven_to_every_peer", "proven", (trial("server3", UP, REFUSED, own="a3", peers="!a1 a2"),),
         "server3 said: rejected connection: 198.18.0.9:1: x509: no", host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server3", UP, REFUSED, own="a3", peers="a1 a2"),), host="server3"),
    Case("proven_to_every_peer", "proven",
         (says("server2", "LOOK", lambda reported: Answer(0, reported.stdout.replace("=active", "=activating"))),),
         "the trial on server2 is not ready", host="server3"),
    Case("proven_to_every_peer", "proven",
         (says("server2", "LOOK", lambda reported: Answer(0, reported.stdout.replace("=active", "=activating"))),), host="server2"),
    Case("proven_to_every_peer", "proven", (fails("server2", "LOOK"),), "cannot tell", host="server2"),

    Case("proven_to_every_peer", "proven", WELL_BEFORE, host="server3"),
    Case("proven_to_every_peer", "proven", (*WELL_BEFORE, logged("server1", "a1", "a3")),
         "server1 cannot reach https://198.18.0.102:12380", host="server3"),
    Case("proven_to_every_peer", "proven",
         (logged("server1", "a1", "a2"), logged("server2", "a2"), fails("server2", "HANDSHAKE", "alert", 35)),
         f"server2 cannot reach {TRIAL} over TLS: alert", host="server2"),
    # a peer's own stream makes it active, until the next dial fails
    Case("proven_to_every_peer", "proven", (trial("server3", own="a3", peers="?a1 a2"),),
         f"server3 cannot reach {TRIAL} over TLS", host="server3"),
    Case("proven_to_every_peer", "proven", (trial("server3", (*UP, "dialled=a1"), own="a3", peers="!a1 a2"),),
         f"server3 cannot reach {TRIAL} over TLS", host="server3"),

    Case("free_of_trials", "staged"),
    Case("free_of_trials", "accepting"),
    Case("free_of_trials", "proven", (), "left of the trial: /run/orchestrator-trial"),
    Case("free_of_trials", "staged", (prints("server1", "LEFT", "active\norchestrator-trial.service\n"),), "left of the trial"),
)
# fmt: on
