import base64
import hashlib
import hmac
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator.remote.host_patterns import matches
from orchestrator.remote.known_hosts import HostKey, read_known_hosts


class At(NamedTuple):
    host: str
    port: int
    is_behind: bool = False

    @property
    def known_as(self) -> str:
        return (self.host if self.port == 22 else f"[{self.host}]:{self.port}").lower()


def key(kind: str, body: str) -> HostKey:
    return HostKey(kind, len(kind).to_bytes(4, "big") + kind.encode() + body.encode())


def line(hosts: str, of: HostKey, mark: str = "") -> str:
    return f"{mark} {hosts} {of.kind} {base64.b64encode(of.blob).decode()} a comment\n".lstrip()


def hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


OURS = key("ssh-ed25519", "ours")
OTHER = key("ssh-ed25519", "other")
RSA = key("ssh-rsa", "rsa")
HOST, PORTED = "server1.example", "[server1.example]:2222"

# fmt: off
MATCHES = [
    #    hosts field                          name      covered
    ("server1.example",                       HOST,     True),
    ("SERVER1.Example",                       HOST,     True),
    ("server1.example,10.0.0.1",              HOST,     True),
    ("10.0.0.1,server1.example",              HOST,     True),
    ("server1",                               HOST,     False),
    ("server1xexample",                       HOST,     False),
    ("*.example",                             HOST,     True),
    ("server?.example",                       HOST,     True),
    ("server??.example",                      HOST,     False),
    ("*",                                     HOST,     True),
    ("*.example,!server1.example",            HOST,     False),
    ("!server1.example,*.example",            HOST,     False),
    ("!server2.example,*.example",            HOST,     True),
    ("!server2.example",                      HOST,     False),
    ("server1.example",                       PORTED,   False),
    ("[server1.example]:2222",                PORTED,   True),
    ("[server1.example]:2222",                HOST,     False),
    ("[*.example]:*",                         PORTED,   True),
    ("[server1.example]:2223",                PORTED,   False),
    ("s",                                     HOST,     False),
    (hashed(HOST),                            HOST,     True),
    (hashed(HOST),                            PORTED,   False),
    (hashed(PORTED),                          PORTED,   True),
    (hashed(HOST).replace("|1|", "|2|"),      HOST,     False),
    ("|1|nonsense",                           HOST,     False),
    ("|1|!|!",                                HOST,     False),
    ("s*r?.*e",                               HOST,     True),
    ("*e*e*e*e*",                             HOST,     True),
    ("*e*e*e*e*e*",                           HOST,     False),
    ("server1.example*",                      HOST,     True),
    ("server1.example?",                      HOST,     False),
    ("",                                      HOST,     False),
    ("server[12].example",                    HOST,     False),
]
VERDICTS = [
    #    the file                                                               port  refusal
    (line(HOST, OURS),                                                          22,   None),
    (line(PORTED, OURS),                                                        2222, None),
    (line(hashed(HOST), OURS),                                                  22,   None),
    (line("*.example", OURS) + line(HOST, OTHER),                               22,   None),
    (line(HOST, RSA) + line(HOST, OURS),                                        22,   None),
    ("",                                                                        22,   "does not know"),
    ("\n# comment\n  # more\n",                                                 22,   "does not know"),
    (line(HOST, OURS),                                                          2222, "does not know"),
    ("broken\n" + line("another", OURS) + f"{HOST} ssh-ed25519 ???\n",          22,   "lines: 1, 3)"),
    (f"@strange {line(HOST, OURS)}",                                            22,   "lines: 1)"),
    (f"{HOST} 1024 35 1234567\n",                                               22,   "lines: 1)"),
    (line(HOST, OURS).replace("ssh-ed25519", "ssh-rsa"),                        22,   "lines: 1)"),
    (line(HOST, OTHER),                                                         22,   "HAS CHANGED"),
    (line(HOST, RSA),                                                           22,   "another type"),
    (line(HOST, OURS) + line("*", OURS, "@revoked"),                            22,   "revokes"),
    (line(HOST, OURS) + line("*", OTHER, "@revoked"),                           22,   None),
    (line("*.example", OTHER, "@cert-authority"),                               22,   "does not vouch"),
    (line("*.example", OURS, "@cert-authority"),                                22,   "does not vouch"),
    (line("*.example", OTHER, "@cert-authority") + line(HOST, OURS),            22,   None),
]
# fmt: on


@pytest.mark.parametrize(("hosts", "name", "is_covered"), MATCHES)
def test_a_line_covers_the_hosts_that_openssh_says_it_covers(hosts: str, name: str, is_covered: bool) -> None:  # noqa: FBT001  # a column of a table
    assert is_covered is matches(hosts, name)


@pytest.mark.parametrize(("text", "port", "refusal"), VERDICTS)
def test_only_the_hosts_own_key_is_trusted(tmp_path: Path, text: str, port: int, refusal: str | None) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(text)
    reason = read_known_hosts(path).refusal(At("Server1.example", port), OURS)

    if refusal is None:
        assert reason is None
    else:
        assert reason is not None
        assert refusal in reason


def test_a_refusal_teaches_how_to_trust_the_host(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"

    assert (
        f"{HOST}:2222 offers the ssh-ed25519 key {OURS.fingerprint}, and {path} does not exist. "
        "Compare with the fingerprint on the host's own console: "
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; only if it is the same, add the key: "
        f"ssh-keyscan -t ed25519 -p 2222 {HOST} >> {path}"
    ) == read_known_hosts(path).refusal(At(HOST, 2222), OURS)


def test_a_changed_key_is_shown_beside_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("# first\n" + line(HOST, OTHER))
    reason = read_known_hosts(path).refusal(At(HOST, 22), OURS)

    assert reason is not None
    assert OURS.fingerprint in reason
    assert f"{OTHER.fingerprint} (line 2)" in reason
    assert "somebody stands between us and it" in reason


def test_a_pattern_with_many_stars_is_matched_at_once(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(line("*a" * 13 + "*b", OURS) + line("*a" * 5000 + "b", OURS))
    began = time.monotonic()
    reason = read_known_hosts(path).refusal(At("a" * 60, 22), OURS)
    assert time.monotonic() - began < 60  # matched star by star it took hours
    assert reason is not None
    assert "does not know this host" in reason


def test_a_pipe_in_place_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    os.mkfifo(path)
    for place in (path, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(OSError, match="it is not a plain file"):
            read_known_hosts(place)


def test_a_file_of_any_size_and_content_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes(os.urandom(1 << 20) + b"\n" + line(HOST, OURS).encode() + b"x" * (1 << 20) + b"\n\0\n")
    reason = read_known_hosts(path).refusal(At(HOST, 22), OTHER)
    assert reason is not None
    assert "HAS CHANGED" in reason

    path.write_text("garbage\n" * 1000)
    reason = read_known_hosts(path).refusal(At(HOST, 22), OURS)
    assert reason is not None
    assert "(unreadable lines: 1, 2, 3, 4, 5 and 995 more)" in reason

    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(OSError, match="it is larger than 16 MiB"):
        read_known_hosts(path)


def test_what_takes_an_old_key_out_runs_as_it_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "the operator's own known_hosts"
    path.write_text("# first\n" + line("*.example", OTHER) + line(HOST, RSA) + line(HOST, OTHER))
    known = read_known_hosts(path).refusal(At(HOST, 22), OURS)
    assert known is not None
    command = known.partition("take the old key out first: ")[2].partition(". Compare")[0]
    assert command == f"sed -i '2d;4d' {shlex.quote(str(path))}"
    subprocess.run(["sh", "-c", command], check=True)
    assert path.read_text() == "# first\n" + line(HOST, RSA)


def test_what_adds_a_key_runs_as_it_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "a new place" / "known hosts"
    unknown = read_known_hosts(path).refusal(At(HOST, 2222), OURS)
    assert unknown is not None
    command = unknown.rpartition("add the key: ")[2]
    (tmp_path / "ssh-keyscan").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "ssh-keyscan").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", command], check=True, env=environment)
    assert f"-t ed25519 -p 2222 {HOST}\n" == path.read_text()


def test_a_file_is_read_for_many_hosts_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    ours, systems = tmp_path / "known_hosts", tmp_path / "ssh_known_hosts"
    ours.write_text(line(HOST, OURS))
    before = read_known_hosts(ours, systems)
    assert before is read_known_hosts(ours, systems)

    systems.write_text(line(HOST, OURS, "@revoked"))
    assert "revokes" in (read_known_hosts(ours, systems).refusal(At(HOST, 22), OURS) or "")
    systems.unlink()
    assert read_known_hosts(ours, systems).refusal(At(HOST, 22), OURS) is None
    (tmp_path / "new").write_text(line(HOST, RSA).ljust(ours.stat().st_size)[: ours.stat().st_size])
    (tmp_path / "new").replace(ours)
    assert read_known_hosts(ours, systems).refusal(At(HOST, 22), OURS) is not None


def test_a_file_that_another_was_copied_over_with_its_date_is_read_again(tmp_path: Path) -> None:
    ours, other = tmp_path / "known_hosts", tmp_path / "other"
    for path, key in ((ours, OURS), (other, OTHER)):
        path.write_text(line(HOST, key))
        os.utime(path, ns=(0, 10**18))
    assert ours.stat().st_size == other.stat().st_size
    assert read_known_hosts(ours).refusal(At(HOST, 22), OURS) is None
    subprocess.run(["cp", "-p", other, ours], check=True)
    assert read_known_hosts(ours).refusal(At(HOST, 22), OURS) is not None


def test_the_kinds_that_a_host_may_show_are_those_of_its_own_keys(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(line(HOST, RSA) + line("*", OURS, "@revoked") + line("*", OTHER, "@cert-authority"))

    assert {"ssh-rsa"} == read_known_hosts(path).kinds(HOST)


def test_the_fingerprint_is_the_one_that_openssh_prints() -> None:
    blob = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")

    assert HostKey("ssh-ed25519", blob).fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
