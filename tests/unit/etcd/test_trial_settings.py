"""The trial's settings, wherever the member has its own: in lines, files, flags or a configuration file."""

import re
from dataclasses import replace
from pathlib import Path

from support.targets import target

from orchestrator.etcd import trial
from orchestrator.host.operations import MakeDirectory, Run, Write
from orchestrator.plan.facts import Configuration, Source, Target

FOUND = {"ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380", "ETCD_INITIAL_CLUSTER": "a=http://198.18.0.101:2380"}
COPYING = "/run/orchestrator-trial/copy"
PEERS = "https://0.0.0.0:12380"


def sourced(one: Target, source: Source | None) -> Target:
    found = one.facts.members["server1"].model_copy(update={"source": source})
    members = {**one.facts.members, "server1": found}
    return replace(one, facts=one.facts.model_copy(update={"members": members}))


def written(folder: Path, source: Source | None, **more: str) -> dict[str, str]:
    one = sourced(target(folder, {**FOUND, **more}), source)
    files = (operation for operation in trial.begin(one) if isinstance(operation, Write))
    return {file.path.rpartition("/")[2]: file.text for file in files}


def test_variables_go_into_a_file_that_is_read_last(tmp_path: Path) -> None:
    files = written(tmp_path, None)
    assert f'ETCD_LISTEN_PEER_URLS="{PEERS}"\n' in files["environment"]
    assert 'Environment="ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380"' in files["40-tls.conf"]
    assert "~orchestrator-command.conf" not in files
    assert max(name for name in files if name.endswith(".conf")) == "~orchestrator-trial.conf"


def test_what_is_a_flag_stays_a_flag_and_what_is_none_becomes_no_flag(tmp_path: Path) -> None:
    command = "/usr/bin/etcd --listen-peer-urls http://0.0.0.0:2380 --discovery=https://x/1 --name a"
    flags = ("ETCD_LISTEN_PEER_URLS", "ETCD_DISCOVERY", "ETCD_NAME")
    files = written(tmp_path, Source(flags=flags, command=command))
    last = files["~orchestrator-command.conf"]
    assert last.count("ExecStart=\nExecStart=/usr/bin/etcd ") == 1
    assert f"--listen-peer-urls {PEERS} --discovery= --name a" in last
    assert "--cert-file=/etc/etcd2/server1.pem" in last
    assert "--listen-metrics-urls" not in last
    assert "ETCD_LISTEN_METRICS_URLS=" in files["environment"]
    assert "ETCD_LISTEN_PEER_URLS=" not in files["environment"]


def test_no_setting_is_both_a_flag_and_a_variable_of_a_trial(tmp_path: Path) -> None:
    files = written(tmp_path, Source(flags=("ETCD_NAME",), command="/usr/bin/etcd --name a"))
    last = files["~orchestrator-command.conf"]
    given = {f"ETCD_{name.upper().replace('-', '_')}" for name in re.findall(r" --([a-z-]+)", last)}
    lines = {line.partition("=")[0] for line in files["environment"].splitlines()}
    assert {"ETCD_NAME", "ETCD_CERT_FILE", "ETCD_INITIAL_ADVERTISE_PEER_URLS"} <= given
    assert set() == given & lines
    assert "--initial-advertise-peer-urls=https://198.18.0.101:12380" in last


def test_a_configuration_file_is_copied_with_all_of_them(tmp_path: Path) -> None:
    text = "name: a  # theirs\nlog-outputs: [/var/log/etcd]\ndiscovery: https://x/1\n"
    configuration = Configuration(path="/etc/etcd/e.yml", text=text, mode=0o644, owner="root", group="root")
    files = written(tmp_path, Source(filed=("ETCD_CONFIG_FILE",), configuration=configuration))
    copy = files["e.yml"]
    assert "name: a  # theirs\n" in copy
    assert "log-outputs" not in copy
    assert "discovery" not in copy
    assert f"listen-peer-urls: {PEERS}\n" in copy
    assert "  cert-file: /etc/etcd2/server1.pem\n" in copy
    assert 'ETCD_CONFIG_FILE="/run/orchestrator-trial/e.yml"\n' == files["environment"]


def test_a_log_of_its_own_is_made_below_what_is_hidden(tmp_path: Path) -> None:
    files = written(tmp_path, None, ETCD_WAL_DIR="/fast/wal")
    assert 'ETCD_WAL_DIR="/fast/wal/orchestrator-trial"\n' in files["environment"]
    source = Source(flags=("ETCD_WAL_DIR",), command="/usr/bin/etcd --wal-dir=/fast/wal")
    files = written(tmp_path, source, ETCD_WAL_DIR="/fast/wal")
    assert "--wal-dir=/fast/wal/orchestrator-trial" in files["~orchestrator-command.conf"]
    assert "ETCD_WAL_DIR" not in files["environment"]


def test_whatever_fails_in_between_its_time_is_set_before_anything_is_made(tmp_path: Path) -> None:
    ended, timed, *others = trial.begin(target(tmp_path, FOUND))
    assert list(trial.end(target(tmp_path, FOUND))) == [ended]
    assert isinstance(timed, Run)
    assert ("systemd-run", trial.END) == (timed.argv[0], timed.argv[-1])
    assert isinstance(others[0], MakeDirectory)


def test_specifiers_are_left_to_the_script_that_copies_the_unit(tmp_path: Path) -> None:
    source = Source(flags=("ETCD_LISTEN_PEER_URLS",), command="/usr/bin/etcd --name=%i --listen-peer-urls=x")
    one = sourced(target(tmp_path, FOUND), source)
    operations = list(trial.begin(one))
    written = [operation for operation in operations if isinstance(operation, Write)]
    ours = [file.path for file in written if "ExecStart=/usr/bin/etcd --name=%i" in file.text]
    assert ours
    assert {"/run/orchestrator-trial/ours"} == {path.rpartition("/")[0] for path in ours}
    script = next(operation for operation in operations if operation == Run(("sh", COPYING, "etcd2")))
    behind = operations[operations.index(script) :]
    assert ["~orchestrator-trial.conf"] == [
        each.path.rpartition("/")[2] for each in behind if isinstance(each, Write)
    ]
