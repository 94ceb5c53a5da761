"""What a host has to have: orchestrator/etcd/checks/host.py."""

from support.judging import Case, fails, found, prints, tls

# fmt: off
CASES = (
    Case("trusting_the_ca", "staged"),
    Case("trusting_the_ca", "plaintext", (), "does not hold the CA"),
    Case("trusting_the_ca", "plaintext", (tls(trust="files"),)),
    Case("trusting_the_ca", "plaintext", (found("server1", trust=None),)),
    Case("trusting_the_ca", "staged", (fails("server1", "ca_store.SCRIPT"),), "cannot tell: timed out"),
    Case("trusting_the_ca", "staged", (prints("server1", "ca_store.SCRIPT", "trusted\nmissing\n"),), "does not hold the CA"),
)
# fmt: on
