"""``certs``: what it refuses, what renewal keeps, and what it tells."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine.walking import compiled, start
from engine.world import World, make_cluster
from unit.pki.openssl import extension, field, is_pair, verified
from unit.pki.pki_plans import PATHS, PLAN, certs, cluster_in, contents, plan_in

from orchestrator import commandline
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import PlanInvalidError, RefusedError, UsageError
from orchestrator.pki import making, writing
from orchestrator.pki.issuing import Terms, issue_ca, named
from orchestrator.pki.keys import public_bytes

CA = {"pki/ca.pem", "pki/ca-key.pem"}
NOW = datetime.now(UTC)
SECP224K1 = """\
-----BEGIN EC PRIVATE KEY-----
MGkCAQEEHQChsZ1tDDoAJngL3yULdVBkO4F3nYNsCBrAZlvtoAcGBSuBBAAgoTwD
OgAEBBTNujWtQIOLVCeF/Txy7/j20o2+qBLSq4XIOrSv2jZBmAOdyAtn+dq/PSbe
MPB6cTHGTaoXjts=
-----END EC PRIVATE KEY-----
"""


def named_in(error: RefusedError) -> set[str]:
    return set(re.findall(r"^  (.*)$", str(error), re.MULTILINE))


@pytest.mark.parametrize("taken", sorted(PATHS))
def test_no_file_is_overwritten_and_each_in_the_way_is_named(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).parent.mkdir(parents=True)
    (tmp_path / taken).write_bytes(b"mine")
    with pytest.raises(RefusedError, match="--renew") as caught:
        certs(plan_in(tmp_path))
    assert {taken: b"mine"} == contents(tmp_path)
    assert {str(tmp_path / taken)} == named_in(caught.value)


def test_without_the_cas_key_no_command_is_advised_that_needs_it(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki/ca.pem").write_bytes(b"mine")
    with pytest.raises(RefusedError) as caught:
        certs(plan_in(tmp_path))
    assert "orchestrator certs" not in str(caught.value)
    assert str(caught.value).endswith(f"{tmp_path}/pki/ca-key.pem is not there, and --renew needs it")


def test_a_second_time_names_all_files_and_leaves_them(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    before = contents(tmp_path)
    with pytest.raises(RefusedError) as caught:
        certs(plan_in(tmp_path))
    assert before == contents(tmp_path)
    assert {str(tmp_path / path) for path in PATHS} == named_in(caught.value)
    assert str(caught.value).endswith(commandline.command("certs", tmp_path / "plan.yaml") + " --renew")


def test_nothing_is_renewed_in_the_middle_of_a_run(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    (tmp_path / "world").mkdir()
    cluster = make_cluster(tmp_path / "world")
    there = compiled(cluster, World(cluster))
    with StateFile(tmp_path / "plan.yaml.state.jsonl") as journal:
        start(journal, there, there.stages[0].steps[0])
    before = contents(tmp_path)
    with pytest.raises(RefusedError, match=r"holds a run that is under way, .* --resume or .* rollback "):
        certs(tmp_path / "plan.yaml", renew=True)
    assert before == contents(tmp_path)


def test_a_dangling_link_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki/ca.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match=r"pki/ca\.pem"):
        certs(plan_in(tmp_path))
    assert {} == contents(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_refusal_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    text = PLAN.replace("pki/private/proxy.key", "file/proxy.key")
    with pytest.raises(RefusedError, match=r"nothing was changed: .*file"):
        certs(plan_in(tmp_path, text))
    assert {"file": b""} == contents(tmp_path)
    assert not (tmp_path / "pki").exists()


@pytest.mark.parametrize("renew", [False, True])
def test_a_failure_at_any_move_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, renew: bool
) -> None:
    if renew:
        certs(plan_in(tmp_path))
        (tmp_path / "pki/server1-key.pem").chmod(0o400)
    before, real, moves = contents(tmp_path), Path.replace, PATHS - CA if renew else PATHS
    countdown: Iterator[int] = iter(())

    def replace(self: Path, target: Path) -> Path:
        if next(countdown, None) == 0:
            raise OSError(5, "Input/output error", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    for number in range(len(moves)):
        countdown = iter(range(number, -1, -1))
        with pytest.raises(RefusedError, match=r"nothing was changed: .*Input/output error"):
            certs(plan_in(tmp_path), renew=renew)
        assert before == contents(tmp_path)
        assert renew == (tmp_path / "pki").exists()
        assert not renew or 0o400 == (tmp_path / "pki/server1-key.pem").stat().st_mode & 0o777
    certs(plan_in(tmp_path), renew=renew)
    assert PATHS == set(contents(tmp_path))


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "late.pem").write_bytes(b"mine")
    wanted = [
        writing.File(tmp_path / name, b"x", writing.PUBLIC) for name in ("new/a.pem", "b.pem", "late.pem")
    ]
    with pytest.raises(RefusedError, match=r"nothing was changed: .*late\.pem: File exists"):
        writing.write(wanted, replace=False)
    assert {"late.pem": b"mine"} == contents(tmp_path)
    assert not (tmp_path / "new").exists()


def test_renewal_makes_all_leaves_anew_and_does_not_touch_the_ca(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    before = contents(tmp_path)
    reported = certs(plan_in(tmp_path), renew=True, days=30)
    after = contents(tmp_path)
    assert PATHS == set(after)
    assert CA == {path for path in PATHS if before[path] == after[path]}
    for name in ("server1", "server2", "server3", "client"):
        leaf = tmp_path / f"pki/{name}.pem"
        assert "OK" == verified(tmp_path / "pki/ca.pem", leaf, "-purpose", "sslclient")
        assert is_pair(leaf, tmp_path / f"pki/{name}-key.pem")
        assert 0o644 == leaf.stat().st_mode & 0o777
    assert 0o600 == (tmp_path / "pki/server1-key.pem").stat().st_mode & 0o777
    assert "every handshake" in reported
    assert "note:" not in reported


def test_renewal_may_change_the_kind_of_key_and_fills_gaps(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    (tmp_path / "pki/proxy1.pem").unlink()
    certs(plan_in(tmp_path), renew=True, key_type="rsa:2048")
    assert "Key Encipherment" in extension(tmp_path / "pki/proxy1.pem", "Key Usage")
    assert "OK" == verified(tmp_path / "pki/ca.pem", tmp_path / "pki/proxy1.pem", "-purpose", "sslserver")


def test_renewal_keeps_the_names_that_were_given_before(tmp_path: Path) -> None:
    certs(plan_in(tmp_path), sans=["server1=10.0.0.5", "server1=*.Example.com", "server2=::1"])
    names = extension(tmp_path / "pki/server1.pem", "Subject Alternative Name")
    assert names.endswith("IP Address:10.0.0.5, DNS:*.Example.com")
    reported = certs(plan_in(tmp_path), renew=True)
    renewed = extension(tmp_path / "pki/server1.pem", "Subject Alternative Name")
    assert sorted(names.split(", ")) == sorted(renewed.split(", "))
    assert "note: server1 keeps *.Example.com, 10.0.0.5, which its old certificate named" in reported
    assert 1 == reported.count("note:")


def test_renewal_leaves_links_as_links(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    leaf = tmp_path / "pki/server1.pem"
    leaf.rename(tmp_path / "kept.pem")
    leaf.symlink_to(tmp_path / "kept.pem")
    before = leaf.read_bytes()
    certs(plan_in(tmp_path), renew=True)
    assert leaf.is_symlink()
    assert before != leaf.read_bytes()


@pytest.mark.parametrize("name", ["server1.pem", "server1-key.pem"])
@pytest.mark.parametrize("leads", ["nowhere", "to itself"])
def test_renewal_names_a_link_that_leads_nowhere(tmp_path: Path, name: str, leads: str) -> None:
    certs(plan_in(tmp_path))
    link = tmp_path / "pki" / name
    link.unlink()
    link.symlink_to(name if leads == "to itself" else "gone.pem")
    before = contents(tmp_path)
    reported = rf"nothing was changed: .*{name}: it is a link that leads nowhere: remove it, or put back"
    with pytest.raises(RefusedError, match=reported):
        certs(plan_in(tmp_path), renew=True)
    assert before == contents(tmp_path)
    link.unlink()
    certs(plan_in(tmp_path), renew=True)


def test_a_ca_that_ends_early_ends_its_leaves(tmp_path: Path) -> None:
    reported = certs(plan_in(tmp_path), days=365, ca_days=100)
    ends = {field(tmp_path / f"pki/{name}.pem", "enddate") for name in ("ca", "server1", "client")}
    assert 1 == len(ends)
    assert "note: the CA ends on" in reported
    assert "note: the CA ends on" in certs(plan_in(tmp_path), renew=True)
    assert ends == {field(tmp_path / f"pki/{name}.pem", "enddate") for name in ("ca", "server1", "client")}


def test_a_key_that_others_can_read_is_worth_a_note(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    (tmp_path / "pki/ca-key.pem").chmod(0o640)
    reported = certs(plan_in(tmp_path), renew=True)
    assert f"note: {tmp_path}/pki/ca-key.pem is open to other users of this machine" in reported


def broken(folder: Path, how: str) -> None:
    certs(plan_in(folder))
    ca, key = folder / "pki/ca.pem", folder / "pki/ca-key.pem"
    terms = Terms("ec", 10, NOW)
    match how:
        case "no CA":
            ca.unlink()
        case "no key":
            key.unlink()
        case "no PEM":
            ca.write_text("nonsense")
        case "another key":
            key.write_bytes(issue_ca(named("x"), terms).key_pem)
        case "a leaf for a CA":
            ca.write_bytes((folder / "pki/server1.pem").read_bytes())
            key.write_bytes((folder / "pki/server1-key.pem").read_bytes())
        case "expired" | "early":
            days = -11 if how == "expired" else 1
            pair = issue_ca(named("x"), Terms("ec", 10, NOW + timedelta(days=days)))
            ca.write_bytes(pair.certificate_pem)
            key.write_bytes(pair.key_pem)


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("no CA", "ca.pem: cannot be read: No such file or directory: that is the CA to renew from"),
        ("no key", "ca-key.pem: No such file or directory: without the CA's key nothing can be signed"),
        ("no PEM", "ca.pem: holds nothing in PEM form"),
        ("another key", "ca-key.pem is not the key of .*ca.pem"),
        ("a leaf for a CA", "ca.pem is not the certificate of a CA"),
        ("expired", "ca.pem expired on"),
        ("early", "ca.pem is not valid before"),
    ],
)
def test_a_ca_that_cannot_sign_is_refused(tmp_path: Path, how: str, complaint: str) -> None:
    broken(tmp_path, how)
    before = contents(tmp_path)
    with pytest.raises(RefusedError, match=f"nothing was changed: .*{complaint}"):
        certs(plan_in(tmp_path), renew=True)
    assert before == contents(tmp_path)


def test_a_key_of_a_curve_that_is_not_known_is_refused(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    (tmp_path / "pki/ca-key.pem").write_text(SECP224K1)
    with pytest.raises(RefusedError, match=r"ca-key\.pem is neither an EC nor an RSA key"):
        certs(plan_in(tmp_path), renew=True)


@pytest.mark.parametrize("file", ["ca.pem", "ca-key.pem", "server1.pem", "server1-key.pem"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_has_no_end_is_no_file_to_renew_from(tmp_path: Path, file: str, kind: str) -> None:
    certs(plan_in(tmp_path))
    path = tmp_path / "pki" / file
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    before = contents(tmp_path)
    with pytest.raises(RefusedError, match=rf"nothing was changed: .*{file}: .*it is not a plain file"):
        certs(plan_in(tmp_path), renew=True)
    assert before == contents(tmp_path)


def test_a_ca_among_others_is_found_by_its_key(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    ca = tmp_path / "pki/ca.pem"
    other = issue_ca(named("the next CA"), Terms("ec", 10, NOW))
    writing.write([writing.File(ca, other.certificate_pem + ca.read_bytes(), writing.PUBLIC)], replace=True)
    reported = certs(plan_in(tmp_path), renew=True)
    assert reported.startswith("three-members CA (certificate authority)\n")
    assert "O=three-members, CN=three-members CA" == field(tmp_path / "pki/server1.pem", "issuer")


def test_hosts_that_share_their_files_share_a_certificate(tmp_path: Path) -> None:
    text = PLAN.replace("{name}.pem", "all.pem").replace("{name}-key.pem", "all.key")
    reported = certs(plan_in(tmp_path, text.replace(", key: pki/private/proxy.key", "")))
    names = extension(tmp_path / "pki/all.pem", "Subject Alternative Name")
    for name in ("DNS:server1", "DNS:proxy1", "IP Address:198.18.0.101", "IP Address:198.18.0.111"):
        assert name in names
    assert 1 == names.count("127.0.0.1")
    assert "three-members (shared by server1, server2, server3, proxy1)" in reported


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("pki/{name}.pem", "pki/all.pem", r"pki/all.pem would be the certificate of server1 \(member\) and"),
        ("pki/client.pem", "pki/../pki/ca.pem", "pki/ca.pem would be the CA's certificate and the cert"),
        ("pki/client-key.pem", "pki/ca-key.pem", "pki/ca-key.pem would be the CA's key and the key of orch"),
    ],
)
def test_two_things_in_one_file_are_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(RefusedError, match=rf"(?s)nothing was made; .*{complaint}"):
        certs(plan_in(tmp_path, PLAN.replace(old, new)))
    assert {} == contents(tmp_path)


def test_a_key_and_a_certificate_in_one_file_are_a_fault_of_the_plan(tmp_path: Path) -> None:
    plan = plan_in(tmp_path, PLAN.replace("pki/client-key.pem", "pki/client.pem"))
    with pytest.raises(PlanInvalidError, match=r"would be tls\.client_key and tls\.client_certificate"):
        certs(plan)
    assert {} == contents(tmp_path)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sans": ["10.0.0.5"]}, "--san 10.0.0.5: write it as HOST=NAME, such as server1=10.0.0.5"),
        ({"sans": ["sever1=x"]}, "--san sever1=x: the plan has no host 'sever1', did you mean 'server1'?"),
        ({"sans": ["server1=http://x"]}, "--san server1=http://x: 'http://x' is more than an address"),
        ({"sans": ["server1="]}, "--san server1=: '' is neither an IP address nor a DNS name"),
        (
            {"key_type": "rsa:1024"},
            "unknown key type 'rsa:1024': choose one of ec, rsa:2048, rsa:3072, rsa:4096",
        ),
        ({"days": 0}, "--days 0: write a number of days from 1 to 36500"),
        ({"ca_days": 99999}, "--ca-days 99999: write a number"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_made(
    tmp_path: Path, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        certs(plan_in(tmp_path), **options)  # type: ignore[arg-type]  # each row has its own types
    assert complaint in str(caught.value)
    assert {} == contents(tmp_path)


def test_a_faulty_plan_is_reported_with_its_places(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalidError, match=r"plan.yaml:3:12: members.0.name"):
        certs(plan_in(tmp_path, PLAN.replace("name: server1,", "name: ../x,")))


def test_the_longest_name_of_a_cluster_fits(tmp_path: Path) -> None:
    certs(plan_in(tmp_path, PLAN.replace("three-members", "x" * 63)))
    assert f"O={'x' * 63}, CN={'x' * 61} CA" == field(tmp_path / "pki/ca.pem", "subject")


def test_the_tree_shows_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reported = certs(plan_in(tmp_path), sans=["server1=10.0.0.5"])
    dates = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE", reported)
    assert dates.startswith("""\
three-members CA (certificate authority)
│   certificate  pki/ca.pem
│   key          pki/ca-key.pem, EC P-256
│   expires      DATE UTC
├── server1 (member)
│   certificate  pki/server1.pem
│   key          pki/server1-key.pem, EC P-256
│   names        server1, 198.18.0.101, localhost, 127.0.0.1, ::1, 10.0.0.5
│   usages       serverAuth, clientAuth
│   expires      DATE UTC
├── server2 (member)
""")
    assert dates.endswith(f"""\
├── proxy1 (proxy)
│   certificate  pki/proxy1.pem
│   key          pki/private/proxy.key, EC P-256
│   names        proxy1, 198.18.0.111, localhost, 127.0.0.1, ::1
│   usages       serverAuth, clientAuth
│   expires      DATE UTC
└── orchestrator (client)
    certificate  pki/client.pem
    key          pki/client-key.pem, EC P-256
    usages       clientAuth
    expires      DATE UTC

Keep the CA's key off the hosts: whoever has {tmp_path}/pki/ca-key.pem can make certificates.
Next: {commandline.command("run")} {tmp_path}/plan.yaml --dry-run
""")


def test_what_is_returned_is_what_lies_there(tmp_path: Path) -> None:
    made = making.make(cluster_in(tmp_path), {}, Terms("ec", 10, NOW), 100)
    pem = made.leaves[0].certificate_path.read_bytes()
    assert ["server1", "server2", "server3", "proxy1", "orchestrator"] == [
        str(leaf.certificate.subject.rdns[-1].rfc4514_string()).removeprefix("CN=") for leaf in made.leaves
    ]
    assert public_bytes(made.leaves[0].certificate.public_key())
    assert pem.startswith(b"-----BEGIN CERTIFICATE-----")
