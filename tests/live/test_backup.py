"""A backup on real hosts can be restored: through v3 and through v2."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live.conftest import FRESH, THREE_MEMBERS
from live.stories import failure, orchestrator

from orchestrator.lab.lifecycle.lab import Lab, down
from orchestrator.lab.provisioning.plan_copy import PLAN


@pytest.fixture(params=["v3", "v2"])
def written(base_system: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Lab, str]]:  # noqa: ARG001 -- it has to be there
    plan = tmp_path / "plan.yaml"
    plan.write_text(THREE_MEMBERS.read_text() + f"api: {request.param}\n")
    down(FRESH)
    lab = Lab.up(plan, prefix=FRESH)
    try:
        yield lab, request.param
    finally:
        lab.down()


def test_what_was_saved_can_be_restored(written: tuple[Lab, str]) -> None:
    lab, api = written
    host = lab.hosts[0]
    endpoint = "--endpoints=http://127.0.0.1:2379"
    words = ["put", "planted", "value"] if api == "v3" else ["set", "planted", "value"]
    number = api.removeprefix("v")
    host.run(["env", f"ETCDCTL_API={number}", "etcdctl", endpoint, *words])
    done = orchestrator(lab, "backup", PLAN)
    assert done.returncode == 0, failure(done)
    path = done.stdout.split("saved and verified in ")[1].split()[0]

    if api == "v3":
        host.run(
            [
                "env",
                "ETCDCTL_API=3",
                "etcdctl",
                "snapshot",
                "restore",
                path,
                "--data-dir",
                "/var/lib/restored",
            ]
        )
        found = host.run(["grep", "-c", "planted", "/var/lib/restored/member/snap/db"]).stdout
        assert int(found) > 0
    else:
        found = host.run(["sh", "-c", f"grep -rl planted {path}/member | wc -l"]).stdout
        assert int(found) > 0
    assert "700" in host.run(["stat", "-c", "%a", "/var/lib/orchestrator"]).stdout
