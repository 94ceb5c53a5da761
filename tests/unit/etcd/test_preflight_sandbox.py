"""The unit's sandbox: what it hides from etcd is refused by the name of the line, what it shows is taken."""

import os
import subprocess
from pathlib import Path

import pytest
from support.sites import judged, make_site, verdicts

from orchestrator.etcd.checks.sandbox import hider
from orchestrator.etcd.facts.sandbox import SCRIPT
from orchestrator.etcd.install import unit
from orchestrator.host.questions import Answer

HIDERS = [
    ("", "/etc/etcd2", None),
    ("ProtectHome=no\nPrivateTmp=no\nRootDirectory=\nInaccessiblePaths=", "/home/core/.ssl/certs", None),
    ("ProtectHome=yes", "/etc/etcd2", None),
    ("ProtectHome=yes", "/home/core/.ssl/certs", "ProtectHome=yes"),
    ("ProtectHome=yes", "/root/certs", "ProtectHome=yes"),
    ("ProtectHome=yes", "/rooted/certs", None),
    ("ProtectHome=tmpfs", "/home/core/.ssl/certs", "ProtectHome=tmpfs"),
    ("ProtectHome=read-only", "/home/core/.ssl/certs", None),
    ("ProtectSystem=strict", "/etc/etcd2", None),
    ("InaccessiblePaths=/srv -/etc/etcd2", "/etc/etcd2", "InaccessiblePaths=-/etc/etcd2"),
    ("InaccessiblePaths=/etc/etcd", "/etc/etcd2", None),
    ("InaccessiblePaths=/etc/", "/etc/etcd2", "InaccessiblePaths=/etc/"),
    ('InaccessiblePaths="+/etc/my certs"', "/etc/my certs", "InaccessiblePaths=+/etc/my certs"),
    ("TemporaryFileSystem=/etc:ro", "/etc/etcd2", "TemporaryFileSystem=/etc:ro"),
    ("TemporaryFileSystem=/", "/etc/etcd2", "TemporaryFileSystem=/"),
    ("TemporaryFileSystem=/etc\nBindReadOnlyPaths=/etc/etcd2:/etc/etcd2:rbind", "/etc/etcd2", None),
    ("ProtectHome=tmpfs\nBindPaths=-/home/core:/home/core:rbind", "/home/core/.ssl/certs", None),
    ("BindPaths=/srv/a:/etc/etcd2:rbind", "/etc/etcd2", "BindPaths=/srv/a:/etc/etcd2:rbind"),
    ("PrivateTmp=yes", "/var/tmp/certs", "PrivateTmp=yes"),  # noqa: S108 -- nothing is written there
    ("RootDirectory=/srv/root", "/etc/etcd2", "RootDirectory=/srv/root"),
    ("RootImage=/srv/root.raw", "/etc/etcd2", "RootImage=/srv/root.raw"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "directory", "expected"), HIDERS)
def test_what_a_unit_hides_is_read_from_its_lines(
    properties: str, directory: str, expected: str | None
) -> None:
    reported = dict(line.split("=", 1) for line in properties.splitlines())
    assert expected == hider(reported, directory)


@pytest.mark.parametrize(
    ("properties", "reported", "expected", "evidence"),
    [
        ("", "same /etc/etcd2", ["pass"], "etcd sees /etc/etcd2"),
        ("", "unknown /etc/etcd2", ["pass"], "etcd sees"),
        ("", "other /etc/etcd2", ["fail"], "does not see this host's /etc/etcd2"),
        ("InaccessiblePaths=/etc/etcd2", "same /etc/etcd2", ["fail"], "InaccessiblePaths=/etc/etcd2 hides"),
        ("InaccessiblePaths=/etc/etcd2/ca.pem", "same /etc/etcd2", ["fail"], "hides /etc/etcd2 from etcd"),
        ("InaccessiblePaths=-/etc/etcd2/x.pem", "same /etc/etcd2", ["pass"], "etcd sees"),
        ("ProtectHome=yes", "other /home/core/certs", ["fail"], "ProtectHome=yes hides"),  # by a link
        ("", "", ["fail"], "cannot tell"),
        ("", "same", ["fail"], "cannot tell"),
    ],
)
def test_sandboxes(
    tmp_path: Path, properties: str, reported: str, expected: list[str], evidence: str
) -> None:
    found = judged(
        "sandbox", make_site(tmp_path), {unit.SCRIPT: Answer(0, properties), SCRIPT: Answer(0, reported)}
    )
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


def test_the_fix_names_a_directory_that_the_unit_shows(tmp_path: Path) -> None:
    def fix(line: str) -> str:
        answers = {unit.SCRIPT: Answer(0, line), SCRIPT: Answer(0, "same /etc/etcd2")}
        return judged("sandbox", make_site(tmp_path), answers)[0].fix

    assert "tls.directory: /etc/ssl/etcd;" in fix("InaccessiblePaths=/etc/etcd2")
    assert "tls.directory: /var/lib/etcd-certificates;" in fix("TemporaryFileSystem=/etc")
    assert "tls.directory" not in fix("RootDirectory=/srv/root")


def test_the_process_itself_is_asked(tmp_path: Path) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho {os.getpid()}\n")
    systemctl.chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "there").mkdir()

    def reported(path: Path) -> str:
        return subprocess.run(
            ["sh", "-c", SCRIPT, "check", "etcd2", str(path)],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert f"same {tmp_path}/there/missing\n" == reported(tmp_path / "link" / "missing")
    assert f"same {tmp_path}/there\n" == reported(tmp_path / "there")
