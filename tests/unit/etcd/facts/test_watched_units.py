"""Every service of a host is listed only where a unit is missing: that takes systemd more than a second."""

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.etcd.facts import watched

SYSTEMCTL = """#!/bin/sh
case "$*" in
*--property=LoadState*missing.service) printf 'LoadState=not-found\\nActiveState=inactive\\n' ;;
*--property=LoadState*) printf 'LoadState=loaded\\nActiveState=active\\n' ;;
list-unit-files*) echo 'patroni.service enabled enabled' ;;
esac
"""
JOURNALCTL = "#!/bin/sh\n"


@pytest.mark.parametrize(
    ("units", "known"),
    [
        ((), []),
        (("patroni",), []),
        (("missing",), ["known patroni"]),
        (("patroni", "missing"), ["known patroni"]),
        (("missing", "patroni"), ["known patroni"]),
    ],
)
def test_services_are_listed_only_if_a_unit_is_missing(
    tmp_path: Path, units: tuple[str, ...], known: list[str]
) -> None:
    for name, text in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    found = subprocess.run(
        ["sh", "-c", watched.UNITS, "ask", "10", *units],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert known == [line for line in found.stdout.splitlines() if line.startswith("known ")]
    assert len(units) == found.stdout.count("unit ")
