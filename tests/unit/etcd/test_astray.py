"""What a next start would use otherwise than it has to, with ours in place and without them: pure."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.etcd import install, stages
from orchestrator.etcd.install import next_start
from orchestrator.etcd.install.unit import Unit
from orchestrator.host.operations import Write
from orchestrator.plan.facts import Configuration, Source, Target

FOUND = {
    "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
    "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380",
    "ETCD_ADVERTISE_CLIENT_URLS": "http://198.18.0.101:2379",
}
AT = "/etc/systemd/system/etcd2.service.d"
THEIRS, LATE, FILE, YAML = f"{AT}/20-cloudinit.conf", f"{AT}/50-late.conf", "/etc/default/etcd", "/etc/e.yml"
LINES = "[Service]\n" + "".join(f'Environment="{name}={value}"\n' for name, value in FOUND.items())
FILED = "# theirs\n" + "".join(f'{name}="{value}"\n' for name, value in FOUND.items())
CONFIGURED = "".join(
    f"{name.removeprefix('ETCD_').lower().replace('_', '-')}: {value}\n" for name, value in FOUND.items()
)
IN_LINES = Unit({}, {THEIRS: LINES}, {}, fragment="[Service]\nExecStart=/usr/bin/etcd\n")
IN_FILE = Unit({}, {}, {FILE: FILED}, fragment="[Service]\nExecStart=/usr/bin/etcd\n")
IN_YAML = Unit({}, {}, {}, fragment=f"[Service]\nExecStart=/usr/bin/etcd --config-file={YAML}\n")
CONFIGURATION = Configuration(path=YAML, text=CONFIGURED, mode=0o644, owner="root", group="root")
# fmt: off
LAYOUTS = {
    "lines": (IN_LINES, None),
    "file": (IN_FILE, Source(filed=tuple(FOUND))),
    "key": (IN_YAML, Source(flags=("ETCD_CONFIG_FILE",), configuration=CONFIGURATION,
                            command=f"/usr/bin/etcd --config-file={YAML}")),
}
# fmt: on


def of(folder: Path, layout: str) -> tuple[Target, Unit, dict[str, str]]:
    """A migrated host of that layout: what its unit reads, and its configuration files."""
    one, (read, source) = target(folder, FOUND), LAYOUTS[layout]
    found = one.facts.members[one.name].model_copy(update={"source": source})
    one = replace(one, facts=one.facts.model_copy(update={"members": {**one.facts.members, one.name: found}}))
    return put(one, read, install.of(one).files(*stages.stages_of(one)))


def put(one: Target, read: Unit, ours: tuple[Write, ...]) -> tuple[Target, Unit, dict[str, str]]:
    drop_ins = {file.path: file.text for file in ours if file.path.endswith(".conf")}
    files = {file.path: file.text for file in ours if file.path.endswith(".env")}
    copies = {file.path: file.text for file in ours if file.path.endswith(".yml")}
    read = replace(read, drop_ins={**read.drop_ins, **drop_ins}, files={**read.files, **files})
    return one, read, {YAML: CONFIGURED, **copies}


def said(one: Target, read: Unit, texts: dict[str, str]) -> list[tuple[str, str]]:
    wanted = {**stages.certificates(one), **stages.tls_listeners(one)}
    return [(one.path, one.evidence) for one in next_start.astray(one, read, texts, wanted)]


def late(read: Unit, text: str) -> Unit:
    return replace(read, drop_ins={**read.drop_ins, LATE: text})


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ours_win_whatever_theirs_say(tmp_path: Path, layout: str) -> None:
    one, read, texts = of(tmp_path, layout)
    assert [] == said(one, read, texts)
    assert [] == list(next_start.left_behind(one, read, texts))


def test_a_line_read_behind_ours_is_named_with_what_it_says_and_has_to_say(tmp_path: Path) -> None:
    one, read, texts = of(tmp_path, "lines")
    read = late(read, "[Service]\n# by Ansible\nEnvironment=ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380\n")
    ((path, evidence),) = said(one, read, texts)
    assert LATE == path
    reported = "line 3 says ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380, not https://0.0.0.0:2380"
    assert f"the next start would read {LATE}: {reported}" == evidence


def test_a_line_that_says_the_same_is_no_trouble(tmp_path: Path) -> None:
    one, read, texts = of(tmp_path, "lines")
    same = late(read, "[Service]\nEnvironment=ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380\n")
    assert [] == said(one, same, texts)
    unknown = late(read, "[Service]\nEnvironment=ETCD_LISTEN_PEER_URLS=http://%H:2380\n")
    assert [] == said(one, unknown, texts)


def test_an_empty_line_says_that_nothing_is_set(tmp_path: Path) -> None:
    one, read, texts = of(tmp_path, "lines")
    ((_, evidence),) = said(one, late(read, "[Service]\nEnvironment=ETCD_LISTEN_PEER_URLS=\n"), texts)
    assert "line 2 says ETCD_LISTEN_PEER_URLS=, not https://0.0.0.0:2380" in evidence


def test_without_ours_the_lines_of_theirs_are_named_that_count_then(tmp_path: Path) -> None:
    one, _, texts = of(tmp_path, "file")
    ((path, evidence),) = said(one, IN_FILE, texts)
    assert FILE == path
    assert "line 2 says ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379, not https://0.0.0.0:2379," in evidence
    assert "line 3 says ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380, not https://0.0.0.0:2380" in evidence


def test_a_copy_of_ours_that_says_http_is_named(tmp_path: Path) -> None:
    one, read, texts = of(tmp_path, "key")
    path = "/etc/e.40-tls.yml"
    texts[path] = texts[path].replace("https://0.0.0.0:2380", "http://0.0.0.0:2380")
    assert [path] == [there for there, _ in said(one, read, texts)]
    ours = {there: text for there, text in read.drop_ins.items() if "40-tls" not in there}
    ((selected, _),) = said(one, replace(read, drop_ins=ours), texts)
    assert selected == "/etc/e.30-certs.yml"


def test_a_flag_and_a_variable_of_one_name_are_fatal(tmp_path: Path) -> None:
    one, read, texts = of(tmp_path, "lines")
    flagged = "[Service]\nExecStart=\nExecStart=/usr/bin/etcd --listen-peer-urls=https://0.0.0.0:2380\n"
    ((path, evidence),) = said(one, late(read, flagged), texts)
    assert (LATE, True) == (path, "line 3 gives --listen-peer-urls, and a variable says the same" in evidence)
    old = {one.name: one.member.model_copy(update={"version": "3.3.25"})}
    one = replace(one, facts=one.facts.model_copy(update={"members": {**one.facts.members, **old}}))
    assert [] == said(one, late(read, flagged), texts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_theirs_say_otherwise_than_before_is_named_for_the_way_back(tmp_path: Path, layout: str) -> None:
    one, read, texts = of(tmp_path, layout)
    https = "https://0.0.0.0:2380"
    read = replace(
        read,
        drop_ins={
            path: text.replace(FOUND["ETCD_LISTEN_PEER_URLS"], https) for path, text in read.drop_ins.items()
        },
        files={
            path: text.replace(FOUND["ETCD_LISTEN_PEER_URLS"], https) for path, text in read.files.items()
        },
    )
    texts = {path: text.replace(FOUND["ETCD_LISTEN_PEER_URLS"], https) for path, text in texts.items()}
    (remark,) = next_start.left_behind(one, read, texts)
    assert {"lines": THEIRS, "file": FILE, "key": YAML}[layout] == remark.path
    assert f"says ETCD_LISTEN_PEER_URLS={https}, not http://0.0.0.0:2380" in remark.evidence
    bare = replace(read, drop_ins={THEIRS: read.drop_ins[THEIRS]} if layout == "lines" else {})
    assert [] == list(next_start.left_behind(one, bare, texts))
