"""What a throwaway etcd proves: orchestrator/etcd/checks/proving.py."""

from support.judging import Case, fails, prints

TRIAL = "https://198.18.0.101:12380"

# fmt: off
CASES = (
    Case("proven_to_every_peer", "proven"),
    Case("proven_to_every_peer", "staged", (), "the throwaway etcd on server1 did not stay up, and logged no reason"),
    Case("proven_to_every_peer", "staged", (prints("server1", "LAST_WORDS", "ended\nno such file\n"),),
         "did not stay up: no such file"),
    Case("proven_to_every_peer", "proven", (fails("server2", "HANDSHAKE", "refused", 7),),
         f"server2 gets no connection to {TRIAL}: refused"),
    Case("proven_to_every_peer", "proven", (fails("server3", "HANDSHAKE", "no answer", 28),), "server3 gets no connection"),
    Case("proven_to_every_peer", "proven", (fails("server3", "HANDSHAKE", "bad certificate", 35),),
         f"server3 cannot reach {TRIAL} over TLS: bad certificate"),
    Case("proven_to_every_peer", "proven", (prints("server3", "HANDSHAKE", "404"),), "server3 cannot reach"),
    Case("proven_to_every_peer", "proven",
         (fails("server2", "HANDSHAKE", "alert", 35), prints("server1", "LAST_WORDS", "running\nrejected\n")),
         "server1 said: rejected"),
    Case("proven_to_every_peer", "proven", (prints("server1", "LAST_WORDS", "running\nrejected a scanner\n"),)),
)
# fmt: on
