"""A session with fake hosts, for commands that need no more; whoever needs more makes their own."""

from pathlib import Path

import pytest
from engine.world import World, make_cluster

from orchestrator.migrations.bridge import BRIDGE
from orchestrator.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    cluster = make_cluster(tmp_path)
    return Session(tmp_path / "plan.yaml", tmp_path / "state", cluster, BRIDGE, (), World(cluster))
