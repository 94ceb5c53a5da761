"""Where a host's settings are, and what is written there: pure, each source by itself and mixed."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from support.sites import encoded
from support.systemd import of_file
from support.targets import target

from orchestrator.etcd import effective, install, stages
from orchestrator.etcd.facts import process
from orchestrator.etcd.install import command, config_file, detecting, environment_file, flags, unit
from orchestrator.host.operations import MakeDirectory, Remove, Write
from orchestrator.host.questions import Answer
from orchestrator.plan.facts import Configuration, MemberFacts, Source, Target

AT = "/etc/systemd/system/etcd2.service.d"
FOUND = {
    "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
    "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380",
    "ETCD_ADVERTISE_CLIENT_URLS": "http://198.18.0.101:2379",
}
YAML = """# by hand
name: server1
listen-client-urls: "http://0.0.0.0:2379"   # everybody
listen-peer-urls: http://0.0.0.0:2380
advertise-client-urls: http://198.18.0.101:2379

peer-transport-security:
  # nothing yet
  auto-tls: false
log-outputs: [stderr]
"""


def of(folder: Path, source: Source | None) -> Target:
    one = target(folder, FOUND)
    members = dict(one.facts.members)
    members[one.name] = members[one.name].model_copy(update={"source": source})
    return replace(one, facts=one.facts.model_copy(update={"members": members}))


def lines(one: Target, stage: stages.Stage) -> list[str]:
    return install.of(one).files(stage)[-1].text.splitlines()


# fmt: off
RESTATED = [
    ("/usr/bin/etcd", {"ETCD_NAME": "a"}, "/usr/bin/etcd --name=a"),
    ("/usr/bin/etcd --name x  -debug", {"ETCD_NAME": "a"}, "/usr/bin/etcd --name a  -debug"),
    ("/usr/bin/etcd -name=x $ARGS", {"ETCD_NAME": "a b"}, '/usr/bin/etcd "-name=a b" $ARGS'),
    ("/usr/bin/etcd '--name=x' \\\n  \"--data-dir\" \"/d d\"", {"ETCD_NAME": "a", "ETCD_DATA_DIR": "/e"},
     '/usr/bin/etcd --name=a \\\n  "--data-dir" /e'),
    ("/usr/bin/etcd --name=x --name=y", {"ETCD_NAME": "a"}, "/usr/bin/etcd --name=x --name=a"),
    ("/usr/bin/etcd --client-cert-auth --name x", {"ETCD_CLIENT_CERT_AUTH": "true"},
     "/usr/bin/etcd --client-cert-auth=true --name x"),
    ("/usr/bin/etcd --client-cert-auth $ARGS", {"ETCD_CLIENT_CERT_AUTH": "true", "ETCD_NAME": "a"},
     "/usr/bin/etcd --client-cert-auth=true $ARGS --name=a"),
    ("/usr/bin/etcd -peer-client-cert-auth ${X} --name $NAME",
     {"ETCD_PEER_CLIENT_CERT_AUTH": "true", "ETCD_NAME": "a"},
     "/usr/bin/etcd -peer-client-cert-auth=true ${X} --name a"),
    ("-/usr/bin/etcd --name-x=y", {"ETCD_NAME": "50%$"}, '-/usr/bin/etcd --name-x=y "--name=50%%$$"'),
    ('/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd --name=\\"x\\""', {"ETCD_CERT_FILE": "/a b"},
     '/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd --name=\\"x\\" \'--cert-file=/a b\'"'),
    ("/bin/sh -c 'exec etcd --name x'", {"ETCD_CERT_FILE": "/a b"},
     "/bin/sh -c 'exec etcd --name x \\'--cert-file=/a b\\''"),
]
# fmt: on


@pytest.mark.parametrize(("reported", "wanted", "expected"), RESTATED)
def test_a_command_is_restated_with_just_these_flags_changed(
    reported: str, wanted: dict[str, str], expected: str
) -> None:
    assert flags.unserved((reported,)) is None
    found = flags.restated(reported, wanted)
    assert expected == found
    started = command.expanded(found, {"X": "--debug"}) or ()
    if flags.is_shell(started):
        started = tuple(shlex.split(started[-1]))
        started = started[[word.endswith("etcd") for word in started].index(True) :]
    assert wanted == {name: effective.flags(started)[name] for name in wanted}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ((), "no single ExecStart= line"),
        (("/usr/bin/etcd --a", "/usr/bin/etcd --b"), "2 found"),
        (("/usr/local/bin/start",), "starts /usr/local/bin/start"),
        (("@/usr/bin/etcd etcd --a",), "another name"),
        (("/usr/bin/etcd --a ; /bin/true",), "several commands"),
        (("/usr/bin/etcd '--a",), "left open"),
        (("/bin/bash -c 'etcd --a | tee log'",), "shell script"),
        (("/bin/bash -c 'etcd --a; echo ended'",), "shell script"),
        (("/bin/bash -c 'etcd --a # why'",), "shell script"),
        (("/bin/bash /start.sh",), "shell script"),
    ],
)
def test_what_cannot_be_restated_is_named(found: tuple[str, ...], reason: str) -> None:
    assert reason in (flags.unserved(found) or "")


def test_a_command_is_expanded_as_systemd_does() -> None:
    reported = "/usr/bin/etcd --name ${NAME} $ARGS --data-dir='/a b' $$x %%"
    assert ("/usr/bin/etcd", "--name", "a b", "-x", "-y", "--data-dir=/a b", "$x", "%") == command.expanded(
        reported, {"NAME": "a b", "ARGS": "-x -y"}
    )
    assert command.expanded("/usr/bin/etcd --name=%i", {}) is None


def test_a_file_of_variables_is_read_back_by_systemd() -> None:
    meant = {"ETCD_A": 'a "b" \\ $HOME `x` %n #;', "ETCD_B": ""}
    assert meant == of_file(environment_file.text(meant))
    with pytest.raises(ValueError, match="printed"):
        environment_file.text({"ETCD_A": "a\nB=c"})


def test_a_configuration_file_keeps_its_comments_and_order() -> None:
    found = config_file.changed(YAML, {"ETCD_PEER_CERT_FILE": "/p.pem", "ETCD_CLIENT_CERT_AUTH": "true",
                                       "ETCD_LISTEN_PEER_URLS": "https://0.0.0.0:2380"})  # fmt: skip
    expected = YAML.replace("listen-peer-urls: http:", "listen-peer-urls: https:").replace(
        "  auto-tls: false\n", "  auto-tls: false\n  cert-file: /p.pem\n"
    )
    assert expected + "client-transport-security:\n  client-cert-auth: true\n" == found


def test_a_file_of_theirs_is_followed_by_one_of_ours(tmp_path: Path) -> None:
    one = of(tmp_path, Source(filed=("ETCD_LISTEN_CLIENT_URLS",)))
    put = list(install.of(one).put(stages.CERTIFICATES))
    assert [f"{AT}/30-certs.env", f"{AT}/30-certs.conf"] == [
        file.path for file in put if isinstance(file, Write)
    ]
    assert MakeDirectory(AT) == put[0]
    assert ["[Service]", f"EnvironmentFile={AT}/30-certs.env"] == lines(one, stages.CERTIFICATES)
    # what their Environment= lines say is said by ours, what their file says by our file
    reported = lines(one, stages.HTTPS)
    assert 'Environment="ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"' in reported
    assert "ETCD_LISTEN_CLIENT_URLS" not in str(reported)
    assert [Remove(f"{AT}/40-tls.conf"), Remove(f"{AT}/40-tls.env")] == list(
        install.of(one).take_away(stages.HTTPS)
    )


def test_a_command_holds_the_stages_before_it_too(tmp_path: Path) -> None:
    command_ = "/usr/bin/etcd --name=a \\\n --listen-client-urls http://0.0.0.0:2379"
    one = of(tmp_path, Source(flags=("ETCD_LISTEN_CLIENT_URLS", "ETCD_NAME"), command=command_))
    opened = lines(one, stages.LOCAL_PORT)
    local = "/usr/bin/etcd --name=a \\\n --listen-client-urls http://0.0.0.0:2379,http://127.0.0.1:4001"
    assert ["[Service]", "ExecStart=", *f"ExecStart={local}".splitlines()] == opened
    certs = "\n".join(lines(one, stages.CERTIFICATES))
    assert local in certs
    assert "--cert-file=/etc/etcd2/server1.pem" in certs
    tls = "\n".join(lines(one, stages.HTTPS))
    assert "--listen-client-urls https://0.0.0.0:2379,http://127.0.0.1:4001" in tls
    assert "--cert-file=/etc/etcd2/server1.pem" in tls
    # a variable stays a variable: both would be fatal
    assert 'Environment="ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"' in tls
    assert "--listen-peer-urls" not in tls


@pytest.mark.parametrize(
    ("source", "selected"),
    [
        (Source(), 'Environment="ETCD_CONFIG_FILE=/etc/etcd/conf.40-tls.yml"'),
        (Source(flags=("ETCD_CONFIG_FILE",), command="/usr/bin/etcd --config-file /etc/etcd/conf.yml"),
         "ExecStart=/usr/bin/etcd --config-file /etc/etcd/conf.40-tls.yml"),
        (Source(filed=("ETCD_CONFIG_FILE",)), f"EnvironmentFile={AT}/40-tls.env"),
    ],
)  # fmt: skip
def test_a_copy_of_the_configuration_file_is_selected_where_theirs_is(
    tmp_path: Path, source: Source, selected: str
) -> None:
    theirs = Configuration(path="/etc/etcd/conf.yml", text=YAML, mode=0o644, owner="etcd", group="etcd")
    one = of(tmp_path, source.model_copy(update={"configuration": theirs}))
    copy, *_, drop_in = install.of(one).files(stages.HTTPS)
    assert ("/etc/etcd/conf.40-tls.yml", 0o644, "etcd") == (copy.path, copy.mode, copy.owner)
    reported = effective.of_configuration(copy.text)
    wanted = {**stages.certificates(one), **stages.tls_listeners(one)}
    assert wanted == {name: reported[name] for name in wanted}
    assert selected in drop_in.text
    assert "ETCD_LISTEN" not in drop_in.text


def seen(folder: Path, words: str, variables: dict[str, str], unit_text: str, **files: str) -> Source | None:
    one = target(folder, FOUND)
    environ = "\0".join(f"{name}={value}" for name, value in variables.items())
    reported = [f"environ={encoded(environ)}", f"cmdline={encoded(chr(0).join(words.split()))}", "MainPID=1"]
    if "yml" in words or "yml" in environ:
        reported += ["configuration=/e.yml", f"configured={encoded(YAML)}", "configured_as=644 root root 99"]
    read = [
        f"fragment={encoded(unit_text)} /u",
        *(f"file={encoded(text)} /{path}" for path, text in files.items()),
    ]
    return detecting.source(
        one,
        process.running(one).reader(Answer(0, "\n".join(reported))),
        unit.of(one).reader(Answer(0, "\n".join(read))),
    )


def test_where_settings_are_is_seen_by_what_runs(tmp_path: Path) -> None:
    plain = "[Service]\nExecStart=/usr/bin/etcd $ARGS\n"
    assert seen(tmp_path, "/usr/bin/etcd", FOUND, plain) is None
    assert Source(filed=("ETCD_LISTEN_PEER_URLS",)) == seen(
        tmp_path, "/usr/bin/etcd", FOUND, plain, a="ETCD_LISTEN_PEER_URLS=x\nETCD_NAME=a\n"
    )
    flagged = Source(flags=("ETCD_DEBUG", "ETCD_NAME"), command="/usr/bin/etcd $ARGS")
    assert flagged == seen(tmp_path, "/usr/bin/etcd --name=a --debug", {}, plain)
    configured = seen(tmp_path, "/usr/bin/etcd", {"ETCD_CONFIG_FILE": "/e.yml"}, plain)
    assert configured is not None
    assert configured.configuration is not None
    assert (YAML, "/e.yml") == (configured.configuration.text, configured.configuration.path)
    assert seen(tmp_path, "/usr/bin/etcd", {"ETCD_CONFIG_FILE": ""}, plain) is None  # to etcd that is not set
    with pytest.raises(detecting.UnservedError, match="starts /start"):
        seen(tmp_path, "/usr/bin/etcd --name=a", {}, "[Service]\nExecStart=/start\n")


def test_the_last_command_of_a_unit_counts() -> None:
    text = "[Unit]\nExecStart=no\n[Service]\nExecStart=/a \\\n# why\n  --b\n#ExecStart=no\n"
    assert ("/a \\\n  --b",) == unit.Unit({}, {}, {}, fragment=text).commands
    reported = unit.Unit({}, {"/x": "[Service]\nExecStart=\nExecStart=/c\n"}, {}, fragment=text)
    assert ("/c",) == reported.commands


# Each was given to systemd 252: what it takes for one line, and what it ignores.
# fmt: off
JOINED = [
    ("ExecStart=/a \\\n\nExecStart=/b", ["/a", "/b"]),  # an empty line ends what was continued
    ("ExecStart=/a \\\n  \n  --b", ["/a"]),
    ("ExecStart=/a \\\n# c \\\n  ; d\n  --b", ["/a \\\n  --b"]),
    ("ExecStart=/a \\\n --b=1 \\\n\n --c", ["/a \\\n --b=1"]),
    ("ExecStart=/a \\\\\n --b", ["/a \\\\"]),  # a backslash that is escaped continues nothing
    ("ExecStart=/a \\", ["/a"]),
    ("Environment=A=1 \\\nExecStart=/a\n[Unit] \\\n[Service]\nExecStart=/b", []),
    (" ExecStart = /a\r\n  [Install]  \nExecStart=/b", ["/a"]),
    ("ExecStart=/a \x0c--b", ["/a \x0c--b"]),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), JOINED)
def test_lines_of_a_unit_are_joined_as_systemd_joins_them(text: str, expected: list[str]) -> None:
    assert expected == list(unit.values(f"[Service]\n{text}", "ExecStart"))


def test_blanks_before_a_continued_line_are_none_of_the_word_s() -> None:
    assert ("/a", "x  y", "z") == command.expanded('/a "x \\\n    y" \\\n\t z', {})


def test_facts_of_before_have_no_source(tmp_path: Path) -> None:
    found = target(tmp_path, FOUND).member
    assert "source" not in found.model_dump_json()
    flagged = found.model_copy(update={"source": Source(flags=("ETCD_NAME",), command="/usr/bin/etcd")})
    assert flagged == MemberFacts.model_validate_json(flagged.model_dump_json())
    with pytest.raises(ValueError, match="printed"):
        Source(command="/usr/bin/etcd\nExecStartPre=/bin/evil")


@pytest.mark.parametrize(
    ("flags_", "version", "expected"),
    [
        ((), "3.3.25", True),
        ((), "3.4.23", False),
        (("ETCD_CONFIG_FILE",), "3.3.25", False),
        ((), "3.10.0", False),
    ],
)
def test_a_variable_that_old_etcds_ignore_is_named(
    flags_: tuple[str, ...], version: str, *, expected: bool
) -> None:
    theirs = Configuration(path="/e.yml", text=YAML, mode=0o644, owner="root", group="root")
    found = detecting.ignored(Source(flags=flags_, configuration=theirs), version)
    assert expected == (found is not None)
    assert detecting.ignored(Source(flags=flags_), version) is None
    assert detecting.ignored(None, version) is None
