"""Questions that share their beginning are asked of one shell, and answered as if asked one by one."""

import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.scripts import shell
from unit.remote.shells import ShellChannel

from orchestrator.etcd.api import v3
from orchestrator.host.operations import Secret
from orchestrator.host.questions import EACH, Answer, Script
from orchestrator.remote.conversation import Conversation, converse
from orchestrator.remote.script import joined, look_script, parse_look, together

WEIRD = "a b'c\"d\\e$HOME`id`\n*;&|<é>!"
SHELLS = [program for program in ("sh", "dash", "bash") if shutil.which(program)]

# $1 where it counts its beginnings, $2 how it begins, then what each question does.
SHARED = f"""printf x >> "$1"
IFS= read -r got || got=nothing
case $2 in fails) echo 'no process' >&2; exit 3 ;; warns) echo odd >&2 ;; esac
begun=$2
shift 2
{EACH}
printf '%s %s|' "$begun" "$got" "$@"
eval "$1"
"""
EACH_OF = (
    "printf 'a\\000b'; exit 5",
    f": '{WEIRD}",
    "echo err >&2; printf '\\nlast' >&2; exit 4",
    "begun=left got=behind",
    "exec nosuchprogram 2>/dev/null",
    "exec printf '%s\n' done",
    "head -c 300000 /dev/zero | tr '\\000' x",
    "echo orchestrator-rest cut; echo ' cut'",
)


@pytest.mark.parametrize("secret", [None, Secret("a 'b'")], ids=["no secret", "secret"])
@pytest.mark.parametrize("beginning", ["passes", "fails", "warns"])
@pytest.mark.parametrize("program", SHELLS)
def test_the_answers_are_those_of_questions_asked_one_by_one(
    tmp_path: Path, program: str, beginning: str, secret: Secret | None
) -> None:
    counted = tmp_path / "counted"

    def asked(shares: int) -> dict[Script, Answer]:
        scripts = [
            Script("h", SHARED, (str(counted), beginning, word), secret=secret, shares=shares)
            for word in EACH_OF
        ]
        mixed = [scripts[0], Script("h", "echo between"), *scripts[1:]]
        found = parse_look(mixed, shell(look_script(mixed), program=program).stdout)
        return {replace(question, shares=0): found[question] for question in mixed}

    alone = asked(0)
    assert "x" * len(EACH_OF) == counted.read_text()
    counted.unlink()
    assert alone == asked(2)
    assert "x" == counted.read_text()
    statuses = [answer.exit_status for question, answer in alone.items() if question.arguments]
    assert ([3] * 8 if beginning == "fails" else [5, 2, 4, 0, 127, 0, 0, 0]) == statuses


def test_one_that_is_not_come_to_in_time_has_no_answer(tmp_path: Path) -> None:
    words = ("echo first", "printf half; sleep 30", "echo third")
    scripts = [
        Script("h", SHARED, (str(tmp_path / "counted"), "x", word), timeout_s=0.3, shares=2) for word in words
    ]
    with closing(ShellChannel(("sh", "-s"))) as channel:
        conversation = Conversation(channel, time.monotonic)
        found = converse(conversation, scripts)
        assert {scripts[0]: found[scripts[0]]} == converse(conversation, scripts[:1])

    assert [0, 124, 124] == [found[script].exit_status for script in scripts]


# fmt: off
BROKEN = [
    (["answer aGkAcmM9MA==", "answer aGkAcmM9MA=="],                         "2 of 2 answers arrived"),
    (["answer aGkAcmM9MA==", "rest AHJjPTA="],                               "1 of 2 answers arrived"),
    (["answer aGkAcmM9MA==", "answer aGkAcm cut", "rest AHJjPTA="],          "1 of 2 answers arrived"),
    ([*["answer aGkAcmM9MA=="] * 3, "rest AHJjPTA="],                        "3 of 2 answers arrived"),
    (["answer aGkAcmM9MA==", "answer aGkAcm", "rest AHJjPTA="],              "an answer is garbled"),
    ([*["answer aGkAcmM9MA=="] * 2, "rest AHJj"],                            "an answer is garbled"),
]
# fmt: on


@pytest.mark.parametrize(("lines", "complaint"), BROKEN)
def test_a_broken_answer_is_no_answer(lines: list[str], complaint: str) -> None:
    scripts = [Script("h", SHARED, ("a", "b", word), shares=2) for word in "xy"]
    output = "\n".join(f"orchestrator-{line}" for line in (*lines, "end 2"))
    with pytest.raises(ValueError, match=complaint):
        parse_look(scripts, output)


def test_only_what_is_equal_but_for_its_own_arguments_is_asked_together() -> None:
    first = Script("h", SHARED, ("a", "b", "c"), shares=2)
    others = [
        replace(first, arguments=("a", "x", "c")),
        replace(first, timeout_s=9.0),
        replace(first, secret=Secret("x")),
        replace(first, shares=0),
        Script("h", "echo"),
        Script("h", "echo"),
    ]
    second = replace(first, arguments=("a", "b"))

    assert [(first, second), *((other,) for other in others)] == together([first, *others, second])


def test_what_is_equal_but_for_what_it_asks_about_is_asked_once_about_all_of_it() -> None:
    first = Script("h", 'printf "%s|" "$@"', ("user", "a", "b"), shares=1)
    second = replace(first, arguments=("user", "b", "c", "b"))
    bare = replace(first, arguments=("user",))
    others = [
        replace(first, host="g"),
        replace(first, arguments=("nobody", "a")),
        replace(first, timeout_s=9.0),
        replace(first, secret=Secret("x")),
        replace(first, shares=0),
        Script("h", SHARED, ("a", "b", "c"), shares=2),
        Script("h", SHARED, ("a", "b", "d"), shares=2),
    ]
    everything = replace(first, arguments=("user", "a", "b", "c"), timeout_s=3 * first.timeout_s)

    asked = joined([others[0], first, *others[1:], second, bare])
    assert {first, second, bare} == {script for script, one in asked.items() if one == everything}
    assert others == [script for script, one in asked.items() if one == script]
    assert {first: first} == joined([first])
    assert [(first,), (second,)] == together([first, second])


def test_shellcheck_passes() -> None:
    scripts = [Script("h", v3.ASK, (*"1234", word), shares=4) for word in ("status", "health")]
    look = look_script(scripts)
    inner = look[look.index(" sh -c ") :].split("'", 1)[1].split("' check ", 1)[0].replace("'\"'\"'", "'")
    program = Path(sys.executable).with_name("shellcheck")
    for text in (look, inner):
        checked = subprocess.run(
            [program, "--norc", "-s", "sh", "-e", "SC2016", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.stdout == ""
