"""Who holds the locks of hosts in tests."""

from orchestrator.host.lock import Holder

OURS = Holder(
    run="ab12",
    number="1",
    bastion="bastion 77",
    state="/root/plan.yaml.state.jsonl",
    who="root@bastion, process 9",
    since="2026-11-25 03:50:05 UTC",
    doing="run",
)
