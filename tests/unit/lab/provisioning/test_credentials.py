"""Keys and certificates of a lab."""

import socket
import ssl
import threading
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from orchestrator.lab.provisioning import credentials, plan_copy
from orchestrator.lab.provisioning.credentials import Authority
from orchestrator.pki.reading import SERVER
from orchestrator.plan.model import Auth, Cluster, Proxy

THREE_MEMBERS = Path(__file__).parents[4] / "plans" / "three-members.yaml"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    cluster = plan_copy.copy(THREE_MEMBERS, tmp_path)
    first = cluster.members[0]
    files = {"certificate": tmp_path / "pki/client1.pem", "key": tmp_path / "pki/client1-key.pem"}
    ssh = first.ssh.model_copy(update={"host": "198.18.0.201"})
    proxy = {**dict(first), **files, "name": "client1", "address": "198.18.0.201", "ssh": ssh}
    return cluster.model_copy(update={"proxies": (Proxy(**proxy),)})


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize(("name", "address"), [("server1", "198.18.0.101"), ("client1", "198.18.0.201")])
def test_a_hosts_certificate_names_every_way_to_it_and_serves_both_ends(
    cluster: Cluster, name: str, address: str
) -> None:
    credentials.write(cluster)
    certificate = read(cluster.host(name).certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {ip_address(each) for each in (address, "127.0.0.1", "::1")}
    assert addresses == set(names.get_values_for_type(x509.IPAddress))
    assert {"localhost", name} == set(names.get_values_for_type(x509.DNSName))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} == set(usage)


def test_everything_is_signed_by_the_plans_authority_but_the_stranger(cluster: Cluster) -> None:
    credentials.write(cluster)
    authority, stranger = read(cluster.tls.ca), credentials.stranger(cluster)
    nameless = credentials.nameless(cluster).certificate
    assert [] == read(nameless).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    for path in (
        nameless,
        cluster.tls.client_certificate,
        *(host.certificate for host in cluster.etcd_hosts),
    ):
        read(path).verify_directly_issued_by(authority)
    with pytest.raises(ValueError, match="does not match"):
        read(stranger.certificate).verify_directly_issued_by(authority)
    read(stranger.certificate).verify_directly_issued_by(read(stranger.ca))


def test_only_the_owner_may_read_a_private_key(cluster: Cluster) -> None:
    credentials.write(cluster)
    private = [
        cluster.tls.client_key,
        credentials.stranger(cluster).key,
        credentials.nameless(cluster).key,
        *(host.key for host in cluster.etcd_hosts),
    ]
    private += [member.ssh.identity_file for member in cluster.members if member.ssh.identity_file]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in private}


def test_the_files_work_in_a_mutual_handshake(cluster: Cluster) -> None:
    credentials.write(cluster)
    member, tls = cluster.members[0], cluster.tls
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.ca)
    serving.verify_mode = ssl.CERT_REQUIRED
    serving.load_cert_chain(member.certificate, member.key)
    asking = ssl.create_default_context(cafile=tls.ca)
    asking.load_cert_chain(tls.client_certificate, tls.client_key)
    ours, theirs = socket.socketpair()
    said: list[bytes] = []

    def serve() -> None:
        with serving.wrap_socket(theirs, server_side=True) as server:
            said.append(server.recv(5))

    thread = threading.Thread(target=serve)
    thread.start()
    with asking.wrap_socket(ours, server_hostname="198.18.0.101") as client:
        client.sendall(b"hello")
        thread.join()
    assert [b"hello"] == said


def test_bad_certificates_can_be_made_for_tests() -> None:
    authority = Authority.make("CA")
    expired = authority.issue("late", lifetime=timedelta(days=-1)).pair.certificate
    assert expired.not_valid_before_utc < expired.not_valid_after_utc
    assert expired.not_valid_after_utc < authority.pair.certificate.not_valid_before_utc
    one_sided = authority.issue("server only", usages=(SERVER,)).pair.certificate
    usage = one_sided.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [SERVER] == list(usage)


def test_every_host_has_its_own_key_and_known_hosts_knows_it(cluster: Cluster) -> None:
    keys = credentials.write(cluster)
    known = dict(line.split(" ", 1) for line in cluster.members[0].ssh.known_hosts.read_text().splitlines())
    for host in cluster.etcd_hosts:
        private = load_ssh_private_key(keys.own[host.name].encode(), password=None)
        public = load_ssh_public_key(known[host.address].encode())
        assert private.public_key().public_bytes_raw() == public.public_bytes_raw()  # type: ignore[union-attr]  # both are Ed25519
    assert 4 == len(set(known.values()))


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [("192.0.2.1", 22, "192.0.2.1"), ("192.0.2.1", 2222, "[192.0.2.1]:2222"), ("::1", 22, "::1")],
)
def test_a_host_is_known_with_its_port(cluster: Cluster, host: str, port: int, expected: str) -> None:
    member = cluster.members[0]
    ssh = member.ssh.model_copy(update={"host": host, "port": port})
    assert expected == credentials.known_as(member.model_copy(update={"ssh": ssh}))


def test_a_client_of_the_gateway_shows_the_plans_certificate_unless_authentication_forbids_names(
    cluster: Cluster,
) -> None:
    own = credentials.Files(cluster.tls.client_certificate, cluster.tls.client_key)
    assert own == credentials.of_gateway_client(cluster)
    auth = Auth(user="root", password_file=Path("/nowhere"))
    guarded = cluster.model_copy(update={"auth": auth})
    assert credentials.nameless(cluster) == credentials.of_gateway_client(guarded)
