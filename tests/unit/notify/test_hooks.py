"""A program and a URL that get each event: neither can hold a run up, and what does not arrive is counted."""

import json
import re
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.fake_program import NOTHING_MORE, called
from support.webhooks import serving
from unit.pki.pki_plans import certs, cluster_in, plan_in

from orchestrator.report.event_lines import LINE

RUN = ("run", "plan.yaml", "--yes")
RECORDING = """#!/bin/sh
cat >>"$1"
printf '%s|%s|%s|%s|%s|%s\n' "$ORCHESTRATOR_EVENT" "$ORCHESTRATOR_CLUSTER" "$ORCHESTRATOR_RUN" \
  "$ORCHESTRATOR_STEP" "$ORCHESTRATOR_HOST" "$ORCHESTRATOR_TEXT" >>"$1.told"
"""
HANGING = """#!/bin/sh
sleep 600 &
echo $! >>"$1"
wait
"""


def program(folder: Path, script: str) -> str:
    """Write a hook, and return the plan's words for it."""
    path = folder / "hook.sh"
    path.write_text(script)
    path.chmod(0o755)
    return f"./hook.sh {folder}/seen"


def started(
    folder: Path, notify: Mapping[str, str], *more: str, env: Mapping[str, str] = NOTHING_MORE
) -> subprocess.CompletedProcess[str]:
    (folder / "notify.json").write_text(json.dumps(notify))
    return called(folder, *RUN, *more, env=env)


def test_both_get_the_lines_of_output_json_and_the_hook_a_sentence(tmp_path: Path) -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_port}/etcd"
        hook = program(tmp_path, RECORDING)
        done = started(tmp_path, {"hook": hook, "webhook": url}, "--output", "json")
    assert 0 == done.returncode, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    run = printed[0]["run"]
    assert printed == [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    assert printed == [json.loads(body) for body in server.bodies]
    assert {"application/json"} == server.types
    for body in server.bodies:
        LINE.validate_json(body)
    told = (tmp_path / "seen.told").read_text().splitlines()
    (accepted,) = [line for line in told if line.startswith("step_succeeded|") and "|accept/server1|" in line]
    begins = f"step_succeeded|three-members|{run}|accept/server1|server1|ok accept/server1 done in "
    assert accepted.startswith(begins)
    assert accepted.endswith(" s: server1 is accepting")
    assert told[-1].startswith(f"run_ended|three-members|{run}|||finished; 18 steps taken in ")
    assert "did not arrive" not in done.stderr


def test_no_key_and_no_password_is_in_what_they_get(tmp_path: Path) -> None:
    env = {"ETCDCTL_USER": "root:very-secret"}
    script = RECORDING + 'env >>"$1.env"\n'
    done = started(tmp_path, {"hook": program(tmp_path, script)}, env=env)
    assert 0 == done.returncode, done.stderr
    got = "".join((tmp_path / f"seen{end}").read_text() for end in ("", ".told", ".env"))
    assert "PRIVATE KEY" not in got
    assert "very-secret" not in got


def test_a_hook_that_fails_is_said_once_and_counted(tmp_path: Path) -> None:
    hook = program(tmp_path, "#!/bin/sh\necho no such channel >&2\nexit 3\n")
    done = started(tmp_path, {"hook": hook})
    assert 0 == done.returncode
    said = f"warning: hook {tmp_path}/hook.sh: it ended with exit code 3: no such channel. The run "
    assert 1 == done.stderr.count(said)
    count = len((tmp_path / "plan.yaml.state.jsonl").read_text().splitlines())
    assert f"hook.sh: {count} of {count} events did not arrive; the state file has all\n" in done.stderr


def test_a_program_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    done = started(tmp_path, {"hook": "./nowhere.sh"})
    assert 0 == done.returncode
    assert 1 == done.stderr.count("nowhere.sh: No such file or directory. The run is not affected")


def test_a_hanging_hook_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    done = started(tmp_path, {"hook": program(tmp_path, HANGING)})
    took_s = time.monotonic() - began
    assert 0 == done.returncode, done.stderr
    assert "done: server1 sealed" in done.stdout
    assert took_s < 60.0
    assert " not done yet; waiting for 9 s at most" in done.stderr
    assert " events did not arrive" in done.stderr
    pids = (tmp_path / "seen").read_text().split()
    assert pids, "it was started"
    assert [] == [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists() and _is_sleeping(pid)]


def _is_sleeping(pid: str) -> bool:
    return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize(("answer", "reason"), [(500, "HTTP 500"), (302, "HTTP 302")])
def test_a_webhook_that_does_not_take_them_is_said_without_its_path(
    tmp_path: Path, answer: int, reason: str
) -> None:
    with serving(answer) as server:
        port = server.server_port
        done = started(tmp_path, {"webhook": f"http://127.0.0.1:{port}/token"})
    assert 0 == done.returncode
    assert 1 == done.stderr.count(f"warning: webhook http://127.0.0.1:{port}: the answer was {reason}. The ")
    assert " events did not arrive" in done.stderr
    assert "token" not in done.stderr


def test_nobody_at_the_other_end_stops_nothing(tmp_path: Path) -> None:
    with serving() as server:
        port = server.server_port
    done = started(tmp_path, {"webhook": f"http://127.0.0.1:{port}/"})
    assert 0 == done.returncode
    assert 1 == done.stderr.count(
        f"webhook http://127.0.0.1:{port}: Connection refused. The run is not affected"
    )


def test_what_is_posted_on_loopback_passes_no_proxy(tmp_path: Path) -> None:
    with serving() as server, serving() as proxy:
        url = f"http://127.0.0.1:{server.server_port}/token"
        started(tmp_path, {"webhook": url}, env={"http_proxy": f"http://127.0.0.1:{proxy.server_port}"})
    assert [] == proxy.bodies
    assert b"run_ended" in server.bodies[-1]


def test_a_webhook_whose_certificate_nobody_knows_gets_nothing(tmp_path: Path) -> None:
    certs(plan_in(tmp_path))
    cluster = cluster_in(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cluster.members[0].certificate, cluster.members[0].key)
    with serving(tls=tls) as server:
        url = f"https://127.0.0.1:{server.server_port}/"
        unknown = started(tmp_path, {"webhook": url}, "--until", "staged")
        assert ([], 0) == (server.bodies, unknown.returncode)
        (tmp_path / "plan.yaml.state.jsonl").unlink()
        known = started(tmp_path, {"webhook": url}, env={"SSL_CERT_FILE": str(cluster.tls.ca)})
    assert "certificate verify failed" in unknown.stderr
    assert 0 == known.returncode
    assert "did not arrive" not in known.stderr
    assert b"run_ended" in server.bodies[-1]


def test_whoever_only_looks_tells_nobody(tmp_path: Path) -> None:
    done = started(tmp_path, {"hook": program(tmp_path, RECORDING)}, "--until", "staged")
    assert 0 == done.returncode, done.stderr
    (tmp_path / "seen").unlink()
    for arguments in (("watch", "plan.yaml"), ("run", "plan.yaml", "--dry-run", "--resume")):
        called(tmp_path, *arguments)
    assert not (tmp_path / "seen").exists()


def test_the_documented_hook_writes_to_a_chat(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "notify.md").read_text()
    (script,) = re.findall(r"```sh\n(#!/bin/sh\n.*?)```", page, re.DOTALL)
    (making,) = re.findall(r"```sh\n(\(umask 077; .*?)```", page, re.DOTALL)
    secret, there = tmp_path / "chat.curl", "/etc/etcd-migration/chat.curl"
    assert there in making
    assert there in script
    with serving(200) as server:
        own = making.replace(there, str(secret)).replace(
            "https://hooks.example.com/services/T000/B000/XXXX",
            f"http://127.0.0.1:{server.server_port}/token",
        )
        subprocess.run(["sh", "-c", own], check=True)
        assert "/token" in secret.read_text()
        assert 0o600 == secret.stat().st_mode & 0o777, "its URL is a secret"
        seen = tmp_path / "seen"
        watched = script.replace(there, str(secret)).replace(
            "  curl ", f'sh -c \'echo "$@" >>{seen}; exec curl "$@"\' curl '
        )
        done = started(tmp_path, {"hook": program(tmp_path, watched)})
    assert "--config" in seen.read_text()
    assert "/token" not in seen.read_text(), "every user can read arguments"
    assert 0 == done.returncode
    assert "did not arrive" not in done.stderr
    began, ended = (json.loads(body)["text"] for body in server.bodies)
    assert began.startswith("three-members: run ")
    assert ended.startswith("three-members: finished; 18 steps taken in ")
