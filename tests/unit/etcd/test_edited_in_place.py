"""The operator's own files, edited in place: each form exactly, and what is not edited is named."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cases.edits import EDITED, KEYS, REFUSED, WANTED, Make
from support.targets import target

from orchestrator.etcd.facts.own_files import OnHost
from orchestrator.etcd.install import config_file, edits, in_place
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.operations import EditFile
from orchestrator.plan.facts import MemberFacts, Source, Target


def edited(make: Make, text: str, wanted: Mapping[str, str]) -> str:
    made = edits.made(text, make(text, wanted))
    file, content = EditFile("/f", made, "", ""), text.encode()
    assert content == file.undone.applied(file.applied(content))
    return file.applied(content).decode()


@pytest.mark.parametrize(("make", "text", "expected"), EDITED)
def test_a_file_says_the_new_settings_and_all_else_stays(make: Make, text: str, expected: str) -> None:
    wanted = KEYS if make is config_file.spans else WANTED
    assert expected == edited(make, text, wanted)


@pytest.mark.parametrize(("make", "text", "reason"), REFUSED)
def test_what_cannot_be_edited_exactly_is_not(make: Make, text: str, reason: str) -> None:
    wanted = KEYS if make is config_file.spans else WANTED
    with pytest.raises(ValueError, match=reason):
        edited(make, text, wanted)


PACKAGES, FILE = "/usr/lib/systemd/system/etcd.service", "/etc/default/etcd"
FOUND = {
    "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
    "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380",
    "ETCD_ADVERTISE_CLIENT_URLS": "http://198.18.0.101:2379",
}
LINES = "".join(f"{name}={value}\n" for name, value in FOUND.items()) + "PASSWORD=hunter2\n"


def host(folder: Path) -> Target:
    one = target(folder, FOUND)
    members = dict(one.facts.members)
    members[one.name] = members[one.name].model_copy(update={"source": Source(filed=tuple(FOUND))})
    return replace(one, facts=one.facts.model_copy(update={"members": members}))


def lying(text: str, **other: object) -> OnHost:
    as_usual = OnHost(hashlib.sha256(text.encode()).hexdigest(), 0o640, "root", "etcd", named=(PACKAGES,))
    return replace(as_usual, **other)  # type: ignore[arg-type]


def read(text: str, path: str = FILE) -> Unit:
    unit = f"[Service]\nEnvironmentFile={path}\nExecStart=/usr/bin/etcd\n"
    return Unit({"FragmentPath": PACKAGES.removeprefix("/usr")}, {}, {path: text}, fragment=unit)


def faults(folder: Path, found: OnHost | None, path: str = FILE) -> str:
    there = {path: found} if found else {}
    return "\n".join(in_place.planned(host(folder), read(LINES, path), {}, there)[1])


def test_no_more_of_a_file_is_remembered_than_what_changes(tmp_path: Path) -> None:
    one = host(tmp_path)
    (file,), reasons = in_place.planned(one, read(LINES), {}, {FILE: lying(LINES)})
    assert ((), (FILE, 0o640, "root", "etcd")) == (reasons, (file.path, file.mode, file.owner, file.group))
    found = one.member.model_copy(update={"own_files": (file,)})
    remembered = found.model_dump_json()
    assert "http://0.0.0.0:2379" in remembered
    assert "hunter2" not in remembered
    assert found == MemberFacts.model_validate_json(remembered)
    changed = in_place.edit(file).applied(LINES.encode()).decode()
    alike = replace(
        one, facts=one.facts.model_copy(update={"members": {**one.facts.members, one.name: found}})
    )
    assert LINES == in_place.as_found(alike, read(changed), {})[0].files[FILE]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"link": "/srv/etcd"}, f"is a link to /srv/etcd: .*cp --remove-destination /srv/etcd {FILE}"),
        ({"owner": "etcd"}, rf"is not root's own \(0640 etcd:etcd\): chown root {FILE}"),
        ({"mode": 0o664}, rf"is not root's own \(0664 root:etcd\).*chmod go-w {FILE}"),
        ({"untrusted": "/etc belongs to x"}, r"lies where others than root may write \(/etc belongs to x\)"),
        (
            {"named": (PACKAGES, "/etc/systemd/system/b.service")},
            r"other units too \(/etc/systemd/system/b.service\)",
        ),
        ({"sha256": "0" * 64}, "it cannot be read whole"),
    ],
)
def test_what_speaks_against_editing_a_file_is_named(
    tmp_path: Path, other: dict[str, object], reason: str
) -> None:
    found = faults(tmp_path, lying(LINES, **other))
    assert "leave 'persist' out of the plan" in found
    with pytest.raises(ValueError, match=f"persist in_place: {FILE} .*{reason}"):
        raise ValueError(found)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/usr/lib/etcd/env", "is a package's, and its next update writes it anew: leave 'persist' out"),
        ("/run/etcd.env", "is made anew at each boot"),
        ("/etc/gone", "is not there"),
    ],
)
def test_what_is_nobodys_own_file_is_named(tmp_path: Path, path: str, reason: str) -> None:
    assert f"persist in_place: {path} {reason}" in faults(tmp_path, None, path)


def test_a_packages_unit_is_named_with_how_it_becomes_ones_own(tmp_path: Path) -> None:
    one = target(tmp_path, FOUND)
    lines = "".join(f"Environment={name}={value}\n" for name, value in FOUND.items())
    found = Unit({"FragmentPath": PACKAGES}, {}, {}, fragment=f"[Service]\n{lines}ExecStart=/usr/bin/etcd\n")
    (reason,) = in_place.planned(one, found, {}, {})[1]
    assert f"(cp {PACKAGES} /etc/systemd/system/etcd.service && systemctl daemon-reload)" in reason


@pytest.mark.parametrize("folder", ["etcd@.service.d", "etcd-.service.d", "service.d"])
def test_a_drop_in_of_several_units_is_named(tmp_path: Path, folder: str) -> None:
    one, path = target(tmp_path, FOUND), f"/etc/systemd/system/{folder}/10.conf"
    text = "[Service]\n" + "".join(f"Environment={name}={value}\n" for name, value in FOUND.items())
    found = Unit(
        {"FragmentPath": PACKAGES}, {path: text}, {}, fragment="[Service]\nExecStart=/usr/bin/etcd\n"
    )
    (reason,) = in_place.planned(one, found, {}, {path: lying(text)})[1]
    assert f"{path} is read by other units too" in reason


def test_lines_that_a_later_one_overrides_are_edited_too(tmp_path: Path) -> None:
    text = LINES.replace("http://0.0.0.0:2380", "http://h:2380\nETCD_LISTEN_PEER_URLS=http://i:2380")
    behind = {"/etc/z.env": "ETCD_LISTEN_PEER_URLS=http://z:2380\n"}
    one = read(text)
    one = replace(one, files={**one.files, **behind})
    there = {path: lying(each) for path, each in one.files.items()}
    files, reasons = in_place.planned(host(tmp_path), one, {}, there)
    assert () == reasons
    assert {FILE, "/etc/z.env"} == {file.path for file in files}
    for file in files:
        after = in_place.edit(file).applied(one.files[file.path].encode()).decode()
        assert "http://" not in after.replace("http://127.0.0.1:4001", "")
