"""Whether the members are well: orchestrator/etcd/checks/health.py."""

from support.judging import Case, down, fails, interface, prints, says, status

from orchestrator.etcd.checks.health import MAX_LAG
from orchestrator.host.questions import Answer

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

    Case("quorate", "plaintext"),
    Case("quorate", "plaintext", (fails("server1", "endpoint health"),)),  # who is to be restarted is not asked
    Case("quorate", "plaintext", (fails("server2", "endpoint health", "no leader"),), "server2 is not healthy: no leader"),
    Case("quorate", "plaintext", (says("server3", "endpoint health", Answer(0, "x is unhealthy: took 5s")),),
         "server3 is not healthy: x is unhealthy"),

    Case("away", "bridged", (), "is healthy"),
    Case("away", "bridged", (down("server1"),)),
    Case("away", "bridged", (fails("server1", "endpoint health"), fails("server1", "endpoint status"))),
    Case("away", "bridged", (fails("server1", "endpoint health"), status("server1", leader=0))),
    Case("away", "bridged", (status("server1", leader=0),), "is healthy"),
    Case("away", "bridged", (fails("server1", "endpoint health"),), "knows a leader"),
    Case("away", "bridged", (fails("server1", "endpoint health", "etcdserver: user name is empty"),),
         "cannot tell: authentication is on"),
    Case("away", "bridged", (fails("server1", "process.SCRIPT"),), "cannot tell: timed out"),
    Case("away", "bridged", (fails("server2", "endpoint health"),), "is healthy"),
    Case("unserving", "bridged", (), "is healthy"),
    Case("unserving", "bridged", (down("server1"),)),
    Case("unserving", "bridged", (down("server1"), fails("server1", "endpoint health", "etcd2.service has no running process"))),
    Case("unserving", "bridged", (fails("server1", "endpoint health"),)),  # whoever it believes to lead
    Case("unserving", "bridged", (fails("server2", "endpoint health"),), "is healthy"),
    Case("unserving", "bridged", (fails("server1", "endpoint health", "etcdserver: user name is empty"),),
         "cannot tell: authentication is on"),

    Case("free_of_alarms", "plaintext"),
    Case("free_of_alarms", "plaintext", (interface("v2"), fails("server2", "alarm list"))),  # v2 has none
    Case("free_of_alarms", "plaintext", (prints("server2", "alarm list", "memberID:9 alarm:NOSPACE"),),
         "raised: memberID:9 alarm:NOSPACE"),
    Case("free_of_alarms", "plaintext", (fails("server2", "alarm list"),), "server2 cannot tell: timed out"),
)
# fmt: on
