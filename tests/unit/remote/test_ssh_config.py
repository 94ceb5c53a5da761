"""What OpenSSH's configuration says, and what becomes of it where there is no OpenSSH."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import LoginRefusedError
from orchestrator.plan.model import Ssh
from orchestrator.remote import ssh_config
from orchestrator.remote.logins import Login
from orchestrator.remote.route import route


def plan(config: Path | str | None, **written: object) -> Ssh:
    values: dict[str, Any] = {
        "host": "alias", "port": 22, "user": "root", "become": "none", "identity_file": None,
        "known_hosts": Path("/default"), "jump": None, "host_key": None,
    }  # fmt: skip
    return Ssh.model_construct({"config", *written}, **(values | {"config": config} | written))


def login(config: Path | str | None, **written: object) -> Login:
    return route("h1", plan(config, **written)).target


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(
        "Host alias\n  HostName 10.0.0.9\n  User anna\n  Port 2222\n  HostKeyAlias one\n"
        "  IdentityFile /keys/%n-%r\n  IdentitiesOnly yes\n  CertificateFile /keys/%h-cert.pub\n"
        "  UserKnownHostsFile /known/%k\n  IdentityAgent /agents/%u\n"
    )
    return path


def test_every_setting_is_honoured_and_tokens_are_filled_in(config: Path) -> None:
    found = login(config)
    assert ("10.0.0.9", 2222, "anna", "one") == (found.host, found.port, found.user, found.known_as)
    assert (Path("/keys/alias-anna"),) == found.identity_files
    assert (Path("/keys/10.0.0.9-cert.pub"),) == found.certificate_files
    assert Path("/known/one") == found.known_hosts[0]
    assert (True, True) == (found.are_named, found.is_alone)
    assert f"/agents/{ssh_config.local_user()}" == found.agent


def test_what_the_plan_says_wins(config: Path) -> None:
    found = login(config, user="root", port=22, identity_file=Path("/mine"), known_hosts=Path("/kh"))
    assert ("10.0.0.9", 22, "root") == (found.host, found.port, found.user)
    assert ((Path("/mine"),), (Path("/kh"),)) == (found.identity_files, found.known_hosts)


def test_without_a_user_anywhere_it_is_the_plans_default(config: Path) -> None:
    config.write_text("Port 2222\n")
    assert ("root", 2222) == (login(config).user, login(config).port)


def test_a_user_who_is_named_counts_although_it_is_who_asks(config: Path) -> None:
    us = ssh_config.local_user()
    config.write_text(f"Host alias\n  User {us}\n")
    default = plan(config).model_copy(update={"user": "toor"})
    nobody = Ssh.model_construct({"config"}, **dict(default))
    assert us == route("h1", nobody).target.user
    config.write_text("Host another\n  User anna\n")
    assert "toor" == route("h1", nobody).target.user


def test_none_reads_nothing(config: Path) -> None:
    assert config.exists()
    found = login("none")
    assert ("alias", 22, "root", "alias") == (found.host, found.port, found.user, found.known_as)
    assert Path("~/.ssh/known_hosts").expanduser() == found.known_hosts[0]


def test_a_configuration_that_cannot_be_read_is_named_with_a_way_on(config: Path) -> None:
    config.write_text("Nonsense yes\n")
    with pytest.raises(LoginRefusedError) as refused:
        login(config)
    assert f"h1: OpenSSH's configuration ({config}) cannot be read: " in str(refused.value)
    assert "Bad configuration option: nonsense" in str(refused.value)
    assert "config: none" in str(refused.value)


def test_without_openssh_a_plain_file_is_read_and_one_with_more_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_config, "_PROGRAM", "no-such-ssh")
    found = login(config)
    assert ("10.0.0.9", 2222, "anna", "one") == (found.host, found.port, found.user, found.known_as)
    assert (Path("/keys/alias-anna"),) == found.identity_files
    for option in ("Include more", "Match host alias", 'match exec "true"'):
        config.write_text(f"Host other\n{option}\n")
        with pytest.raises(LoginRefusedError, match="install openssh-client, or write"):
            login(config)
    monkeypatch.setattr(ssh_config, "OWN", str(config.with_name("missing")))
    assert ("alias", 22, "root") == (login(None).host, login(None).port, login(None).user)
