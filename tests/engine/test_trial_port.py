"""The port that a plan names for the trial is the port of the trial, from the plan's text to the review."""

from pathlib import Path

import pytest
from engine.walking import run
from engine.world import World, make_cluster
from support.reviews import reviewed, shown

from orchestrator.engine.context import RunContext
from orchestrator.engine.state_file import MemoryEventLog
from orchestrator.etcd import trial
from orchestrator.etcd.gather import gather
from orchestrator.host.operations import Write
from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.loading import load
from orchestrator.remote.dry_run import DryRunExecutor
from orchestrator.remote.executor import LiveExecutor
from orchestrator.runbook.compile import compile_forward

PLAN = """\
cluster: three-members
service: etcd2
members:
  - {name: server1, address: 198.18.0.101}
  - {name: server2, address: 198.18.0.102}
  - {name: server3, address: 198.18.0.103}
tls:
  ca: ca.pem
  certificate: "{name}.pem"
  key: "{name}-key.pem"
  client_certificate: client.pem
  client_key: client-key.pem
  directory: /etc/etcd2
patience: {gate: 1ms, pause: 1ms}
"""


@pytest.mark.parametrize("strategy", ["bridge", "guide"])
@pytest.mark.parametrize("port", [12380, 12999])
def test_the_plans_port_reaches_the_trial_of_every_member(tmp_path: Path, port: int, strategy: str) -> None:
    make_cluster(tmp_path)  # its certificates
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{PLAN}strategy: {strategy}\nports: {{trial: {port}}}\n")
    cluster = load(plan, MIGRATIONS, files=False).cluster
    world = World(cluster)
    runbook = compile_forward(cluster, gather(cluster, world.look), MIGRATIONS[strategy])
    executor = DryRunExecutor(LiveExecutor(world))
    run(runbook, executor, MemoryEventLog(), RunContext(cluster.patience, sleep=lambda _: None))
    written = [
        operation.text
        for job in executor.jobs
        for operation in job.operations
        if isinstance(operation, Write) and operation.path == f"{trial.DIRECTORY}/environment"
    ]
    assert 3 == len(written)
    for number, text in enumerate(written, start=101):
        assert f'ETCD_LISTEN_PEER_URLS="https://0.0.0.0:{port}"\n' in text
        assert f'ETCD_INITIAL_ADVERTISE_PEER_URLS="https://198.18.0.{number}:{port}"\n' in text
    assert str(trial.DIRECTORY) in shown(reviewed(cluster, world, runbook, executor.jobs))
