"""Questions as POSIX shell, and what they print as answers."""

import base64
import binascii
import shlex
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from orchestrator.host.questions import EACH, Answer, Answers, Download, Question, Script

# Whole scripts are functions that their last line calls: one that arrives cut short does nothing. Their lines
# start with "orchestrator-", because a login shell may print lines of its own first.

# Where programs lie that sudo's secure_path or a service's PATH leaves out: etcdctl is often in one of these.
PATH = "$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/opt/bin"
# What /etc/environment, a login shell or systemd's manager sets for others must not change what we ask:
# etcdctl ends at once if an ETCDCTL_ variable meets a flag of the same meaning, and curl obeys proxies.
CLEAN = 'env -i -- LC_ALL=C HOME=/root PATH="$PATH"'

# The first line for a shell: from then on it has a clean environment, whatever its own start files set.
LOOKING_SHELL = (
    f"exec env -i -- LC_ALL=C HOME=/root PATH=\"{PATH}\" sh -c 'echo; echo orchestrator-hello; exec sh -s'\n"
)

# A download's output comes in lines, compressed; its answer, in the same form, is the last one.
_DOWNLOAD = r"""
orchestrator_download() {
  limit=$1
  shift
  exec 5>&1
  answer=$({
    {
      said=$({ timeout -k 1 "$limit" "$@" 4>&- 5>&-; printf 'rc=%s' "$?" >&2; } 2>&1 >&3)
      printf '\0%s' "$said" | base64 -w0 >&4
    } 3>&1 | nice gzip -1 | base64 -w 1048576 | sed 's/^/orchestrator-part /' >&5
  } 4>&1)
  printf 'orchestrator-answer %s\n' "$answer"
}
"""

# One process encodes an answer: its output as it is, and what it said on stderr behind a NUL. A command that
# is alone in $() needs no other process beside its own, as it would with its status printed behind it.
_LOOK = r"""
orchestrator_ask() {
  limit=$1
  shift
  printf 'orchestrator-answer '
  {
    said=$(timeout -k 1 "$limit" "$@" 2>&1 >&3)
    printf '\0%src=%s' "$said" "$?"
  } 3>&1 | base64 -w0
  echo
}
"""

# Questions that share their beginning, by one shell: their answers, and at the end how that shell ended and
# what it said, which is the answer of those that it did not come to. It may have been stopped within a line.
_TOGETHER = r"""
orchestrator_ask_together() {
  limit=$1
  shift
  {
    said=$(timeout -k 1 "$limit" "$@" 2>&1 >&3)
    status=$?
  } 3>&1
  rest=AHJjPTA=  # it said nothing, and ended well
  [ "$status$said" = 0 ] || rest=$(printf '\0%src=%s' "$said" "$status" | base64 -w0)
  printf ' cut\norchestrator-rest %s\n' "$rest"
}
"""
_EACH = r"""
orchestrator_answer() {
  printf 'orchestrator-answer '
  {
    said=$(orchestrator_each "$@" 2>&1 >&3)
    printf '\0%src=%s' "$said" "$?"
  } 3>&1 | base64 -w0
  echo
}
"""
REST = "orchestrator-rest "
_CUT = " cut"


def look_script(scripts: Sequence[Script]) -> str:
    """Return one script that asks every question of one host in turn, a line for each answer.

    It writes no file, and is for a shell that has read LOOKING_SHELL. Each line is ``orchestrator-answer``
    and in base64 what was printed, a NUL, what was said on stderr (without NULs, nor newlines at its end) and
    ``rc=STATUS``; a last line ``orchestrator-end COUNT`` says that nothing is missing. Behind answers of
    questions that are asked together comes ``orchestrator-rest`` and one more, in the same form.
    """
    groups = together(scripts)
    functions = [_LOOK.strip(), *([_TOGETHER.strip()] if len(groups) < len(scripts) else [])]
    look = ["orchestrator_look() {", "  echo orchestrator-begin", *map(_ask_group, groups)]
    return "\n".join(
        [*functions, *look, f"  echo 'orchestrator-end {len(scripts)}'", "}", "(orchestrator_look)\n"]
    )


def joined(scripts: Iterable[Script]) -> Mapping[Script, Script]:
    """Return the question that is asked for each: one for all those whose answer is everybody's.

    It may take as long as all of them. One that fails says nothing of each: they are asked by themselves.
    """
    groups: dict[Script, list[Script]] = {}
    for script in scripts:
        groups.setdefault(_beginning(script) if script.is_joined else script, []).append(script)
    asked: dict[Script, Script] = {}
    for group in groups.values():
        first, count = group[0], len(group)
        things = dict.fromkeys(chain.from_iterable(one.arguments[one.shares :] for one in group))
        arguments = (*first.arguments[: first.shares], *things)
        one_for_all = replace(first, arguments=arguments, timeout_s=count * first.timeout_s)
        asked |= dict.fromkeys(group, first if count == 1 else one_for_all)
    return asked


def together(scripts: Sequence[Script]) -> Sequence[tuple[Script, ...]]:
    """Return the questions in the order in which they are asked, with those that are asked together."""
    groups: dict[object, list[Script]] = {}
    for number, script in enumerate(scripts):
        is_shared = script.shares > 0 and not script.is_joined
        groups.setdefault(_beginning(script) if is_shared else number, []).append(script)
    return [tuple(group) for group in groups.values()]


def _beginning(script: Script) -> Script:
    return replace(script, arguments=script.arguments[: script.shares])


def download_script(download: Download) -> str:
    """Return the script that sends a download, for a shell that has read LOOKING_SHELL.

    It prints lines of ``orchestrator-part`` and base64, which together are one gzip stream, and then an
    ``orchestrator-answer`` as ``look_script`` has it.
    """
    ask = _ask(download, "orchestrator_download")
    return "\n".join((_DOWNLOAD.strip(), "orchestrator_send() {", ask, "}", "(orchestrator_send)\n"))


def _ask_group(group: Sequence[Script]) -> str:
    first = group[0]
    if len(group) == 1:
        return _ask(first)
    shared, _, each = first.script.partition(f"{EACH}\n")
    asks = (f"orchestrator_answer {shlex.join(one.arguments[one.shares :])}" for one in group)
    text = "\n".join((shared, f"orchestrator_each() {{\n{each}\n}}{_EACH}", *asks))
    arguments, timeout_s = first.arguments[: first.shares], sum(one.timeout_s for one in group)
    one_for_all = replace(first, script=text, arguments=arguments, timeout_s=timeout_s)
    return _ask(one_for_all, "orchestrator_ask_together")


def _ask(script: Script | Download, by: str = "orchestrator_ask") -> str:
    """Return the line that asks a question; printf is the shell's own, so no process shows the secret."""
    words = shlex.join((script.script, "check", *script.arguments))
    ask = f"{by} {script.timeout_s:g} sh -c {words}"
    if script.secret is None:
        return f"  {ask} </dev/null"
    return f"  printf '%s\\n' {shlex.quote(script.secret.reveal())} | {ask}"


def parse_look(scripts: Sequence[Script], output: str) -> Answers:
    """Read what ``look_script(scripts)`` printed; ValueError if it is cut short or garbled."""
    lines = [line for line in output.splitlines() if line.startswith("orchestrator-")]
    answers = deque(line for line in lines if line.startswith(("orchestrator-answer ", REST)))
    arrived = f"{len(answers)} of {len(scripts)} answers arrived"
    found: dict[Question, Answer] = {}
    try:
        for group in together(scripts):
            found |= zip(group, _answers_of(group, answers), strict=True)
    except IndexError as error:
        raise ValueError(arrived) from error
    if lines[-1:] != [f"orchestrator-end {len(scripts)}"] or answers:
        raise ValueError(arrived)
    return found


def _answers_of(group: Sequence[Script], lines: deque[str]) -> Iterable[Answer]:
    """Take a group's lines from the left, and return an answer for each question."""
    if len(group) == 1:
        return (answer_of(lines.popleft()),)
    found = []
    while not (line := lines.popleft()).startswith(REST):
        found += [answer_of(line)] if not line.endswith(_CUT) else []
    rest = answer_of(line)
    missing = len(group) - len(found)
    if missing < 0 or (missing and rest.exit_status == 0):
        raise ValueError(f"{len(found)} of {len(group)} answers arrived")
    if rest.stderr:  # said before it came to any of them
        found = [replace(one, stderr=f"{rest.stderr}\n{one.stderr}".rstrip("\n")) for one in found]
    return (*found, *[rest] * missing)


def answer_of(line: str) -> Answer:
    """Read one line of an answer; ValueError if it is garbled."""
    try:
        text = base64.b64decode(line.partition(" ")[2], validate=True)
        stdout, _, stderr = text.rpartition(b"\0")
        said, _, status = stderr.decode(errors="replace").rpartition("rc=")
        exit_status = int(status)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"an answer is garbled: {error}") from error
    if exit_status == 137:  # timeout's own status once TERM was not enough and KILL had to follow
        exit_status = 124
    return Answer(exit_status, stdout.decode(errors="replace"), said)
