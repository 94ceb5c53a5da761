"""The user as whom etcd is asked: the password is read from a file that nobody else can read."""

import os
import subprocess
from pathlib import Path

import pytest
from engine.world import make_cluster
from support.targets import target

from orchestrator import bastion
from orchestrator.errors import RefusedError
from orchestrator.etcd import endpoints, login
from orchestrator.etcd.api import APIS, v3
from orchestrator.host.operations import Run, Secret
from orchestrator.host.questions import Script
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Auth
from orchestrator.runbook.model import describe

PLANTED = "PLANTED: a 'pass word'"


def member(folder: Path, content: bytes = f"{PLANTED}\n".encode(), mode: int = 0o600) -> Target:
    file = folder / "password"
    file.write_bytes(content)
    file.chmod(mode)
    auth = Auth(user="root", password_file=file)
    return target(folder, {}, make_cluster(folder, local="none").model_copy(update={"auth": auth}))


def test_whatever_is_asked_and_done_through_v3_has_the_user_and_shows_no_password(tmp_path: Path) -> None:
    one, interface = member(tmp_path), APIS["v3"]
    wanted = Secret(f"root:{PLANTED}")
    facts = (interface.members(one), interface.status(one), interface.health(one), interface.alarms(one))
    questions = [fact.question for fact in (*facts, interface.hash_at(one, 0)) if fact is not None]
    assert [wanted] * 5 == [each.secret for each in questions if isinstance(each, Script)]
    endpoint = endpoints.after_switch(one)
    runs = [interface.update_peers("a1", ("x",), endpoint), interface.backup(one, "/x", endpoint)[0]]
    assert [wanted] * 2 == [dict(run.environment)["ETCDCTL_USER"] for run in runs]
    assert "PLANTED" not in repr((questions, runs, endpoint))


def test_without_a_user_in_the_plan_nothing_is_given(tmp_path: Path) -> None:
    one = target(tmp_path, {})
    assert login.of(one.cluster) is None
    question = APIS["v3"].health(one).question
    assert isinstance(question, Script)
    assert question.secret is None
    run = APIS["v3"].update_peers("a1", ("x",), endpoints.before_switch(one))
    assert Run(run.argv, (("ETCDCTL_API", "3"),)) == run


@pytest.mark.parametrize(
    ("content", "mode", "refused"),
    [
        (b"x\n", 0o640, "can be read by others (mode 640)"),
        (b"", 0o600, "has to hold one line"),
        (b"a\nb\n", 0o600, "has to hold one line"),
        (b"a" * 2000, 0o600, "has to hold one line"),
        (b"\xff\n", 0o600, "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_password_s_is_refused(
    tmp_path: Path, content: bytes, mode: int, refused: str
) -> None:
    with pytest.raises(RefusedError, match=r"auth\.password_file") as error:
        login.of(member(tmp_path, content, mode).cluster)
    assert refused in str(error.value)


def test_without_a_user_in_the_plan_the_environment_may_name_one(tmp_path: Path) -> None:
    one, planned = target(tmp_path, {}).cluster, member(tmp_path).cluster
    environment = {"ETCDCTL_USER": "ops:a:b"}
    assert ("ops", Secret("ops:a:b")) == (login.user(one, environment), login.of(one, environment))
    assert ("root", Secret(f"root:{PLANTED}")) == (
        login.user(planned, environment),
        login.of(planned, environment),
    )
    for odd in ("ops", "ops:", ":x", "ops:a\nb"):
        with pytest.raises(RefusedError, match="ETCDCTL_USER in the environment has to be USER:PASSWORD"):
            login.of(one, {"ETCDCTL_USER": odd})


def test_what_is_taken_out_of_our_environment_at_the_start_is_still_given_to_etcdctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, environment = dict[str, str](), {"ETCDCTL_USER": "ops:a:b", "HOME": "/root"}
    monkeypatch.setattr(bastion, "_given", kept)
    bastion.take_secrets(environment)
    assert {"HOME": "/root"} == environment
    assert Secret("ops:a:b") == login.of(target(tmp_path, {}).cluster, kept)


def test_no_digest_tells_one_password_from_another() -> None:
    run = Run(("etcdctl",), (("ETCDCTL_API", "3"), ("ETCDCTL_USER", Secret("root:x"))))
    assert [("ETCDCTL_API", "3")] == describe(run)["environment"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(("given", "seen"), [(f"root:{PLANTED}\n", f"root:{PLANTED}"), ("", "unset")])
def test_etcdctl_finds_the_user_in_its_environment(shell: str, given: str, seen: str) -> None:
    script = f"{login.READ}\nexec sh -c 'printf %s \"${{ETCDCTL_USER-unset}}\"'"
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [shell, "-c", script], input=given, env=environment, capture_output=True, text=True, check=False
    )
    assert (0, seen, "") == (done.returncode, done.stdout, done.stderr)
    assert login.READ in v3.ASK
