"""The settings in effect: read alike by the shell on the host and by us, whatever they come from."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.etcd import effective

CONFIGURATION = """# kept
name: 'one'   # who
data-dir: "/var/lib/etcd"
listen-client-urls: http://0.0.0.0:2379,http://127.0.0.1:4001  # all
client-transport-security:
  cert-file: /a.pem
  client-cert-auth: true
peer-transport-security: {cert-file: /b.pem, key-file: }
log-outputs: [stderr]
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--name=a", "-data-dir", "/d"], {"ETCD_NAME": "a", "ETCD_DATA_DIR": "/d"}),
        (["--client-cert-auth", "--name", "b"], {"ETCD_CLIENT_CERT_AUTH": "true", "ETCD_NAME": "b"}),
        (["--name=a", "--name=b=c"], {"ETCD_NAME": "b=c"}),
        (["--enable-v2"], {"ETCD_ENABLE_V2": "true"}),
        ([], {}),
    ],
)
def test_flags_are_read_as_etcd_reads_them(arguments: list[str], expected: dict[str, str]) -> None:
    assert expected == effective.flags(["/usr/bin/etcd", *arguments])


def test_a_configuration_file_is_read_by_the_names_of_variables() -> None:
    assert {
        "ETCD_NAME": "one",
        "ETCD_DATA_DIR": "/var/lib/etcd",
        "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379,http://127.0.0.1:4001",
        "ETCD_CERT_FILE": "/a.pem",
        "ETCD_CLIENT_CERT_AUTH": "true",
        "ETCD_PEER_CERT_FILE": "/b.pem",
    } == effective.of_configuration(CONFIGURATION)


@pytest.mark.parametrize("text", ["", "just text", "a: [", "name: a\nname: b\n"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="configuration file"):
        effective.of_configuration(text)


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ([], {"ETCD_LISTEN_CLIENT_URLS": "http://a:1,http://b:2", "ETCD_OTHER": "x"}),
        (["--listen-client-urls=http://a:1", "--name=x"], {}),
        (["-listen-client-urls", "http://a:1?x=*"], {"ETCD_LISTEN_CLIENT_URLS": "http://b:2"}),
        (["--listen-client-urls=http://a:1", "--listen-client-urls", "http://c:3"], {}),
        (["--config-file={file}", "--listen-client-urls=http://a:1"], {}),
        (["--config-file", "{file}"], {"ETCD_LISTEN_CLIENT_URLS": "http://b:2"}),
        ([], {"ETCD_CONFIG_FILE": "{file}"}),
        (["-config-file", "relative.yml"], {}),
        (["--name", "x"], {}),
    ],
)
def test_the_shell_finds_what_we_find(
    tmp_path: Path, shell: str, arguments: list[str], environment: dict[str, str]
) -> None:
    program = shutil.which(shell)
    assert program is not None
    file = tmp_path / "relative.yml"
    file.write_text(CONFIGURATION)
    words = [word.format(file=file) for word in arguments]
    variables = {name: value.format(file=file) for name, value in environment.items()}
    sleeper = ["sh", "-c", "read x", *words]  # the words are only there to be read
    process = subprocess.Popen(sleeper, stdin=subprocess.PIPE, env={**os.environ, **variables}, cwd=tmp_path)
    try:
        script = f"{effective.SETTING}\npid=$1\nsetting ETCD_LISTEN_CLIENT_URLS listen-client-urls\n"
        reported = subprocess.run(
            [
                program,
                "-eu",
                "-c",
                f'{script}printf "%s\\n%s" "$value" "$configuration"',
                "-",
                str(process.pid),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    finally:
        process.communicate(b"\n")
    value, configuration = reported.split("\n")
    text = CONFIGURATION if "relative.yml" in str((words, variables)) else None
    expected = effective.settings(["etcd", *words], variables, text)
    assert (expected.get("ETCD_LISTEN_CLIENT_URLS", ""), bool(text)) == (value, bool(configuration))
