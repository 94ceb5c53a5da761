"""The script that copies a unit under the trial's name, in a real shell beside a fake systemctl."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.systemd import settings

from orchestrator.etcd import trial
from orchestrator.etcd.trial.copying import DATA

FRAGMENT = """\
[Unit]
Description=etcd - highly-available key value store
After=network.target
Wants=network-online.target \\
# a comment does not end the line
  other.service
ConditionPathExists=/etc/%p.conf
OnFailure=page-%n.service
[Service]
Type=notify
EnvironmentFile=-/etc/default/%p
User=nobody
ExecStartPre=/usr/bin/docker rm -f %p
ExecStart=/usr/bin/etcd \\
  --name %i \\
  --log %%n-%H
Restart=on-abnormal
RuntimeDirectory=etcd
 Slice = fast.slice
[Install]
WantedBy=multi-user.target
Alias=etcd2.service
"""


class Systemd:
    """A directory in place of a host's root, and a systemctl that tells of one unit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.properties = {"LoadState": "loaded", "Id": "etcd.service", "Type": "notify", "User": "nobody"}
        self.version = "252"
        for path in ("bin", "run/orchestrator-trial/ours", "run/systemd/system/orchestrator-trial.service.d"):
            (root / path).mkdir(parents=True)
        self.properties["FragmentPath"] = self.file("lib/etcd.service", FRAGMENT)

    def file(self, name: str, text: str) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    @contextmanager
    def holding(self, *names: str) -> Iterator[None]:
        """Let a process hold these files open, as the unit's."""
        paths = [self.file(name, "") for name in names]
        opens = "import sys, time; held = [open(p) for p in sys.argv[1:]]; print(flush=True); time.sleep(60)"
        process = subprocess.Popen([sys.executable, "-c", opens, *paths], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        self.properties["MainPID"] = str(process.pid)
        try:
            yield
        finally:
            process.kill()
            process.communicate()

    def copy(self) -> subprocess.CompletedProcess[str]:
        cases = "\n".join(f"--property={key}) echo '{value}' ;;" for key, value in self.properties.items())
        systemctl = self.root / "bin/systemctl"
        systemctl.write_text(
            f"#!/bin/sh\ncase $1 in --version) echo 'systemd {self.version} (x)' ;; esac\n"
            f'[ "$1" != show ] || case $2 in\n{cases}\n*) echo ;;\nesac\n'
        )
        systemctl.chmod(0o755)
        escape = self.root / "bin/systemd-escape"
        escape.write_text("#!/bin/sh\nprintf '%s\\n' \"$3\" | sed 's,-,/,g'\n")
        escape.chmod(0o755)
        script = trial.COPY.replace("/run/", f"{self.root}/run/")
        return subprocess.run(
            ["sh", "-s", "etcd2"], input=script, capture_output=True, text=True, check=False,
            env={"PATH": f"{self.root}/bin:{os.environ['PATH']}", "LC_ALL": "C"},
        )  # fmt: skip

    def unit(self) -> str:
        return (self.root / "run/systemd/system/orchestrator-trial.service").read_text()

    def drop_in(self, name: str) -> str:
        return (self.root / "run/systemd/system/orchestrator-trial.service.d" / name).read_text()


@pytest.fixture
def systemd(tmp_path: Path) -> Systemd:
    return Systemd(tmp_path)


def copied(systemd: Systemd) -> None:
    done = systemd.copy()
    assert (done.returncode, done.stderr) == (0, "")


def test_what_binds_it_to_others_is_left_out_and_the_rest_is_the_members(systemd: Systemd) -> None:
    with systemd.holding("etcd/default/member/wal/0.wal", "etcd/default/member/snap/db"):
        copied(systemd)
    assert [
        ("Unit", "Description", "etcd - highly-available key value store"),
        ("Unit", "ConditionPathExists", "/etc/etcd.conf"),
        ("Service", "Type", "notify"),
        ("Service", "EnvironmentFile", "-/etc/default/etcd"),
        ("Service", "User", "nobody"),
        ("Service", "ExecStart", "/usr/bin/etcd --name --log %%n-%H"),
        ("Service", "RuntimeDirectory", "etcd"),
    ] == [
        (section, key, " ".join(value.split()))
        for section, key, value in settings(systemd.unit().replace("\\\n", " "))
    ]


def test_specifiers_hold_the_members_name_in_drop_ins_too(systemd: Systemd) -> None:
    systemd.properties["Id"] = "my-etcd@node-1.service"
    text = "[Service]\nEnvironment=X=%n,%N,%p,%P,%i,%I,%j,%J\nExecStop=/bin/kill\n"
    systemd.properties["DropInPaths"] = systemd.file("a/10-x.conf", text)
    with systemd.holding("etcd/member/wal/0.wal"):
        copied(systemd)
    reported = "X=my-etcd@node-1.service,my-etcd@node-1,my-etcd,my/etcd,node-1,node/1,etcd,etcd"
    assert f"[Service]\nEnvironment={reported}\n" == systemd.drop_in("10-x.conf")
    assert "--name node-1 \\\n" in systemd.unit()


def test_ours_hold_the_members_name_as_well_whatever_alias_the_plan_has(systemd: Systemd) -> None:
    systemd.properties["Id"] = "my-etcd@node-1.service"
    command = "/usr/bin/etcd --data-dir=/%I --name %i --log=/%j/%J/%P/%p.%%n"
    systemd.file("run/orchestrator-trial/ours/40-tls.conf", f"[Service]\nExecStart=\nExecStart={command}\n")
    systemd.file("run/orchestrator-trial/ours/40-tls.env", "ETCD_NAME=%i\n")
    systemd.file("run/orchestrator-trial/etcd.conf", "name: %i\n")
    with systemd.holding("etcd/member/wal/0.wal"):
        copied(systemd)
    expanded = "/usr/bin/etcd --data-dir=/node/1 --name node-1 --log=/etcd/etcd/my/etcd/my-etcd.%%n"
    assert f"[Service]\nExecStart=\nExecStart={expanded}\n" == systemd.drop_in("40-tls.conf")
    names = {
        path.name for path in (systemd.root / "run/systemd/system/orchestrator-trial.service.d").iterdir()
    }
    assert {"40-tls.conf", "~orchestrator-data.conf"} == names


def test_a_line_goes_on_behind_one_backslash_and_not_behind_two(systemd: Systemd) -> None:
    text = (
        "[Service]\nEnvironment=X=1 \\\n  ExecStop=2 \\\n\nEnvironment=X=\\\\\nExecStop=/bin/kill\nNice=1\n"
    )
    systemd.properties["DropInPaths"] = systemd.file("a/10-x.conf", text)
    with systemd.holding("etcd/member/wal/0.wal"):
        copied(systemd)
    assert text.replace("ExecStop=/bin/kill\n", "") == systemd.drop_in("10-x.conf")


def test_the_members_data_is_hidden(systemd: Systemd) -> None:
    with systemd.holding("etcd/member/wal/0.wal", "etcd/member/snap/db"):
        copied(systemd)
    (hidden,) = systemd.drop_in("~orchestrator-data.conf").splitlines()[1:]
    assert hidden.startswith(f"TemporaryFileSystem={systemd.root}/etcd/member:size=256M,mode=0700,uid=")


def test_a_log_of_its_own_is_hidden_too(systemd: Systemd) -> None:
    with systemd.holding("fast/wal/0.wal", "etcd/member/snap/db"):
        copied(systemd)
    keys, log = systemd.drop_in("~orchestrator-data.conf").splitlines()[1:]
    assert keys.startswith(f"TemporaryFileSystem={systemd.root}/etcd/member:")
    assert log.startswith(f"TemporaryFileSystem={systemd.root}/fast/wal:")


def test_a_log_that_goes_on_to_its_next_file_meanwhile_is_found_all_the_same(tmp_path: Path) -> None:
    first = tmp_path / "first"
    missing = f"""readlink() {{
      case $1 in */fd/0) if [ -e {first} ]; then echo > {first}.over; else : > {first}; fi ;; esac
      [ -e {first}.over ] || case $(command readlink "$1") in *.wal) return ;; esac
      command readlink "$1"
    }}"""
    keys, log = tmp_path / "member/snap/db", tmp_path / "member/wal/0.wal"
    for path in (keys, log):
        path.parent.mkdir(parents=True)
        path.touch()
    with keys.open() as one, log.open() as other:
        done = subprocess.run(
            ["sh", "-euc", f'{missing}\npid=$$\n{DATA}\nprintf %s "$log $keys"'],
            pass_fds=(one.fileno(), other.fileno()),
            capture_output=True,
            text=True,
            check=True,
        )
    assert f"{log.parent} {keys.parents[1]}" == done.stdout


@pytest.mark.parametrize(
    ("properties", "reported"),
    [
        ({"DynamicUser": "yes"}, "etcd2.service has DynamicUser=yes"),
        ({"Type": "forking"}, "etcd2.service has Type=forking"),
        ({"MainPID": "0"}, "etcd2.service does not run"),
        ({"LoadState": "bad-setting"}, "systemd cannot load etcd2.service: bad-setting"),
    ],
)
def test_what_cannot_be_tried_is_said(systemd: Systemd, properties: dict[str, str], reported: str) -> None:
    systemd.properties |= properties
    done = systemd.copy()
    assert done.returncode == 1
    assert reported in done.stderr


def test_a_systemd_that_cannot_hide_the_data_is_refused(systemd: Systemd) -> None:
    systemd.version = "219"
    assert "systemd 219 is too old" in systemd.copy().stderr


def test_data_that_cannot_be_hidden_is_not_tried_over(systemd: Systemd) -> None:
    with systemd.holding("etcd data/member/wal/0.wal"):
        done = systemd.copy()
    assert done.returncode == 1
    assert "keeps its data where a unit cannot name it" in done.stderr
