"""All that ``certs`` makes, as OpenSSL and the linter of the migration see it."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.targets import target
from unit.pki.openssl import extension, field, is_pair, openssl, verified
from unit.pki.pki_plans import PATHS, certs, contents, plan_in

from orchestrator.etcd.checks.certificates import faults
from orchestrator.pki import writing
from orchestrator.pki.issuing import Terms, issue, issue_ca, named
from orchestrator.pki.keys import KEY_TYPES, generate
from orchestrator.pki.making import make
from orchestrator.pki.reading import CLIENT, SERVER
from orchestrator.pki.wanted import alternatives

NAMES = {
    "server1": "DNS:server1, IP Address:198.18.0.101, ",
    "server2": "DNS:server2, IP Address:2001:DB8:0:0:0:0:0:2, ",
    "server3": "DNS:server3, DNS:etcd3.example.com, ",
    "proxy1": "DNS:proxy1, IP Address:198.18.0.111, ",
}
LOOPBACK = "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"
DIALLED = {
    "server1": ("-verify_ip", "198.18.0.101"),
    "server2": ("-verify_ip", "2001:db8::2"),
    "server3": ("-verify_hostname", "etcd3.example.com"),
    "proxy1": ("-verify_ip", "198.18.0.111"),
}
LEAVES = (*NAMES, "client")


@pytest.fixture(scope="module", params=["ec", "rsa:2048"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("made")
    certs(plan_in(folder), key_type=request.param)
    return folder / "pki", request.param


def key_of(pki: Path, name: str) -> Path:
    return pki / "private/proxy.key" if name == "proxy1" else pki / f"{name}-key.pem"


def test_everything_lies_where_the_plan_says_and_nothing_else_does(made: tuple[Path, str]) -> None:
    assert set(contents(made[0].parent)) == PATHS


def test_only_the_owner_reads_keys(made: tuple[Path, str]) -> None:
    pki, _ = made
    modes = {path: path.stat().st_mode & 0o777 for path in (pki, *pki.rglob("*"))}
    assert {0o700} == {mode for path, mode in modes.items() if path.is_dir()}
    assert {0o600} == {mode for path, mode in modes.items() if "key" in path.name}
    assert {0o644} == {
        mode for path, mode in modes.items() if path.suffix == ".pem" and "key" not in path.name
    }


@pytest.mark.parametrize("name", ["ca", *LEAVES])
def test_every_key_is_that_of_its_certificate(made: tuple[Path, str], name: str) -> None:
    pki, key_type = made
    assert is_pair(pki / f"{name}.pem", key_of(pki, name))
    text = openssl("x509", "-in", pki / f"{name}.pem", "-noout", "-text")
    assert ("NIST CURVE: P-256" if key_type == "ec" else "Public-Key: (2048 bit)") in text


@pytest.mark.parametrize("name", NAMES)
def test_a_host_is_a_server_under_each_of_its_names_and_a_client(made: tuple[Path, str], name: str) -> None:
    ca, leaf = made[0] / "ca.pem", made[0] / f"{name}.pem"
    for words in (
        DIALLED[name],
        ("-verify_hostname", name),
        ("-verify_hostname", "localhost"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "::1"),
    ):
        assert "OK" == verified(ca, leaf, "-purpose", "sslserver", *words)
    assert "OK" == verified(ca, leaf, "-purpose", "sslclient")
    assert "hostname mismatch" in verified(ca, leaf, "-verify_hostname", "server9")
    assert "IP address mismatch" in verified(ca, leaf, "-verify_ip", "198.18.0.199")


def test_the_client_is_a_client_alone(made: tuple[Path, str]) -> None:
    ca, leaf = made[0] / "ca.pem", made[0] / "client.pem"
    assert "OK" == verified(ca, leaf, "-purpose", "sslclient")
    assert "unsuitable certificate purpose" in verified(ca, leaf, "-purpose", "sslserver")
    assert "" == extension(leaf, "Subject Alternative Name")


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_says_what_it_is_for(made: tuple[Path, str], name: str) -> None:
    pki, key_type = made
    leaf = pki / f"{name}.pem"
    common_name = "orchestrator" if name == "client" else name
    assert f"O=three-members, CN={common_name}" == field(leaf, "subject")
    assert "O=three-members, CN=three-members CA" == field(leaf, "issuer")
    usages = "TLS Web Client Authentication"
    if name != "client":
        usages = f"TLS Web Server Authentication, {usages}"
        assert NAMES[name] + LOOPBACK == sorted_names(leaf, NAMES[name])
    assert usages == extension(leaf, "Extended Key Usage")
    own = "critical Digital Signature" + ("" if key_type == "ec" else ", Key Encipherment")
    assert own == extension(leaf, "Key Usage")
    assert "critical CA:FALSE" == extension(leaf, "Basic Constraints")
    ca_id = extension(pki / "ca.pem", "Subject Key Identifier")
    assert ca_id == extension(leaf, "Authority Key Identifier").removeprefix("keyid:")
    assert ca_id != extension(leaf, "Subject Key Identifier") != ""


def sorted_names(leaf: Path, first: str) -> str:
    """Return a certificate's names, with a complaint if those that matter do not come first."""
    names = extension(leaf, "Subject Alternative Name")
    return names if names.startswith(first) else f"{names} should begin with {first}"


def test_the_authority_signs_leaves_and_does_nothing_else(made: tuple[Path, str]) -> None:
    ca = made[0] / "ca.pem"
    assert "critical CA:TRUE, pathlen:0" == extension(ca, "Basic Constraints")
    assert "critical Certificate Sign, CRL Sign" == extension(ca, "Key Usage")
    assert "" == extension(ca, "Extended Key Usage")
    assert "OK" == verified(ca, ca)


def test_serial_numbers_are_random_and_dates_are_chosen(made: tuple[Path, str]) -> None:
    serials = {field(made[0] / f"{name}.pem", "serial") for name in ("ca", *LEAVES)}
    assert len(LEAVES) + 1 == len(serials)
    assert max(map(len, serials)) in {31, 32}  # 128 bits in hex
    for name, days in (("ca", 3650), ("server1", 365)):
        begin, end = (
            datetime.strptime(
                field(made[0] / f"{name}.pem", f"{which}date")[:-4], "%b %d %H:%M:%S %Y"
            ).replace(tzinfo=UTC)
            for which in ("start", "end")
        )
        assert timedelta(days=days, minutes=5) == end - begin
        assert timedelta(0) < datetime.now(UTC) - begin < timedelta(minutes=15)


def test_a_server_and_a_client_meet(made: tuple[Path, str]) -> None:
    pki, _ = made
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki / "server1.pem", pki / "server1-key.pem")
    server.load_verify_locations(pki / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=pki / "ca.pem")
    client.load_cert_chain(pki / "client.pem", pki / "client-key.pem")
    one, other = socket.socketpair()

    def serve() -> None:
        with server.wrap_socket(one, server_side=True) as stream:
            stream.sendall(str(stream.getpeercert()).encode())

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(other, server_hostname="198.18.0.101") as stream:
        said = stream.recv(9999).decode()
    thread.join()
    assert "('commonName', 'orchestrator')" in said


@pytest.mark.parametrize("key_type", ["ec", "rsa:2048"])
def test_the_linter_finds_nothing(tmp_path: Path, key_type: str) -> None:
    everyone = target(tmp_path, {"ETCD_ADVERTISE_CLIENT_URLS": "http://127.0.0.1:2379"}).everyone
    for path in tmp_path.glob("*.pem"):
        path.unlink()
    now = datetime.now(UTC)
    make(everyone[0].cluster, {}, Terms(key_type, 90, now), 900)
    assert () == faults(everyone, now)
    assert () == faults(everyone, now + timedelta(days=89))
    assert 4 == len(faults(everyone, now + timedelta(days=91)))


def test_bad_certificates_can_be_made_on_purpose(tmp_path: Path) -> None:
    everyone = target(tmp_path, {"ETCD_ADVERTISE_CLIENT_URLS": "http://127.0.0.1:2379"}).everyone
    for path in tmp_path.glob("*.pem"):
        path.unlink()
    now = datetime.now(UTC)
    terms, hosts = Terms("ec", 90, now), [one.host for one in everyone]
    cluster = everyone[0].cluster
    make(cluster, {}, terms, 900)
    ca, stranger = (issue_ca(named(name), terms) for name in ("CA", "a stranger's CA"))
    writing.write([writing.File(cluster.tls.ca, ca.certificate_pem, writing.PUBLIC)], replace=True)
    both = (SERVER, CLIENT)
    pairs = {
        "server1": issue(ca, named("server1"), ("198.18.0.199",), both, terms),
        "server2": issue(ca, named("server2"), alternatives(hosts[1]), (SERVER,), terms),
        "server3": issue(stranger, named("server3"), alternatives(hosts[2]), both, terms),
        "client": issue(ca, named("client"), (), (CLIENT,), Terms("ec", 1, now - timedelta(days=3))),
    }
    for name, pair in pairs.items():
        written = writing.of_pair(pair, tmp_path / f"{name}.pem", tmp_path / f"{name}-key.pem")
        writing.write(written, replace=True)
    reported = "\n".join(fault.evidence for fault in faults(everyone, now))
    assert "client.pem: is valid from" in reported
    assert "server1.pem: does not name 198.18.0.101" in reported
    assert "server2.pem: lacks the extended key usage clientAuth" in reported
    assert "server3.pem: was not issued by a CA of tls.ca" in reported


def test_no_private_key_is_shown() -> None:
    pair = issue_ca(named("CA"), Terms("ec", 1, datetime.now(UTC)))
    assert "key" not in repr(pair)
    assert "PRIVATE" not in repr(writing.of_pair(pair, Path("ca.pem"), Path("ca-key.pem")))


@pytest.mark.parametrize("key_type", [each for each in KEY_TYPES if each.startswith("rsa")])
def test_an_rsa_key_has_the_size_that_was_asked_for(key_type: str) -> None:
    assert key_type == f"rsa:{generate(key_type).key_size}"
