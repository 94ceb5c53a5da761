"""The certificate lens: the missing name, by name."""

from datetime import UTC, datetime
from pathlib import Path

from unit.pki.pki_plans import certs, plan_in

from orchestrator.report.lens import Holder, Use, report

NOW = datetime.now(UTC)


def lines(folder: Path, *holders: Holder) -> tuple[str, ...]:
    return report(holders, folder / "pki/ca.pem", NOW, folder)


def made(folder: Path, name: str, *uses: Use, unknown: str = "") -> Holder:
    certs(plan_in(folder))
    return Holder(name, "member", folder / f"pki/{name}.pem", uses, unknown)


def test_a_name_that_others_look_for_and_do_not_find_is_named(tmp_path: Path) -> None:
    uses = (Use("198.18.0.101", "peers dial it"), Use("198.18.0.150", "it dials server2 from there"))
    told = lines(tmp_path, made(tmp_path, "server1", *uses))

    assert "    ok       198.18.0.101: peers dial it" in told
    assert "    MISSING  198.18.0.150: it dials server2 from there" in told
    assert "1 name is missing" == told[-1]


def test_chain_names_usages_and_the_last_day_are_shown(tmp_path: Path) -> None:
    told = "\n".join(lines(tmp_path, made(tmp_path, "server3")))

    assert "server3 (member)  pki/server3.pem" in told
    assert "chain    server3 <- " in told
    assert "etcd3.example.com" in told
    assert "usages   serverAuth, clientAuth" in told
    assert "(365 days left)" in told or "(364 days left)" in told
    assert "no name is missing" in told


def test_a_certificate_that_is_not_there_and_a_host_that_does_not_answer_are_said(tmp_path: Path) -> None:
    there = made(tmp_path, "server1", unknown="it is down")
    told = lines(tmp_path, there, Holder("server9", "member", tmp_path / "pki/none.pem"))

    assert "    unknown  it is down" in told
    assert any("cannot be read: No such file" in line or "cannot be read: cannot be" in line for line in told)
    assert "no name is missing, as far as hosts could be asked" == told[-1]


def test_a_leaf_of_another_authority_is_told_from_ours(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = made(other, "server1")
    certs(plan_in(tmp_path))

    assert any("not issued by the plan's CA" in line for line in lines(tmp_path, stranger))
