"""Before a rollback: whether the operator's own files say what they said before the run."""

import base64
from pathlib import Path

from support.sites import judged, make_site, verdicts

from orchestrator.etcd.install import unit
from orchestrator.host.questions import Answer

UNITS = "/etc/systemd/system/etcd2.service.d"


def reading(*names: str) -> Answer:
    """A unit that reads drop-ins of these names, each with https for peers."""
    text = "[Service]\nEnvironment=ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380\n"
    encoded = base64.b64encode(text.encode()).decode()
    return Answer(0, "\n".join(f"drop_in={encoded} {UNITS}/{name}" for name in names))


def test_what_they_say_otherwise_is_named_where_ours_would_be_taken_away(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    found = judged("own files", site, {unit.SCRIPT: reading("20-theirs.conf", "40-tls.conf")})
    assert ["fail"] == verdicts(found)
    assert (
        f"{UNITS}/20-theirs.conf: line 2 says ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380" in found[0].evidence
    )


def test_where_nothing_of_ours_lies_they_are_what_counts_already(tmp_path: Path) -> None:
    assert [] == judged("own files", make_site(tmp_path), {unit.SCRIPT: reading("20-theirs.conf")})
