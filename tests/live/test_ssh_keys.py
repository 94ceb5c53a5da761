"""Keys as people have them, against a real sshd: every type, agents, certificates, and the hosts' own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live.conftest import ClusterHosts
from live.stories import changed, failure, orchestrator

from orchestrator.errors import OrchestratorError
from orchestrator.host.operations import Secret
from orchestrator.host.questions import Script
from orchestrator.remote.route import ways_of
from orchestrator.remote.ssh import SshHosts
from orchestrator.remote.unlocking import Unlocked

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("in_bastion")]

TYPES = {"ed25519": (), "ecdsa": ("-b", "384"), "rsa": ("-b", "2048")}
RELOAD = "systemctl reload ssh; sleep 0.3"


def keygen(*words: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *words], check=True, stdin=subprocess.DEVNULL)


def make(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    keygen("-t", kind, *TYPES[kind], "-N", passphrase, "-f", str(path))
    return path


class Site:
    """The first host, and a bastion's folder."""

    def __init__(self, hosts: ClusterHosts, folder: Path) -> None:
        self.host = hosts.lab.hosts[0]
        self.lab = hosts.lab
        self.folder = folder
        self.member = hosts.cluster.members[0]
        self.cluster = hosts.cluster
        self.address = self.member.address

    def let_in(self, key: Path) -> None:
        with (self.host.root / "root/.ssh/authorized_keys").open("a") as file:
            file.write(key.with_name(f"{key.name}.pub").read_text())

    def said(self, unlocked: Unlocked | None = None, **ssh: object) -> str:
        """What a login says: nothing if it works."""
        question = Script(self.member.name, "id -u")
        with SshHosts(changed(self.cluster, **ssh), unlocked=unlocked) as hosts:
            try:
                assert "0\n" == hosts.look([question])[question].text
            except OrchestratorError as error:
                return str(error)
        return ""

    @contextmanager
    def sshd(self, lines: str) -> Iterator[None]:
        place = self.host.root / "etc/ssh/sshd_config.d/odd.conf"
        place.write_text(lines)
        self.host.run(["sh", "-c", RELOAD])
        try:
            yield
        finally:
            place.unlink()
            self.host.run(["sh", "-c", RELOAD])

    @contextmanager
    def agent(self, *keys: Path) -> Iterator[None]:
        path = self.folder / "agent"
        process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
        while not path.exists():
            pass
        os.environ["SSH_AUTH_SOCK"] = str(path)
        try:
            for key in keys:
                subprocess.run(["ssh-add", "-q", str(key)], check=True)
            yield
        finally:
            del os.environ["SSH_AUTH_SOCK"]
            process.terminate()
            process.wait()


@pytest.fixture
def site(in_bastion: ClusterHosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    site = Site(in_bastion, tmp_path)
    keys = site.host.root / "root/.ssh/authorized_keys"
    before = keys.read_text()
    yield site
    keys.write_text(before)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_key_logs_in_from_a_file_and_from_an_agent(site: Site, kind: str) -> None:
    key = make(site.folder / "key", kind)
    assert "refused the login" in site.said(identity_file=key)
    site.let_in(key)
    assert "" == site.said(identity_file=key)
    with site.agent(key):
        assert "" == site.said(identity_file=None)


@pytest.mark.parametrize("kind", TYPES)
def test_a_users_certificate_logs_in_wherever_it_lies(site: Site, kind: str) -> None:
    authority, key = make(site.folder / "ca"), make(site.folder / "key", kind)
    keygen("-s", str(authority), "-I", "anna", "-n", "root", f"{key}.pub")
    certificate = site.folder / "key-cert.pub"
    (site.host.root / "etc/ssh/users.pub").write_text((site.folder / "ca.pub").read_text())
    with site.sshd("TrustedUserCAKeys /etc/ssh/users.pub\n"):
        assert "" == site.said(identity_file=key)
        with site.agent(key):  # ssh-add takes the certificate along
            assert "" == site.said(identity_file=None)
        elsewhere = site.folder / "elsewhere.pub"
        certificate.rename(elsewhere)
        assert "refused the login" in site.said(identity_file=key)
        config = site.folder / "config"
        known = f"UserKnownHostsFile {site.member.ssh.known_hosts}\n"
        config.write_text(f"IdentityFile {key}\nCertificateFile {elsewhere}\nIdentitiesOnly yes\n{known}")
        assert "" == site.said(identity_file=None, config=config)
        with site.agent(key):
            config.write_text(f"IdentityFile {key}\nCertificateFile {elsewhere}\n{known}")
            assert "" == site.said(identity_file=None, config=config)


def test_a_key_that_may_log_in_does_although_its_certificate_may_not(site: Site) -> None:
    key = make(site.folder / "key")
    keygen("-s", str(make(site.folder / "ca")), "-I", "anna", "-n", "root", f"{key}.pub")
    site.let_in(key)
    assert "" == site.said(identity_file=key)


def test_an_encrypted_key_is_asked_for_once_or_taken_from_the_agent(site: Site) -> None:
    key = make(site.folder / "key", "ed25519", "open sesame")
    site.let_in(key)
    reported = site.said(identity_file=key)
    assert f"identity file {key} is encrypted: load it into an SSH agent (ssh-add)" in reported
    logins = [login for way in ways_of(changed(site.cluster, identity_file=key)) for login in way.logins]
    asked: list[str] = []
    answers = iter(("wrong", "open sesame"))

    def ask(question: str) -> Secret:
        asked.append(question)
        return Secret(next(answers))

    unlocked = Unlocked()
    unlocked.unlock([*logins, *logins], ask)
    assert [f"Passphrase for {key}"] * 2 == asked
    assert "" == site.said(unlocked, identity_file=key)
    plain = site.folder / "plain"
    plain.write_bytes(key.read_bytes())
    plain.chmod(0o600)
    keygen("-p", "-P", "open sesame", "-N", "", "-f", str(plain))
    with site.agent(plain):
        Unlocked().unlock(
            [login for way in ways_of(changed(site.cluster, identity_file=key)) for login in way.logins], ask
        )
        assert "" == site.said(identity_file=key)
    assert 2 == len(asked)


@pytest.fixture
def authority(site: Site) -> Iterator[Path]:
    """An authority that has signed the host's key, as that shows it."""
    authority = make(site.folder / "hosts")
    sign(site, authority, "-n", site.address)
    with site.sshd("HostCertificate /etc/ssh/cert.pub\n"):
        yield authority


def sign(site: Site, authority: Path, *options: str) -> None:
    public = site.folder / "host.pub"
    line = site.member.ssh.known_hosts.read_text().splitlines()[0]
    public.write_text(line.partition(" ")[2] + "\n")
    keygen("-s", str(authority), "-h", "-I", "host", *options, str(public))
    (site.host.root / "etc/ssh/cert.pub").write_text((site.folder / "host-cert.pub").read_text())


def known(site: Site, *lines: str) -> Path:
    path = site.folder / "known"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def line_of(authority: Path, hosts: str = "*") -> str:
    return f"@cert-authority {hosts} {authority.with_name(f'{authority.name}.pub').read_text().strip()}"


def test_a_hosts_certificate_is_trusted_if_the_authority_vouches_for_it(site: Site, authority: Path) -> None:
    public = authority.with_name("hosts.pub").read_text().strip()
    assert "" == site.said(known_hosts=known(site, line_of(authority)))
    assert "" == site.said(known_hosts=known(site, line_of(authority, "198.18.0.*")))
    elsewhere = known(site, line_of(authority, "*.example.com"))
    assert f"{elsewhere} does not know this host" in site.said(known_hosts=elsewhere)
    revoked = known(site, line_of(authority), f"@revoked * {public}")
    assert f"{revoked}:2 revokes the authority of its certificate" in site.said(known_hosts=revoked)
    own = site.member.ssh.known_hosts.read_text().splitlines()[0].partition(" ")[2]
    assert "revokes: do not connect" in site.said(
        known_hosts=known(site, line_of(authority), f"@revoked * {own}")
    )
    other = make(site.folder / "other")
    assert "is by another authority, SHA256:" in site.said(known_hosts=known(site, line_of(other)))


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (("-n", "198.18.0.99"), "its certificate is for 198.18.0.99, not for 198.18.0.101"),
        (("-n", "198.18.0.101", "-V", "20200101:20200102"), "its certificate is not valid now"),
        (("-n", "198.18.0.*"), ""),
    ],
)
def test_a_certificate_for_somebody_else_or_another_time_is_none(
    site: Site, authority: Path, options: tuple[str, ...], reported: str
) -> None:
    sign(site, authority, *options)
    site.host.run(["sh", "-c", RELOAD])
    assert reported in site.said(known_hosts=known(site, line_of(authority)))
    if not reported:
        assert "" == site.said(known_hosts=known(site, line_of(authority)))


def test_hashed_and_wildcard_names_are_known(site: Site) -> None:
    line = site.member.ssh.known_hosts.read_text().splitlines()[0]
    hashed = known(site, line)
    keygen("-H", "-f", str(hashed))
    assert hashed.read_text().startswith("|1|")
    assert "" == site.said(known_hosts=hashed)
    assert "" == site.said(known_hosts=known(site, f"198.18.0.1?? {line.partition(' ')[2]}"))


def fingerprint(site: Site) -> str:
    path = site.folder / "line"
    path.write_text(site.member.ssh.known_hosts.read_text().splitlines()[0])
    printed = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True, text=True)
    return printed.stdout.split()[1]


def test_a_pinned_key_needs_no_file_and_another_one_is_refused(site: Site) -> None:
    nowhere = site.folder / "nowhere"
    pin = fingerprint(site)
    assert "" == site.said(known_hosts=nowhere, host_key=pin)
    other = f"SHA256:{'A' * 43}"
    reported = site.said(host_key=other)
    assert pin in reported
    assert f"and the plan pins {other}" in reported
    own = site.member.ssh.known_hosts.read_text().splitlines()[0].partition(" ")[2]
    assert "revokes" in site.said(host_key=pin, known_hosts=known(site, f"@revoked * {own}"))


@pytest.fixture
def plan(site: Site) -> Iterator[Path]:
    path = site.lab.plan.with_name("keys.yaml")
    text = site.lab.plan.read_text().replace("keys/known_hosts", "keys/new_known_hosts")
    path.write_text(text.replace("config: none", f"config: none, jump: root@{site.address}"))
    assert "jump: root" in path.read_text()
    yield path
    path.unlink()
    path.with_name("keys").joinpath("new_known_hosts").unlink(missing_ok=True)


def test_new_keys_are_shown_and_written_down_and_changed_ones_never(site: Site, plan: Path) -> None:
    written = plan.with_name("keys") / "new_known_hosts"
    shown = orchestrator(site.lab, "hostkeys", plan.name)
    assert 64 == shown.returncode, failure(shown)  # nobody is there to agree
    assert f"jump host {site.address}" in shown.stdout
    assert fingerprint(site) in shown.stdout
    assert not written.exists()
    taken = orchestrator(site.lab, "hostkeys", plan.name, "--yes")
    assert 0 == taken.returncode, failure(taken)
    assert 3 == len(written.read_text().splitlines())
    assert 0o600 == written.stat().st_mode & 0o777
    again = orchestrator(site.lab, "hostkeys", plan.name)
    assert (0, 3 + 1) == (again.returncode, again.stdout.count(" known")), failure(again)
    lines = written.read_text().splitlines()
    first, second = lines[0].split(), lines[1].split()
    written.write_text("\n".join((lines[0], f"{second[0]} {first[1]} {first[2]}", lines[2])))
    before = written.read_text()
    changed_key = orchestrator(site.lab, "hostkeys", plan.name, "--yes")
    assert 4 == changed_key.returncode, failure(changed_key)
    assert "NOT TRUSTED" in changed_key.stdout
    assert "the host key HAS CHANGED" in changed_key.stderr
    assert before == written.read_text()
