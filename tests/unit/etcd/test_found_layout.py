"""A host's layout, made of what it was asked."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.commands import as_found
from orchestrator.errors import RefusedError
from orchestrator.etcd.facts.layout import Around, Lying
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install import found
from orchestrator.etcd.install.found import Read
from orchestrator.etcd.install.unit import Unit
from orchestrator.plan.layout import Account, Folder, Program

FRAGMENT = "/lib/systemd/system/etcd.service"
DROP_IN = "/run/systemd/system/etcd.service.d/10-ours.conf"
TEXT = """[Service]
User=etcd
ReadWritePaths=-/data /srv/logs
ExecStartPre=-/usr/local/bin/wait-for-disk /data
ExecStart=/usr/local/bin/etcd --listen-client-urls=http://etcd1.example.org:2379
"""
ETCD = Program("/opt/etcd/etcd", "a" * 64)
SCRIPT = "/usr/local/bin/wait-for-disk"
ROOTS = Lying(0o644, "root", "root", 100)


def read(folder: Path, **settings: str) -> Read:
    environment = {"ETCD_NAME": "one", "ETCD_DATA_DIR": "data/etcd", **settings}
    running = Process(
        *("etcd.service", True, "active", 30, "etcd", "etcd", environment, ETCD.path, (ETCD.path,)),
        *(0, 100.0, ()),
    )
    files = {"/etc/etcd.env": "HTTPS_PROXY=http://u:secret@proxy:3128\n"}
    unit = Unit(
        {"FragmentPath": FRAGMENT},
        {DROP_IN: "[Service]\nEnvironment=ETCD_NAME=one\n"},
        files,
        (),
        frozenset(),
        TEXT,
    )
    return Read(target(folder, {}), running, unit)


AROUND = Around(
    unit="etcd.service",
    names=("etcd2.service", "etcd.service"),
    fragment=FRAGMENT,
    cwd="/srv",
    etcd=ETCD.path,
    programs=(ETCD,),
    links={"/usr/local/bin/etcd": ETCD.path, FRAGMENT: f"/usr{FRAGMENT}"},
    files={
        f"/usr{FRAGMENT}": ROOTS,
        DROP_IN: ROOTS,
        "/etc/etcd.env": Lying(0o640, "root", "etcd", 40),
        SCRIPT: Lying(0o755, "root", "root", 60),
        ETCD.path: Lying(0o755, "root", "root", 23_000_000),
    },
    folders=(Folder("/data", 0o700, "etcd", "etcd"),),
    resolved={},
    addresses=("198.18.0.101",),
    machine="x86_64",
)


def test_everything_that_a_start_needs_is_looked_at(tmp_path: Path) -> None:
    one = read(tmp_path, ETCD_ADVERTISE_CLIENT_URLS="http://10.0.0.1:2379,http://localhost:2379")
    places = {"/data", "/srv/logs", SCRIPT, "/usr/local/bin/etcd"}
    assert {FRAGMENT, DROP_IN, "/etc/etcd.env", *places} == set(one.paths)
    assert {"10.0.0.1", "198.18.0.101"} == one.hostnames
    assert (SCRIPT,) == found.small_files(one, AROUND)


@pytest.mark.parametrize("kind", ["jwt,pub-key=/etc/etcd/jwt.pub,priv-key=/etc/etcd/jwt.key", "simple"])
def test_an_etcd_that_signs_tokens_with_a_key_is_not_rehearsed(tmp_path: Path, kind: str) -> None:
    reads = [read(tmp_path), read(tmp_path, **{as_found.TOKENS: kind})]
    if kind == "simple":
        as_found.refuse_keys(reads)
        return
    with pytest.raises(RefusedError, match=r"server1: etcd signs its tokens .* cannot be rehearsed"):
        as_found.refuse_keys(reads)


def test_a_layout_has_texts_without_secrets_programs_links_and_folders(tmp_path: Path) -> None:
    made = found.layout(read(tmp_path), AROUND, {SCRIPT: "#!/bin/sh\n"}, ("198.18.0.101",))
    layout = made.layout
    files = {file.path: (file.text, file.mode, file.group) for file in layout.files}
    assert (TEXT, 0o644, "root") == files[FRAGMENT]
    assert ("HTTPS_PROXY=http://u:replaced@proxy:3128\n", 0o640, "etcd") == files["/etc/etcd.env"]
    assert ("#!/bin/sh\n", 0o755, "root") == files[SCRIPT]
    assert {FRAGMENT, DROP_IN, "/etc/etcd.env", SCRIPT} == set(files)
    assert ("etcd.service", ("etcd2.service",), FRAGMENT) == (layout.unit, layout.aliases, layout.fragment)
    assert {"/usr/local/bin/etcd": ETCD.path} == layout.links
    assert ("/srv/data/etcd", Account("etcd", "etcd"), ()) == (layout.data, layout.account, layout.needs)
    assert Folder("/srv/data/etcd", 0o700, "etcd", "etcd") in layout.folders
    assert ("/etc/etcd.env: the password in a URL; the lab has 'replaced' there",) == made.left_out


def test_programs_of_others_are_needed_and_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    one = read(tmp_path, ETCD_CERT_FILE="/etc/etcd/old.pem", ETCD_WAL_DIR="/wal")
    managed = replace(one, unit=replace(one.unit, manager=frozenset({"ETCD_DEBUG"})))
    made = found.layout(managed, replace(AROUND, programs=()), {}, ())
    assert {SCRIPT, "/usr/local/bin/etcd"} == set(made.layout.needs)
    assert "/wal" == made.layout.wal
    expected = (
        "variables of systemd's manager: ETCD_DEBUG",
        "/etc/etcd/old.pem (ETCD_CERT_FILE)",
        f"{ETCD.path}, which runs and is not there any more",
    )
    assert expected == made.left_out[1:]


@pytest.mark.parametrize("lying", [None, Lying(0o644, "root", "root", 65537)])
def test_a_text_that_cannot_be_read_whole_is_refused(tmp_path: Path, lying: Lying | None) -> None:
    files = {path: each for path, each in {**AROUND.files, DROP_IN: lying}.items() if each}
    with pytest.raises(ValueError, match=r"10-ours\.conf is gone, or larger than 65536 bytes"):
        found.layout(read(tmp_path), replace(AROUND, files=files), {}, ())
