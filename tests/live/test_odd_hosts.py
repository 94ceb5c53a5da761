"""Hosts as people have them: what is unusual about them is served, or named, and changes nothing."""

from live.stories import failure, orchestrator
from support.systemd import environment

from orchestrator.etcd.install import drop_ins
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

NASTY = {
    "ETCD_A": 'it\'s "quoted" \\ 50% %n $HOME ${HOME} ; # ünïcödé',
    "ETCD_B": "\\",
    "ETCD_C": "'",
    "ETCD_D": " blank at both ends ",
    "ETCD_E": "",
    "ETCD_F": "%%i=a,b=c",
}


def test_systemd_itself_reads_back_what_a_drop_in_means(lab: Lab) -> None:
    host = lab.host("server1")
    text = drop_ins.setting(NASTY)
    assert NASTY == environment(text)
    unit = host.root / "etc/systemd/system/nasty.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/usr/bin/env -0\nStandardOutput=file:/run/nasty\n")
    (unit.parent / "nasty.service.d").mkdir()
    (unit.parent / "nasty.service.d" / "30-certs.conf").write_text(text)
    host.run(["systemctl", "daemon-reload"])
    host.run(["systemctl", "start", "nasty.service"])
    words = host.run(["cat", "/run/nasty"]).stdout.split("\0")
    found = dict(word.split("=", 1) for word in words if word.startswith("ETCD_"))
    assert NASTY == found

    # what others set for themselves changes nothing of what we ask
    for each in lab.hosts:
        with (each.root / "etc/environment").open("a") as file:
            file.write("ETCDCTL_ENDPOINTS=http://203.0.113.9:2379\nHTTP_PROXY=http://203.0.113.9:3128\n")
    checked = orchestrator(lab, "check", PLAN)
    assert checked.returncode == 0, failure(checked)
