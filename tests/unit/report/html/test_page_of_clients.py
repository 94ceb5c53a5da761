"""The report of a run that moved clients on hosts of their own: they have a way through their own states."""

from dataclasses import replace
from pathlib import Path

from engine.moving import begun
from engine.walking import header
from support.reported import material

from orchestrator.etcd.gather import gather
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.report.html.page import write


def test_clients_hosts_have_a_diagram_of_their_own(tmp_path: Path) -> None:
    walk = begun(tmp_path, elsewhere=("app1",), on=("app1",))
    walk.event_log.append(header(gather(walk.cluster, walk.world.look), walk.there))
    walk.go(walk.there)
    made = replace(material(walk.event_log.events, walk.there), migration=BRIDGE.of(walk.cluster))
    page = write(made)
    assert "calling-safely" in page
    assert "move-clients-elsewhere/app1: succeeded" in page
