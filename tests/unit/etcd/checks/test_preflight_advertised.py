"""A member that advertises no host: the fix is printed for where its settings are."""

from pathlib import Path

import pytest
from support.sites import encoded, running, unit_reported
from support.targets import target

from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.checks.registry import nowhere
from orchestrator.etcd.facts import process
from orchestrator.etcd.install import unit
from orchestrator.host.questions import Answer

AT = "/etc/systemd/system/etcd2.service.d"
NOWHERE = ("http://0.0.0.0:2379",)
SET = {"ETCD_ADVERTISE_CLIENT_URLS": NOWHERE[0]}
LINE = f"ETCD_ADVERTISE_CLIENT_URLS={NOWHERE[0]}"
WANTED = "ETCD_ADVERTISE_CLIENT_URLS=http://198.18.0.101:2379"
CONFIGURED = Answer(0, running().stdout + f"\nconfiguration=/etc/e.yml\nconfigured={encoded('name: a')}")
EARLY = unit_reported(drop_in=f"{AT}/20-cloudinit.conf=[Service]\nEnvironment={LINE}")
LATE = unit_reported(drop_in=f"{AT}/27-late.conf=[Service]\nEnvironment={LINE}")
FILED = unit_reported(drop_in=f"{AT}/27-late.conf=[Service]\nEnvironment={LINE}", file=f"/etc/my etcd={LINE}")


@pytest.mark.parametrize(
    ("reported", "read", "expected"),
    [
        (running(), Answer(0, ""), f"[Service]' 'Environment=\"{WANTED}\"' > {AT}/24-advertise.conf && "),
        (running(SET), EARLY, f"'Environment=\"{WANTED}\"' > {AT}/24-advertise.conf && "),
        (running(SET), LATE, f"let it be {WANTED} in {AT}/27-late.conf, then: systemctl daemon-reload"),
        (running(SET), FILED, f"let it be {WANTED} in /etc/my etcd, then: systemctl daemon-reload"),
        (running({}, "--advertise-client-urls", NOWHERE[0]), Answer(0, ""),
         "let its flag be --advertise-client-urls=http://198.18.0.101:2379"),
        (running(SET, "--name=a"), EARLY, f"'Environment=\"{WANTED}\"' > {AT}/24-advertise.conf && "),
        (CONFIGURED, FILED, "write advertise-client-urls: http://198.18.0.101:2379 into /etc/e.yml"),
    ],
)  # fmt: skip
def test_it_is_put_right_where_it_is_set(
    tmp_path: Path, reported: Answer, read: Answer, expected: str
) -> None:
    one = target(tmp_path, {})
    member = Registered(id="a1", name="a", peer_urls=(), client_urls=NOWHERE, is_learner=False)
    now, then = process.running(one).reader(reported), unit.of(one).reader(read)
    remark = nowhere(one.etcd, member, now, then)
    assert expected in remark.fix
    assert ("printf" in remark.fix) == ("24-advertise" in expected)
