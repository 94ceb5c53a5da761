"""A member that advertises no host: the fix is printed for where its settings are."""

from pathlib import Path

import pytest
from support.sites import encoded, running
from support.targets import target

from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.checks.registry import nowhere
from orchestrator.etcd.facts import process
from orchestrator.host.questions import Answer

NOWHERE = ("http://0.0.0.0:2379",)
CONFIGURED = Answer(0, running().stdout + f"\nconfiguration=/etc/e.yml\nconfigured={encoded('name: a')}")


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (running(), "printf '%s\\n' '[Service]' 'Environment=\"ETCD_ADVERTISE_CLIENT_URLS=http://198.18.0.101:2379\"'"),
        (running({}, "--name=a"), "let its flag be --advertise-client-urls=http://198.18.0.101:2379"),
        (CONFIGURED, "write advertise-client-urls: http://198.18.0.101:2379 into /etc/e.yml"),
    ],
)  # fmt: skip
def test_it_is_put_right_where_it_is_set(tmp_path: Path, reported: Answer, expected: str) -> None:
    one = target(tmp_path, {})
    member = Registered(id="a1", name="a", peer_urls=(), client_urls=NOWHERE, is_learner=False)
    (remark,) = nowhere(one.host, member, process.running(one).reader(reported))
    assert expected in remark.fix
    assert ("Environment=" in remark.fix) == ("Environment=" in expected)
