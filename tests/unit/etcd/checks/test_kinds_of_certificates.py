"""What Go refuses is refused before any host has it, by name; what Go takes is taken."""

import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import kinds
from support.certificates import CASES, planned, refusals

from orchestrator.errors import RefusedError
from orchestrator.etcd import files
from orchestrator.etcd.checks import certificates
from orchestrator.etcd.facts import ca_store
from orchestrator.host.operations import Secret
from orchestrator.plan.facts import Target


@pytest.mark.parametrize("case", CASES, ids=[case["kind"] for case in CASES])
def test_each_kind_is_judged_as_go_judges_it(case: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "kind"
    folder.mkdir()
    member = planned(folder)
    kinds.make(case["kind"], folder)
    reported = refusals(member)
    if case["ours"] is None:
        assert [] == reported
    else:
        assert any(case["ours"] in text and str(folder) in text for text in reported), reported


def test_the_table_holds_every_kind_and_is_nowhere_laxer_than_etcd() -> None:
    assert list(kinds.KINDS) == [case["kind"] for case in CASES]
    stricter = [case["kind"] for case in CASES if case["etcd"] == "taken" and case["ours"]]
    laxer = [case["kind"] for case in CASES if case["etcd"] != "taken" and not case["ours"]]
    assert (["negative serial", "key behind the certificate"], []) == (stricter, laxer)


@pytest.mark.parametrize("path", ["ca.pem", "leaf.pem"])
def test_no_key_is_ever_put_where_everybody_reads(path: str, tmp_path: Path) -> None:
    member = planned(tmp_path)
    it = kinds.make(f"key behind the {'CA' if path == 'ca.pem' else 'certificate'}", tmp_path)
    assert "PRIVATE KEY" in (tmp_path / path).read_text()
    debian = member.found.model_copy(update={"trust": "debian"})
    host = Target(
        member.cluster, member.facts.model_copy(update={"members": {"server1": debian}}), member.host
    )
    for write in (*files.material(host), *ca_store.files(host)):
        assert ("PRIVATE KEY" in write.text) == isinstance(write.content, Secret)
    ((line, evidence),) = {
        (text.partition("line ")[2].partition(" ")[0], text.partition(":")[0])
        for text in (fault.evidence for fault in certificates.faults((host,), datetime.now(UTC)))
        if "begins a private key" in text
    }
    assert str(it.folder / path) == evidence
    assert "PRIVATE KEY" in (tmp_path / path).read_text().splitlines()[int(line) - 1]


FIXABLE = [
    "byte order mark in the CA file",
    "byte order mark in the certificate file",
    "byte order mark in the key file",
    "blanks before BEGIN",
    "key behind the CA",
    "key behind the certificate",
]  # fmt: skip


@pytest.mark.parametrize("kind", FIXABLE)
def test_the_command_that_is_printed_fixes_the_file(kind: str, tmp_path: Path) -> None:
    member = planned(tmp_path)
    kinds.make(kind, tmp_path)
    for fault in certificates.faults((member,), datetime.now(UTC)):
        subprocess.run(["sh", "-c", fault.fix.partition(";")[0]], check=True)
    assert () == certificates.faults((member,), datetime.now(UTC))


@pytest.mark.parametrize("kind", ["DER certificate", "DER key", "DER CA", "UTF-16", "encrypted key"])
def test_the_command_that_is_printed_makes_a_file_that_is_taken(kind: str, tmp_path: Path) -> None:
    member = planned(tmp_path)
    kinds.make(kind, tmp_path)
    for fault in certificates.faults((member,), datetime.now(UTC)):
        command = fault.fix.partition(", and name")[0].replace("openssl pkey", "openssl pkey -passin pass:x")
        command = command.replace("NEW-key.pem", "NEW").replace("NEW.pem", "NEW")
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, capture_output=True)
        assert done.returncode == 0, (fault, done.stderr)
        Path(tmp_path / "NEW").replace(fault.evidence.partition(":")[0])
    assert () == certificates.faults((member,), datetime.now(UTC))


def test_the_two_commands_for_a_pkcs_12_file_make_a_pair_that_is_taken(tmp_path: Path) -> None:
    member = planned(tmp_path)
    kinds.make("PKCS #12", tmp_path)
    (fault,) = {fault for fault in certificates.faults((member,), datetime.now(UTC)) if fault.fix}
    for command in fault.fix.split("; "):
        words = [*shlex.split(command), "-passin", "pass:"]
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "CERTIFICATE.pem").replace(tmp_path / "leaf.pem")
    (tmp_path / "KEY.pem").replace(tmp_path / "leaf-key.pem")
    assert () == certificates.faults((member,), datetime.now(UTC))


def test_a_file_that_cannot_be_read_refuses_whoever_compiles_it(tmp_path: Path) -> None:
    member = planned(tmp_path)
    kinds.make("DER certificate", tmp_path)
    with pytest.raises(RefusedError, match=r"leaf\.pem: is a certificate in DER form"):
        files.material(member)
