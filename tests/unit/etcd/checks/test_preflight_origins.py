"""Where settings come from: whatever would beat ours is named, with its file."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.sites import encoded, judged, make_site, running, unit_reported, verdicts
from support.targets import target

from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.facts import process
from orchestrator.etcd.install.unit import SCRIPT, variables_of_drop_in, variables_of_file
from orchestrator.host.questions import Answer
from orchestrator.plan.facts import Configuration, Source

AT = "/etc/systemd/system/etcd2.service.d"
URLS = "http://0.0.0.0:2379"


ORIGINS = [
    (
        running(),
        unit_reported(
            drop_in=f"/run/x.d/20-cloudinit.conf=[Service]\nEnvironment=ETCD_LISTEN_CLIENT_URLS={URLS}"
        ),
        ["pass"],
        "20-cloudinit.conf",
    ),
    (
        running({"ETCD_LOG_LEVEL": "debug"}),
        unit_reported(file="/etc/default/etcd=# ETCD_LISTEN_CLIENT_URLS=x\nETCD_LOG_LEVEL=debug"),
        ["pass"],
        "etcd",
    ),
    (
        running({"ETCD_LISTEN_CLIENT_URLS": URLS}),
        unit_reported(file=f"/etc/default/etcd=ETCD_LISTEN_CLIENT_URLS={URLS}"),
        ["fail"],
        "/etc/default/etcd sets ETCD_LISTEN",
    ),
    (
        running({"ETCD_CONFIG_FILE": "/e"}),
        unit_reported(file="/etc/default/etcd=ETCD_CONFIG_FILE=/e"),
        ["fail", "fail"],
        "configuration file",
    ),
    (
        Answer(0, "LoadState=loaded\nActiveState=inactive\nSubState=dead\nMainPID=0\n"),
        unit_reported(file="/etc/default/etcd=ETCD_CONFIG_FILE=/e"),
        ["fail", "warn"],
        "ETCD_CONFIG_FILE",
    ),
    (
        running(),
        unit_reported(drop_in=f"{AT}/50-late.conf=[Service]\nEnvironment=ETCD_PEER_CERT_FILE=/x"),
        ["fail"],
        "50-late.conf is read after our 30-certs.conf",
    ),
    (
        running(),
        unit_reported(drop_in=f"{AT}/27-mid.conf=[Service]\nEnvironment=ETCD_PEER_CERT_FILE=/x"),
        ["pass"],
        "27-mid.conf",
    ),
    (
        running(),
        unit_reported(drop_in=f"{AT}/27-mid.conf=[Service]\nEnvironment=ETCD_LISTEN_CLIENT_URLS=/x"),
        ["fail"],
        "27-mid.conf is read after our 25-",
    ),
    (
        running(),
        unit_reported(drop_in=f"{AT}/99-reset.conf=[Service]\nEnvironment=\n"),
        ["fail"],
        "99-reset.conf",
    ),
    (
        running(),
        unit_reported(drop_in="/run/systemd/system/etcd.service.d/40-tls.conf=[Service]"),
        ["fail"],
        "has the name of our",
    ),
    (running(), unit_reported("UnsetEnvironment=ETCD_PEER_CERT_FILE"), ["fail"], "UnsetEnvironment="),
    (running({}, "--name=a", "--debug"), unit_reported(), ["fail"], "flags"),
    (running({}, "-name=a", "--debug"), unit_reported(), ["fail"], "is fatal): --name, --debug"),
    (running({}, "--config-file=/e"), unit_reported(), ["fail"], "configuration file"),
    (running({}, "--config-file", "/e"), unit_reported(), ["fail"], "configuration file"),
    (
        running({"ETCD_CONFIG_FILE": ""}),
        unit_reported("Environment=ETCD_CONFIG_FILE="),
        ["pass"],
        "1 variables",
    ),
    (
        running({"ETCD_CONFIG_FILE": "/e"}),
        unit_reported("Environment=ETCD_CONFIG_FILE=/e"),
        ["fail"],
        "configuration file",
    ),
    (
        running({"ETCD_NAME": "a"}),
        unit_reported('Environment=ETCD_NAME=b "DAEMON_ARGS="'),
        ["fail"],
        "does not run with what the unit's files say of ETCD_NAME",
    ),
    (
        running({"ETCD_NAME": "a"}),
        unit_reported("Environment=ETCD_NAME=a ETCD_DISCOVERY=https://d/1"),
        ["fail"],
        "of ETCD_DISCOVERY",
    ),
    (
        running({"ETCD_NAME": "a"}),
        unit_reported("Environment=ETCD_NAME=b", file="/etc/default/etcd=ETCD_NAME='a' \n"),
        ["pass"],
        "1 variables, from etcd",
    ),
    (
        running({"ETCD_NAME": "b"}),
        unit_reported("Environment=ETCD_NAME=b", file="/etc/default/etcd=ETCD_NAME=a\n"),
        ["fail"],
        "of ETCD_NAME",
    ),
    (
        running({"ETCD_NAME": "a", "ETCD_DATA_DIR": "/d", "ETCD_DEBUG": ""}),
        unit_reported("Environment=ETCD_NAME=a"),
        ["fail"],
        "the process has ETCD_DATA_DIR, which no line and no file of the unit sets",
    ),
    (
        running({"ETCD_NAME": "a", "ETCD_DATA_DIR": "/d"}),
        unit_reported("Environment=ETCD_NAME=a\nPassEnvironment=FOO ETCD_DATA_DIR"),
        ["pass"],
        "2 variables",
    ),
    (
        running({"ETCD_NAME": "a", "ETCD_DATA_DIR": "/d"}),
        unit_reported("Environment=ETCD_NAME=a\nmanager= ETCD_DATA_DIR"),
        ["pass"],
        "2 variables",
    ),
    (
        running({"ETCD_A": "a"}),
        unit_reported("Environment=ETCD_A=a ETCD_B=b\nUnsetEnvironment=ETCD_B"),
        ["pass"],
        "1",
    ),
    (
        running({"ETCD_A": "a"}),
        unit_reported("Environment=ETCD_A=a\nUnsetEnvironment=ETCD_A=b"),
        ["pass"],
        "1",
    ),
    (
        running({"ETCD_A": "a"}),
        unit_reported("Environment=ETCD_A=a\nUnsetEnvironment=ETCD_A"),
        ["fail"],
        "has ETCD_A",
    ),
    (
        running(),
        unit_reported("missing= /etc/my etcd.env"),
        ["fail"],
        "EnvironmentFile=/etc/my etcd.env is not there, so the unit's next start fails",
    ),
    (running({"ETCD_NAME": "a b"}), unit_reported('Environment="ETCD_NAME=a b"'), ["pass"], "variables"),
]


@pytest.mark.parametrize(("process_reported", "unit_answer", "expected", "evidence"), ORIGINS)
def test_origins(
    tmp_path: Path, process_reported: Answer, unit_answer: Answer, expected: list[str], evidence: str
) -> None:
    site = make_site(tmp_path)
    found = judged("origin", site, {process.SCRIPT: process_reported, SCRIPT: unit_answer})
    assert expected == verdicts(found)
    assert evidence in found[0].evidence


def test_a_local_port_that_is_there_already_needs_no_early_drop_in(tmp_path: Path) -> None:
    opened = {"ETCD_LISTEN_CLIENT_URLS": f"{URLS},http://127.0.0.1:4001"}
    site = replace(make_site(tmp_path), facts=target(tmp_path, opened).facts)
    drop_in = unit_reported(
        f"Environment=ETCD_LISTEN_CLIENT_URLS={opened['ETCD_LISTEN_CLIENT_URLS']}",
        drop_in=f"{AT}/27-mid.conf=[Service]\nEnvironment=ETCD_LISTEN_CLIENT_URLS=/x",
    )
    assert ["pass"] == verdicts(judged("origin", site, {process.SCRIPT: running(opened), SCRIPT: drop_in}))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{AT}/50-late.conf", f"mv -n {AT}/50-late.conf {AT}/20-late.conf; systemctl daemon-reload"),
        (f"{AT}/zz my.conf", f"mv -n '{AT}/zz my.conf' '{AT}/20-zz my.conf'; systemctl daemon-reload"),
        ("/run/x.d/40-tls.conf", "mv -n /run/x.d/40-tls.conf /run/x.d/20-tls.conf; systemctl daemon-reload"),
    ],
)
def test_a_drop_in_that_would_beat_ours_is_moved_before_them_by_the_printed_fix(
    tmp_path: Path, path: str, expected: str
) -> None:
    drop_in = unit_reported(drop_in=f"{path}=[Service]\nEnvironment=ETCD_LISTEN_PEER_URLS=/x")
    (one,) = judged("origin", make_site(tmp_path), {process.SCRIPT: running(), SCRIPT: drop_in})
    assert expected == one.fix


PAIR = {"ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380"}
TLS = {"ETCD_LISTEN_PEER_URLS": "https://0.0.0.0:2380"}


@pytest.mark.parametrize(
    ("now", "in_unit", "expected"),
    [
        (
            PAIR,
            "ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380",
            ["pass"],
        ),  # ours lies there, the restart is to come
        (TLS, "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380", ["pass"]),  # ours was taken away again
        (TLS, "ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380", ["pass"]),
        (TLS, "ETCD_LISTEN_PEER_URLS=http://0.0.0.0:9", ["fail"]),
    ],
)
def test_on_a_resume_what_we_are_just_changing_is_no_surprise(
    tmp_path: Path, now: dict[str, str], in_unit: str, expected: list[str]
) -> None:
    site = replace(make_site(tmp_path), facts=target(tmp_path, PAIR).facts)
    lies = {"drop_in": f"{AT}/40-tls.conf=[Service]\nEnvironment={in_unit}\n"} if "https" in in_unit else {}
    answers = {process.SCRIPT: running(now), SCRIPT: unit_reported(f"Environment={in_unit}", **lies)}
    assert expected == verdicts(judged("origin", site, answers))


def test_variables_are_read_as_systemd_reads_them() -> None:
    text = (
        '[Service]\n Environment = "ETCD_A=1 2" ETCD_B=3 \\\n  ETCD_C=4\nEnvironment="X=1"\n#Environment=D=1'
    )
    assert {"ETCD_A", "ETCD_B", "ETCD_C"} == variables_of_drop_in(text)
    assert {"*"} == variables_of_drop_in("[Service]\nEnvironment=\n")
    assert frozenset() == variables_of_drop_in("[Unit]\nEnvironment=ETCD_A=1\n")
    assert {"ETCD_A", "ETCD_B"} == variables_of_drop_in(
        "[Service]\nEnvironment=ETCD_A=1 \\\n# ETCD_C=1 \\\nETCD_B=2 \\\n\n ETCD_D=3"
    )
    assert {"ETCD_A"} == variables_of_file(" ETCD_A = 1\n# ETCD_B=1\n;ETCD_C=2\nX=1")


COMMAND = "/usr/bin/etcd --name=a --listen-peer-urls=http://0.0.0.0:2380"
FLAGGED = Source(flags=("ETCD_LISTEN_PEER_URLS", "ETCD_NAME"), command=COMMAND)
THEIRS = f"fragment={encoded(f'[Service]{chr(10)}ExecStart={COMMAND}')} /u"


def under_way(folder: Path, source: Source, unit_answer: Answer, *now: str, **variables: str) -> list[str]:
    """Verdicts of a member whose facts were gathered before, with the source of its settings."""
    one = target(folder, PAIR)
    members = {one.name: one.member.model_copy(update={"source": source})}
    site = replace(make_site(folder), facts=one.facts.model_copy(update={"members": members}))
    reported = running(variables, *now)
    if source.configuration:
        theirs = source.configuration
        more = f"configuration={variables.get('ETCD_CONFIG_FILE')}\nconfigured={encoded(theirs.text)}"
        reported = Answer(0, f"{reported.stdout}\n{more}\nconfigured_as=644 root root 9")
    return verdicts(judged("origin", site, {process.SCRIPT: reported, SCRIPT: unit_answer}))


@pytest.mark.parametrize(
    ("now", "ours", "expected"),
    [
        ("http", False, ["pass"]),
        ("http", True, ["pass"]),  # ours lies there, the restart is to come
        ("https", True, ["pass"]),
        ("https", False, ["pass"]),  # ours was taken away again
    ],
)
def test_on_a_resume_a_command_that_we_are_just_changing_is_no_surprise(
    tmp_path: Path, now: str, expected: list[str], *, ours: bool
) -> None:
    mine = f"drop_in={encoded('[Service]' + chr(10) + 'ExecStart=' + chr(10) + 'ExecStart=/usr/bin/etcd')}"
    reported = Answer(0, "\n".join([THEIRS, *([f"{mine} {AT}/40-tls.conf"] if ours else [])]))
    words = ("--name=a", f"--listen-peer-urls={now}://0.0.0.0:2380")
    assert expected == under_way(tmp_path, FLAGGED, reported, *words)


def test_a_command_that_somebody_changed_is_named(tmp_path: Path) -> None:
    reported = Answer(0, f"fragment={encoded(f'[Service]{chr(10)}ExecStart={COMMAND} --debug')} /u")
    other = FLAGGED.model_copy(update={"command": f"{COMMAND} --debug"})
    assert ["fail"] == under_way(tmp_path, other, reported, *COMMAND.split()[1:])


@pytest.mark.parametrize("now", ["/e.yml", "/e.40-tls.yml"])
@pytest.mark.parametrize("then", ["/e.yml", "/e.40-tls.yml"])
def test_on_a_resume_a_copy_that_we_are_just_selecting_is_no_surprise(
    tmp_path: Path, now: str, then: str
) -> None:
    text = "listen-peer-urls: http://0.0.0.0:2380\n"
    theirs = Configuration(path="/e.yml", text=text, mode=0o644, owner="root", group="root")
    lies = (
        {"drop_in": f"{AT}/40-tls.conf=[Service]\nEnvironment=ETCD_CONFIG_FILE={then}\n"}
        if "40" in then
        else {}
    )
    reported = unit_reported(f"Environment=ETCD_CONFIG_FILE={then}", **lies)
    assert ["pass"] == under_way(tmp_path, Source(configuration=theirs), reported, ETCD_CONFIG_FILE=now)
    late = unit_reported("Environment=ETCD_CONFIG_FILE=/another.yml")
    assert ["fail"] == under_way(tmp_path, Source(configuration=theirs), late, ETCD_CONFIG_FILE=now)


def fresh(folder: Path) -> Site:
    """A site before its first change, when the source of its settings is seen by what runs."""
    site = make_site(folder)
    return replace(site, facts=site.facts.model_copy(update={"cluster_id": ""}))


def reread(path: str, *lines: str) -> str:
    text = "\n".join(("[Service]", *lines))
    return f"drop_in={encoded(text)} {path}"


RESET = ("ExecStart=", f"ExecStart={COMMAND}")
CONFIGURED = "listen-peer-urls: http://0.0.0.0:2380\n"
SELECTED = "Environment=ETCD_CONFIG_FILE=/etc/etcd.conf"
BY_FLAG = "/usr/bin/etcd --config-file=/etc/etcd.conf"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20-theirs.conf", None),
        ("25-insecure_localhost.conf.conf", "25-insecure_localhost.conf"),
        ("35-between.conf", "25-insecure_localhost.conf"),
        ("50-late.conf", "25-insecure_localhost.conf"),
    ],
)
def test_a_command_that_would_be_read_behind_one_of_ours_is_named(
    tmp_path: Path, name: str, expected: str | None
) -> None:
    reported = Answer(0, "\n".join([THEIRS, reread(f"{AT}/{name}", *RESET)]))
    now = {process.SCRIPT: running({}, *COMMAND.split()[1:]), SCRIPT: reported}
    (found,) = judged("origin", fresh(tmp_path), now)
    assert (expected is None) == (found.verdict == "pass")
    assert expected is None or f"{name} is read after our {expected} and sets ExecStart=" in found.evidence


@pytest.mark.parametrize(
    ("name", "lines", "words", "expected"),
    [
        ("20-theirs.conf", (SELECTED,), "/usr/bin/etcd", None),
        ("27-mid.conf", (SELECTED,), "/usr/bin/etcd", "25-insecure_localhost.conf and sets ETCD_CONFIG_FILE"),
        ("zz.conf", (SELECTED,), "/usr/bin/etcd", "25-insecure_localhost.conf and sets ETCD_CONFIG_FILE"),
        ("20-theirs.conf", ("ExecStart=", f"ExecStart={BY_FLAG}"), BY_FLAG, None),
        (
            "27-mid.conf",
            ("ExecStart=", f"ExecStart={BY_FLAG}"),
            BY_FLAG,
            "localhost.conf and sets ExecStart=",
        ),
        ("etcd.conf.50.conf", ("ExecStart=", f"ExecStart={BY_FLAG}"), BY_FLAG, "sets ExecStart="),
    ],
)
def test_whatever_would_select_another_configuration_file_than_our_copy_is_named(
    tmp_path: Path, name: str, lines: tuple[str, ...], words: str, expected: str | None
) -> None:
    variables = {} if "--" in words else {"ETCD_CONFIG_FILE": "/etc/etcd.conf"}
    properties = () if "--" in words else (SELECTED,)
    more = f"configuration=/etc/etcd.conf\nconfigured={encoded(CONFIGURED)}\nconfigured_as=644 root root 9"
    plain = f"fragment={encoded('[Service]' + chr(10) + 'ExecStart=/usr/bin/etcd')} /u"
    now = {
        process.SCRIPT: Answer(0, f"{running(variables, *words.split()[1:]).stdout}\n{more}"),
        SCRIPT: Answer(0, "\n".join([*properties, plain, reread(f"{AT}/{name}", *lines)])),
    }
    found = judged("origin", fresh(tmp_path), now)
    assert ["pass" if expected is None else "fail"] == verdicts(found)
    assert expected is None or expected in found[0].evidence
