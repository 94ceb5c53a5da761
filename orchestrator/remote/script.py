"""Questions as POSIX shell, and what they print as answers."""

import base64
import binascii
import shlex
from collections.abc import Sequence

from orchestrator.host.questions import Answer, Answers, Download, Script

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

# One process encodes an answer: its output as it is, and what it said on stderr behind a NUL. In $() a command
# that is alone needs no process beside its own, as it would with its status printed behind it.
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
orchestrator_look() {
  echo orchestrator-begin
"""


def look_script(scripts: Sequence[Script]) -> str:
    """Return one script that asks every question of one host in turn, a line for each answer.

    It writes no file, and is for a shell that has read LOOKING_SHELL. Each line is ``orchestrator-answer``
    and in base64 what was printed, a NUL, what was said on stderr (without NULs, nor newlines at its end) and
    ``rc=STATUS``; a last line ``orchestrator-end COUNT`` says that nothing is missing.
    """
    asks = map(_ask, scripts)
    return "\n".join(
        [_LOOK.strip(), *asks, f"  echo 'orchestrator-end {len(scripts)}'", "}", "(orchestrator_look)\n"]
    )


def download_script(download: Download) -> str:
    """Return the script that sends a download, for a shell that has read LOOKING_SHELL.

    It prints lines of ``orchestrator-part`` and base64, which together are one gzip stream, and then an
    ``orchestrator-answer`` as ``look_script`` has it.
    """
    ask = _ask(download, "orchestrator_download")
    return "\n".join((_DOWNLOAD.strip(), "orchestrator_send() {", ask, "}", "(orchestrator_send)\n"))


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
    answers = [line for line in lines if line.startswith("orchestrator-answer ")]
    if lines[-1:] != [f"orchestrator-end {len(scripts)}"] or len(answers) != len(scripts):
        raise ValueError(f"{len(answers)} of {len(scripts)} answers arrived")
    return {script: answer_of(line) for script, line in zip(scripts, answers, strict=True)}


def answer_of(line: str) -> Answer:
    """Read one line of an answer; ValueError if it is garbled."""
    try:
        text = base64.b64decode(line.removeprefix("orchestrator-answer "), validate=True)
        stdout, _, stderr = text.rpartition(b"\0")
        said, _, status = stderr.decode(errors="replace").rpartition("rc=")
        exit_status = int(status)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"an answer is garbled: {error}") from error
    if exit_status == 137:  # timeout's own status once TERM was not enough and KILL had to follow
        exit_status = 124
    return Answer(exit_status, stdout.decode(errors="replace"), said)
