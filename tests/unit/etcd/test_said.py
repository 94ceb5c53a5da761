"""Where a setting is said, by file and line, in each way in which systemd and etcd read it: pure."""

from collections.abc import Mapping

import pytest

from orchestrator.etcd.install import config_file, said
from orchestrator.etcd.install.unit import Unit

UNIT, DROP_IN, FILE, YAML = (
    "/lib/systemd/system/etcd.service",
    "/etc/x.d/50.conf",
    "/etc/default/etcd",
    "/e.yml",
)
PEER = "ETCD_LISTEN_PEER_URLS"
CERTS = "ETCD_PEER_CERT_FILE"


def found(
    fragment: str, drop_in: str = "", files: Mapping[str, str] | None = None, yaml: str = ""
) -> list[tuple[str, str, int, str, str]]:
    read = Unit({"FragmentPath": UNIT}, {DROP_IN: drop_in} if drop_in else {}, files or {}, fragment=fragment)
    return [
        (one.carrier, one.path, one.line, one.name, one.value)
        for one in said.said(read, {YAML: yaml} if yaml else {})
    ]


# fmt: off
CASES = [
    (f"[Service]\nEnvironment={PEER}=a\n", "", {}, [("line", UNIT, 2, PEER, "a")]),
    (f'[Service]\n# x\nEnvironment="A=1" \\\n# no\n  "{PEER}=a b%%"\n', "", {},
     [("line", UNIT, 5, PEER, "a b%")]),
    (f"[Service]\nEnvironment={PEER}=a\n", f"[Service]\nEnvironment=\nEnvironment={PEER}=b\n", {},
     [("line", DROP_IN, 3, PEER, "b")]),
    (f"[Service]\nEnvironment={PEER}=a\n", "", {FILE: f"# x\n\n{PEER}='b'\n"},
     [("line", UNIT, 2, PEER, "a"), ("file", FILE, 3, PEER, "b")]),
    ("[Service]\nExecStart=/usr/bin/etcd \\\n  --name a \\\n  --listen-peer-urls 'b'\n", "", {},
     [("flag", UNIT, 4, PEER, "b")]),
    ("[Service]\nExecStart=/usr/bin/etcd --listen-peer-urls=a\n",
     "[Service]\nExecStart=\nExecStart=/usr/bin/etcd\n", {}, []),
    ("[Service]\nExecStart=/usr/bin/etcd $DAEMON_ARGS\n", "",
     {FILE: 'X=1\nDAEMON_ARGS="--name=a --listen-peer-urls=b"\n'}, [("flag", FILE, 2, PEER, "b")]),
    ("[Service]\nEnvironment=P=c\nExecStart=/usr/bin/etcd --listen-peer-urls=${P}\n", "", {},
     [("flag", UNIT, 3, PEER, "c")]),
    ('[Service]\nExecStart=/bin/sh -c "X=1 /usr/bin/etcd --listen-peer-urls=\\"b\\""\n', "", {},
     [("flag", UNIT, 2, PEER, "b")]),
    ("[Service]\nExecStart=/usr/bin/etcd 'open\n", "", {}, []),
    ("[Service]\nEnvironment='open\n", "", {}, []),
]
# fmt: on


@pytest.mark.parametrize(("fragment", "drop_in", "files", "expected"), CASES)
def test_each_line_that_the_next_start_reads(
    fragment: str, drop_in: str, files: dict[str, str], expected: list[object]
) -> None:
    assert expected == found(fragment, drop_in, files)


def test_a_configuration_file_makes_etcd_ignore_all_else() -> None:
    yaml = "# mine\nlisten-peer-urls: a\npeer-transport-security:\n  # key\n  cert-file: b\n"
    unit = f"[Service]\nEnvironment={PEER}=x\nExecStart=/usr/bin/etcd --config-file {YAML}\n"
    selected = ("flag", UNIT, 3, "ETCD_CONFIG_FILE", YAML)
    assert [selected, ("key", YAML, 2, PEER, "a"), ("key", YAML, 5, CERTS, "b")] == found(unit, yaml=yaml)
    assert [selected] == found(unit)
    assert [selected] == found(unit, yaml="no: [yaml\n")


def test_what_something_else_is_put_into_is_not_plain() -> None:
    unit = f"[Service]\nEnvironment={PEER}=http://%H:2380\n"
    (one,) = said.said(Unit({}, {}, {}, fragment=unit), {})
    assert not one.is_plain


def test_a_configuration_file_without_keys_has_no_lines() -> None:
    with pytest.raises(ValueError, match="holds no keys"):
        config_file.lines("- a\n")
