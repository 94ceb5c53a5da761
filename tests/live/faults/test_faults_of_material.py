"""Bad certificates and keys are found on the bastion, by name, before any host is changed."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from live.conftest import ClusterHosts
from live.faults.refusals import refused

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning import credentials
from orchestrator.lab.provisioning.credentials import DAYS, KEY_TYPE, Authority, Keypair
from orchestrator.pki.issuing import Terms, issue, named
from orchestrator.pki.reading import CLIENT, SERVER
from orchestrator.plan.model import Member

PLAN_INVALID = 3
# root without the right to read everybody's files: an operator who may not read a key
MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")


@dataclass(frozen=True, slots=True)
class Site:
    """A lab whose CA can still sign, and the second member, whose files go bad."""

    lab: Lab
    authority: Authority

    @property
    def member(self) -> Member:
        return self.lab.cluster.member("server2")

    @property
    def names(self) -> tuple[str, ...]:
        return credentials.alternatives(self.member)

    def give(self, pair: Keypair) -> None:
        pair.write(self.member.certificate, self.member.key)


@pytest.fixture(scope="module")
def issued(cluster_hosts: ClusterHosts) -> Site:
    """The lab's certificates, issued anew by a CA whose key is at hand."""
    return Site(cluster_hosts.lab, credentials.write_certificates(cluster_hosts.lab.cluster))


@pytest.fixture
def site(issued: Site, tmp_path: Path) -> Iterator[Site]:
    """The same for one test, which may spoil every file."""
    place, kept = issued.lab.cluster.tls.ca.parent, tmp_path / "kept"
    shutil.copytree(place, kept)
    yield issued
    shutil.rmtree(place)
    shutil.copytree(kept, place)


def wrong_names(site: Site) -> None:
    site.give(site.authority.issue("server2", ("198.18.0.77", "server2", *credentials.LOOPBACK)))


def server_only(site: Site) -> None:
    site.give(site.authority.issue("server2", site.names, usages=(SERVER,)))


def expired(site: Site) -> None:
    site.give(site.authority.issue("server2", site.names, lifetime=timedelta(days=-2)))


def not_yet_valid(site: Site) -> None:
    terms = Terms(KEY_TYPE, DAYS, datetime.now(UTC) + timedelta(days=2))
    site.give(Keypair(issue(site.authority.pair, named("server2"), site.names, (SERVER, CLIENT), terms)))


def other_authority(site: Site) -> None:
    site.give(Authority.make("another CA").issue("server2", site.names))


def other_key(site: Site) -> None:
    shutil.copy(site.lab.cluster.member("server3").key, site.member.key)


def truncated_certificate(site: Site) -> None:
    halve(site.member.certificate)


def truncated_key(site: Site) -> None:
    halve(site.member.key)


def stray_in_bundle(site: Site) -> None:
    ca = site.lab.cluster.tls.ca
    ca.write_bytes(ca.read_bytes() + site.lab.cluster.member("server3").certificate.read_bytes())


def halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


# fmt: off
SPOILED = (
    ("a certificate without its host's address",  wrong_names,           "server2.pem: does not name"),
    ("a certificate for servers only",            server_only,           "server2.pem: lacks the extended"),
    ("a certificate that has expired",            expired,               "server2.pem: is valid from"),
    ("a certificate that is not yet valid",       not_yet_valid,         "server2.pem: is valid from"),
    ("a certificate of another CA",               other_authority,       "server2.pem: was not issued by"),
    ("the key of another certificate",            other_key,             "server2-key.pem: is not the key"),
    ("a certificate file that was cut short",     truncated_certificate, "server2.pem: holds nothing in PEM"),
    ("a key file that was cut short",             truncated_key,         "server2-key.pem: holds nothing"),
)
# fmt: on


@pytest.mark.parametrize(("fault", "spoil", "reported"), SPOILED, ids=[row[0] for row in SPOILED])
def test_bad_material_is_refused_by_name(
    site: Site, fault: str, spoil: Callable[[Site], None], reported: str
) -> None:
    spoil(site)
    refused(site.lab, fault, "certificates", reported)


def test_a_ca_file_with_a_stray_certificate_is_refused(site: Site) -> None:
    stray_in_bundle(site)
    reported = "ca.pem: certificate 2 (CN=server3) is not a CA's"
    refused(site.lab, "a CA file with a stray certificate", "CA file", reported)


def test_a_key_that_the_operator_may_not_read_is_refused_by_line(site: Site) -> None:
    site.member.key.chmod(0)
    reported = ("plan.yaml:", "server2-key.pem' cannot be read by this user: let this user read it")
    exits = (PLAN_INVALID, PLAN_INVALID)
    refused(site.lab, "a key that the operator may not read", "", *reported, exits=exits, wrapper=MORTAL)
