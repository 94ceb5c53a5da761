"""Checks of certificates before the first change: what they are, and the addresses they are used from."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from support.sites import item, judged, make_site, verdicts

from orchestrator.etcd.facts.routes import RESOLVE, ROUTES, plain
from orchestrator.host.questions import Answer
from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.pki.reading import CLIENT, SERVER

NOW = datetime.now(UTC)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def signer(*, usages: Sequence[ObjectIdentifier] = (), signs: bool = True) -> x509.Certificate:
    """A certificate of a CA with these extended usages, or one that may not sign."""
    pair = Authority.make("other").pair
    name, key = pair.certificate.subject, pair.key
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_good_certificates_pass(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    for name in ("certificates", "days left", "CA file", "intermediates", "key files"):
        assert ["pass"] == verdicts(judged(name, site, {})), name


def test_a_key_of_another_certificate_fails(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    (tmp_path / "server1-key.pem").write_bytes((tmp_path / "server2-key.pem").read_bytes())
    (one,) = judged("certificates", site, {})
    assert ("fail", "bastion") == (one.verdict, one.where)
    assert "server1-key.pem: is not the key of" in one.evidence


@pytest.mark.parametrize(
    ("after_days", "verdict", "evidence"),
    [
        (0, "pass", "in 365 days"),
        (340, "warn", "ends in 25.0 days"),
        (364.5, "fail", "ends in 0.5 days"),
        (366, "fail", "ended 1.0 days ago"),
    ],
)
def test_days_left(tmp_path: Path, after_days: float, verdict: str, evidence: str) -> None:
    site = replace(make_site(tmp_path), now=NOW + timedelta(days=after_days))
    found = judged("days left", site, {})
    assert {verdict} == set(verdicts(found))
    assert evidence in found[0].evidence


def test_a_ca_that_ends_soon_is_not_renewed_by_what_it_signs(tmp_path: Path) -> None:
    found = judged("days left", replace(make_site(tmp_path), now=NOW + timedelta(days=340)), {})
    fixes = {Path(one.evidence.split(" ends ")[0]).name: one.fix for one in found}
    assert "orchestrator certs PLAN --renew" in fixes["server1.pem"]
    assert "--renew" not in fixes["ca.pem"]
    assert "Move away the files that orchestrator certs PLAN lists" in fixes["ca.pem"]


@pytest.mark.parametrize(
    ("more", "expected", "evidence"),
    [
        ([signer()], ["warn"], "holds 2 certificates"),
        ([signer(signs=False)], ["fail", "warn"], "certificate 2 (CN=other) is not a CA's"),
        ([signer(usages=(SERVER,))], ["fail", "warn"], "lacks the extended key usage clientAuth"),
    ],
)
def test_the_ca_file(
    tmp_path: Path, more: list[x509.Certificate], expected: list[str], evidence: str
) -> None:
    site = make_site(tmp_path)
    path = tmp_path / "ca.pem"
    path.write_bytes(path.read_bytes() + pem(*more))
    found = judged("CA file", site, {})
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


@pytest.mark.parametrize("content", ["", "nonsense"])
def test_a_ca_file_without_a_certificate_fails(tmp_path: Path, content: str) -> None:
    site = make_site(tmp_path)
    (tmp_path / "ca.pem").write_text(content)
    assert ["fail"] == verdicts(judged("CA file", site, {}))


@pytest.mark.parametrize(
    ("intermediate", "verdict", "evidence"),
    [
        (signer(), "pass", "1 intermediates"),
        (signer(usages=(SERVER, CLIENT)), "pass", "1 intermediates"),
        (signer(usages=(CLIENT,)), "fail", "lacks the extended key usage serverAuth"),
        (signer(signs=False), "fail", "may not sign certificates"),
    ],
)
def test_intermediates(tmp_path: Path, intermediate: x509.Certificate, verdict: str, evidence: str) -> None:
    site = make_site(tmp_path)
    path = tmp_path / "server2.pem"
    path.write_bytes(path.read_bytes() + pem(intermediate))
    (one,) = judged("intermediates", site, {})
    assert (verdict, True) == (one.verdict, evidence in one.evidence)


def test_a_key_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    (tmp_path / "server2-key.pem").chmod(0o640)
    (one,) = judged("key files", site, {})
    assert "warn" == one.verdict
    assert "server2-key.pem has mode 0640" in one.evidence
    assert "chmod 600" in one.fix


# Source addresses, as server1's kernel tells of them.

TWO = "route 198.18.0.102 198.18.0.102 198.18.0.101\n"
THREE = "route 198.18.0.103 198.18.0.103 198.18.0.101\n"
VIP = "route 198.18.0.103 198.18.0.103 198.18.0.150\n"
OWN = "server1 198.18.0.101\n"


@pytest.mark.parametrize(
    ("reported", "resolved", "expected", "evidence"),
    [
        (TWO + THREE, OWN, ["pass"], "from 198.18.0.101"),
        (
            TWO + VIP,
            OWN,
            ["fail"],
            "dials 198.18.0.103 from 198.18.0.150, which its certificate does not name",
        ),
        (TWO + VIP, "server1 198.18.0.150\n", ["warn"], "only while DNS resolves"),
        (
            TWO + THREE + "dials 10.0.0.9:40000 198.18.0.102:2380\n",
            OWN,
            ["fail"],
            "dials 198.18.0.102 from 10.0.0.9",
        ),
        (TWO + THREE + "dials 10.0.0.9:40000 10.0.0.1:2380\n", OWN, ["pass"], "from 198.18.0.101"),
        (TWO + THREE + "dials [::ffff:198.18.0.101]:4 [::ffff:198.18.0.102]:2380\n", OWN, ["pass"], "from"),
        (TWO + THREE + "hears [::ffff:198.18.0.103]:40000\n", OWN, ["pass"], "from 198.18.0.101"),
        (TWO + THREE + "hears 10.0.0.7:40000\n", OWN, ["warn", "pass"], "10.0.0.7 dials its peer port"),
        (TWO + THREE + "hears 127.0.0.1:40000\n", OWN, ["pass"], "from 198.18.0.101"),
        (TWO + "route server3 ? ?\n", OWN, ["warn", "pass"], "cannot tell from where it would dial server3"),
        ("", OWN, ["fail"], "name no peer"),
    ],
)
def test_source_addresses(
    tmp_path: Path, reported: str, resolved: str, expected: list[str], evidence: str
) -> None:
    site = make_site(tmp_path, "server1", "server2", "server3")
    answers = {ROUTES: Answer(0, reported), RESOLVE: Answer(0, resolved)}
    found = judged("source addresses", site, answers, "server1")
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


def test_a_route_that_is_missing_is_looked_for_and_no_certificate_is_issued(tmp_path: Path) -> None:
    site = make_site(tmp_path, "server1", "server2", "server3")
    reported = {ROUTES: Answer(0, TWO + "route server3 ? ?\n"), RESOLVE: Answer(0, OWN)}
    one = judged("source addresses", site, reported, "server1")[0]
    assert one.fix.startswith("on server1: ip route get server3 has to print a source address")


@pytest.mark.parametrize("reported", ["", "hears 127.0.0.1:40000\n"])
def test_a_single_member_dials_nobody_and_that_is_fine(tmp_path: Path, reported: str) -> None:
    site = make_site(tmp_path, "server1")
    (alone,) = (member for member in site.cluster.members if member.name == "server1")
    site = replace(site, cluster=site.cluster.model_copy(update={"members": (alone,)}))
    (one,) = judged("source addresses", site, {ROUTES: Answer(0, reported)})
    assert ("pass", "it is the only member, and dials nobody") == (one.verdict, one.evidence)
    (strange, _) = judged("source addresses", site, {ROUTES: Answer(0, "hears 10.0.0.7:40000\n")})
    assert ("warn", True) == (strange.verdict, "10.0.0.7 dials its peer port" in strange.evidence)


def test_a_name_that_only_one_of_the_peers_resolves_is_not_enough(tmp_path: Path) -> None:
    site = make_site(tmp_path, "server1", "server2", "server3")
    examination = next(iter(item("source addresses").make(site)))
    routes, second, third = examination.questions
    answers = {
        routes: Answer(0, TWO + VIP),
        second: Answer(0, "server1 198.18.0.150\n"),
        third: Answer(0, OWN),
    }
    assert ["fail"] == [remark.verdict for remark in examination.judge(answers)]


def test_peers_that_check_nobody_are_not_asked(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    tls = site.cluster.tls.model_copy(update={"peer_cert_auth": False})
    relaxed = replace(site, cluster=site.cluster.model_copy(update={"tls": tls}))
    assert () == tuple(item("source addresses").make(relaxed))


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ("198.18.0.1", "198.18.0.1"),
        ("198.18.0.1:2380", "198.18.0.1"),
        ("[::ffff:198.18.0.1]:2380", "198.18.0.1"),
        ("[fe80::1%eth0]:2380", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_addresses_are_made_plain(reported: str, expected: str) -> None:
    assert expected == plain(reported)
