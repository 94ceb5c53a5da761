"""Clients of every kind as one program, against an etcd in small; without etcdctl."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.small_etcd import ADDRESSES, Cluster, serving

from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.probe.tally import CrowdReport


@pytest.mark.parametrize(("api", "missed"), [("v2", None), ("v3", 0)])
def test_each_kind_writes_and_is_counted_by_itself(tmp_path: Path, api: str, missed: int | None) -> None:
    authority = Authority.make("the CA")
    ca, certificate, key = (tmp_path / name for name in ("ca.pem", "client.pem", "client-key.pem"))
    authority.write(ca)
    authority.issue("client").write(certificate, key)
    report = tmp_path / "report.json"
    argv = [sys.executable, "-m", "orchestrator.lab.clients.crowd", "--report", str(report)]
    argv += ["--ca", str(ca), "--certificate", str(certificate), "--key", str(key)]
    argv += [word for address in ADDRESSES for word in ("--address", address)]
    with serving(Cluster()) as cluster:
        cluster.client_urls = [f"http://{ADDRESSES[0]}:{cluster.port}"]
        argv += ["--port", str(cluster.port), "--api", api, "--interval-ms", "20"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert b'"acknowledged"' in running.stdout.readline()
            running.communicate()
    clients = {each.kind: each for each in CrowdReport.model_validate_json(report.read_text()).clients}
    assert ["http for good", "AutoSync", "short connections"] == list(clients)
    for each in clients.values():
        assert each.attempts > 4, each
        assert (0, (), ()) == (each.failed, each.broken, each.complaints)
        assert each.writes_over["https"] == 0
    assert clients["http for good"].longest_stall_s > 0
    assert missed == clients["http for good"].missed
