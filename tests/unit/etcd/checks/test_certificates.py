"""Each fault of a certificate is named before any host has it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import ObjectIdentifier
from support.targets import target

from orchestrator.etcd.checks import certificates
from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.pki.reading import CLIENT, SERVER
from orchestrator.plan.facts import Target

NOW = datetime.now(UTC)
NAMES = ("198.18.0.{}", "127.0.0.1", "localhost")


def issue(
    authority: Authority,
    folder: Path,
    name: str,
    number: int,
    *,
    names: Sequence[str] = NAMES,
    usages: Sequence[ObjectIdentifier] = (SERVER, CLIENT),
    lifetime: timedelta = timedelta(days=90),
) -> None:
    pair = authority.issue(
        name, [one.format(100 + number) for one in names], usages=usages, lifetime=lifetime
    )
    pair.write(folder / f"{name}.pem", folder / f"{name}-key.pem")


def faults(everyone: tuple[Target, ...], now: datetime) -> tuple[str, ...]:
    return tuple(fault.evidence for fault in certificates.faults(everyone, now))


@pytest.fixture
def authority() -> Authority:
    return Authority.make("the CA")


@pytest.fixture
def everyone(tmp_path: Path, authority: Authority) -> tuple[Target, ...]:
    environment = {"ETCD_ADVERTISE_CLIENT_URLS": "http://127.0.0.1:2379"}
    member = target(tmp_path, environment)
    authority.write(tmp_path / "ca.pem")
    issue(authority, tmp_path, "client", 0, usages=(CLIENT,))
    for number in (1, 2, 3):
        issue(authority, tmp_path, f"server{number}", number)
    return member.everyone


def test_good_certificates_have_no_faults(everyone: tuple[Target, ...]) -> None:
    assert () == faults(everyone, NOW)


def test_a_wrong_name_is_named(everyone: tuple[Target, ...], authority: Authority, tmp_path: Path) -> None:
    issue(authority, tmp_path, "server2", 9)
    (fault,) = faults(everyone, NOW)
    assert "server2.pem: does not name 198.18.0.102, which server2 is dialled by; it names" in fault


def test_a_missing_usage_is_named(everyone: tuple[Target, ...], authority: Authority, tmp_path: Path) -> None:
    issue(authority, tmp_path, "server3", 3, usages=(SERVER,))
    (fault,) = faults(everyone, NOW)
    assert "server3.pem: lacks the extended key usage clientAuth" in fault


def test_dates_are_looked_at(everyone: tuple[Target, ...]) -> None:
    for now in (NOW + timedelta(days=100), NOW - timedelta(days=2)):
        reported = faults(everyone, now)
        assert 4 == len(reported)
        assert all("not now" in fault for fault in reported)


def test_another_ca_is_found(everyone: tuple[Target, ...], tmp_path: Path) -> None:
    issue(Authority.make("the CA"), tmp_path, "server1", 1)
    (fault,) = faults(everyone, NOW)
    assert "server1.pem: was not issued by a CA of tls.ca" in fault


def test_the_key_of_another_certificate_is_found(everyone: tuple[Target, ...], tmp_path: Path) -> None:
    (tmp_path / "server1-key.pem").write_bytes((tmp_path / "server2-key.pem").read_bytes())
    (fault,) = faults(everyone, NOW)
    assert "server1-key.pem: is not the key of" in fault


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("ca.pem", "holds nothing in PEM form"),
        ("server1.pem", "holds nothing in PEM form"),
        ("server1-key.pem", "holds nothing in PEM form"),
        ("client-key.pem", "holds nothing in PEM form"),
    ],
)
def test_a_truncated_file_is_found(
    everyone: tuple[Target, ...], tmp_path: Path, name: str, complaint: str
) -> None:
    path = tmp_path / name
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:80])
    reported = faults(everyone, NOW)
    assert any(name in fault and complaint in fault for fault in reported), reported
