"""A runbook's outline is that of its rehearsal, which has certificates, IDs and secrets of its own."""

from pathlib import Path

import pytest
from support.targets import target

from orchestrator.migrations import MIGRATIONS
from orchestrator.plan.facts import Facts, Source
from orchestrator.runbook.compile import compile_forward
from orchestrator.runbook.model import Runbook

LISTEN = {"ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379", "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380"}
FLAGS = "/usr/bin/etcd --root-password={} --listen-client-urls=http://0.0.0.0:2379"


def compiled(
    folder: Path, *, mark: str = "", prefix: str = "a", given: str = "x", port: int = 2380
) -> Runbook:
    """A runbook of a cluster whose certificates have a mark, whose IDs a prefix, whose command a password."""
    folder.mkdir()
    one = target(folder, {**LISTEN, "ETCD_LISTEN_PEER_URLS": f"http://0.0.0.0:{port}"})
    for path in folder.glob("*.pem"):
        path.write_text(path.read_text().replace("-----\n", f"-----\n{mark}", 1))
    source = Source(flags=("ETCD_LISTEN_CLIENT_URLS",), command=FLAGS.format(given))
    changes = {"source": source}
    members = {
        name: found.model_copy(update={**changes, "id": f"{prefix}{found.id}"})
        for name, found in one.facts.members.items()
    }
    return compile_forward(one.cluster, Facts(cluster_id="c1", members=members), MIGRATIONS["bridge"])


@pytest.mark.parametrize("change", [{"mark": "other"}, {"prefix": "b"}, {"given": "y"}])
def test_what_a_rehearsal_has_of_its_own_changes_the_digest_alone(
    tmp_path: Path, change: dict[str, str]
) -> None:
    ours, theirs = compiled(tmp_path / "ours"), compiled(tmp_path / "theirs", **change)  # type: ignore[arg-type] # words all
    assert ours.digest != theirs.digest
    assert ours.outline == theirs.outline


def test_what_would_be_done_otherwise_changes_both(tmp_path: Path) -> None:
    ours, theirs = compiled(tmp_path / "ours"), compiled(tmp_path / "theirs", port=2480)
    assert ours.digest != theirs.digest
    assert ours.outline != theirs.outline
