"""Operations and questions as POSIX shell: the one place where anything is quoted."""

import base64
import binascii
import posixpath
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from orchestrator.host import places
from orchestrator.host.operations import (
    EditFile,
    MakeDirectory,
    Operation,
    Remove,
    RemoveDirectory,
    Run,
    Secret,
    Write,
)
from orchestrator.host.questions import Answer, Answers, Download, Script
from orchestrator.trusted import UNTRUSTED

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

# One process encodes an answer: its output as it is, and what it said on stderr behind a NUL.
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

_LOOK = r"""
orchestrator_ask() {
  limit=$1
  shift
  printf 'orchestrator-answer '
  {
    said=$({ timeout -k 1 "$limit" "$@"; printf 'rc=%s' "$?" >&2; } 2>&1 >&3)
    printf '\0%s' "$said"
  } 3>&1 | base64 -w0
  echo
}
orchestrator_look() {
  echo orchestrator-begin
"""

# The sibling's name is fixed: a job that was cut off left it behind at worst, and doing it again clears it.
# ``install`` unlinks what is there, creates with 0600 and gives away owner and mode after that.
_JOB = rf"""set -eu
umask 077
LC_ALL=C
PATH={PATH}
export LC_ALL PATH
doing=start sibling=
finish() {{
  status=$?
  [ -z "$sibling" ] || rm -f -- "$sibling"
  [ "$status" -eq 0 ] || printf 'failed: %s\n' "$doing" >&2
}}
trap finish EXIT
trap 'exit 143' HUP INT TERM
settle() {{
  sync -- "$1" 2>/dev/null || sync
}}
expect_sha256() {{
  sum=$(sha256sum <"$1")
  [ "${{sum%% *}}" = "$2" ] || {{ printf '%s: its content is not what was sent\n' "$1" >&2; exit 1; }}
}}
{UNTRUSTED}
only_in_roots_own() {{
  why=$(untrusted "$1")
  [ -z "$why" ] || {{ printf '%s: nothing is written there as root\n' "$why" >&2; exit 1; }}
}}
write_file() {{
  only_in_roots_own "$2"
  sibling=$2/.$3.orchestrator
  install -T -m "$4" -o "$5" -g "$6" -- "$1" "$sibling"
  expect_sha256 "$sibling" "$7"
  settle "$sibling"
  mv -T -- "$sibling" "$2/$3"
  sibling=
  settle "$2"
  expect_sha256 "$2/$3" "$7"
}}
edit_file() {{
  kept=$1
  shift
  only_in_roots_own "$1"
  folder=$1 name=$2 edited=$1/$2 before=$3 after=$4
  rm -f -- "$1/.$2.orchestrator"
  [ -f "$edited" ] && [ ! -L "$edited" ] || {{ printf '%s: it is no file any more\n' "$edited" >&2; exit 1; }}
  sum=$(sha256sum <"$edited")
  case ${{sum%% *}} in
    "$after") keep_edited; return ;;
    "$before") ;;
    *) printf '%s: somebody has changed it, and it stays as it is\n' "$edited" >&2; exit 1 ;;
  esac
  sibling=$1/.$2.orchestrator
  cp --preserve=all -- "$edited" "$sibling"
  shift 4
  read_bytes=0
  while [ "$#" -gt 0 ]; do
    tail -c "+$((read_bytes + 1))" -- "$edited" | head -c "$(($1 - read_bytes))"
    printf '%s' "$3"
    read_bytes=$(($1 + $2))
    shift 3
  done >"$sibling"
  tail -c "+$((read_bytes + 1))" -- "$edited" >>"$sibling"
  expect_sha256 "$sibling" "$after"
  settle "$sibling"
  sum=$(sha256sum <"$edited")
  [ "${{sum%% *}}" = "$before" ] || {{ printf '%s: somebody has just changed it\n' "$edited" >&2; exit 1; }}
  mv -T -- "$sibling" "$edited"
  sibling=
  settle "$folder"
  expect_sha256 "$edited" "$after"
  keep_edited
}}
keep_edited() {{
  mkdir -p -- "$kept$folder"
  cp --preserve=all -- "$edited" "$kept$folder/$name"
}}
make_directory() {{
  [ -d "$1" ] || only_in_roots_own "$1"
  [ -d "$1" ] || install -d -m "$2" -o "$3" -g "$4" -- "$1"
}}
remove_file() {{
  rm -f -- "$1/$2"
  [ ! -d "$1" ] || settle "$1"
}}
remove_directory() {{
  [ ! -d "$1" ] || rmdir --ignore-fail-on-non-empty -- "$1"
}}
run_command() {{
  (umask 022 && exec {CLEAN} "$@")
}}
run_with_secrets() {{
  secrets=$1
  shift
  (umask 022 && exec {CLEAN} "$@" <"$secrets")
}}
"""


# Leaves in each variable of $1 a line of stdin, and becomes the command behind it.
_TAKE_SECRETS = 'for each in $1; do IFS= read -r "$each" && export "$each"; done; shift; exec "$@" </dev/null'


def look_script(scripts: Sequence[Script]) -> str:
    """Return one script that asks every question of one host in turn, a line for each answer.

    It writes no file, and is for a shell that has read LOOKING_SHELL. Each line is ``orchestrator-answer``
    and in base64 what was printed, a NUL, what was said on stderr (without NULs) and ``rc=STATUS``; a last
    line ``orchestrator-end COUNT`` says that nothing is missing.
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


def job_script(operations: Iterable[Operation]) -> tuple[str, Mapping[str, bytes]]:
    """Return the script that performs the operations in order, and the payload files it needs beside it.

    File contents are in the payload files only, never in the script. The script runs in their directory,
    stops at the first failure and says on stderr which operation failed.
    """
    lines = [_JOB]
    files: dict[str, bytes] = {}
    for operation in operations:
        lines.append(f"doing={shlex.quote(render(operation))}\n")
        payload = f"payload-{len(files) + 1}"
        if isinstance(operation, Write):
            files[payload] = operation.text.encode()
        if isinstance(operation, Run) and (secrets := _secrets(operation)):
            files[payload] = "".join(f"{secret.reveal()}\n" for secret in secrets.values()).encode()
        lines.append(shlex.join(_command(operation, payload)) + "\n")
    return "".join(lines), files


def _command(operation: Operation, payload: str) -> tuple[str, ...]:
    """Return the operation as one call of the job script's own functions."""
    match operation:
        case MakeDirectory(path, mode, owner, group):
            return ("make_directory", path, f"{mode:04o}", owner, group)
        case Write(path, _, mode, owner, group):
            place = posixpath.split(path)
            return ("write_file", payload, *place, f"{mode:04o}", owner, group, operation.sha256)
        case EditFile(path, edits, before, after):
            pieces = ((str(one.at_byte), str(len(one.old.encode())), one.new) for one in edits)
            return (
                "edit_file",
                places.EDITED,
                *posixpath.split(path),
                before,
                after,
                *chain.from_iterable(pieces),
            )
        case Remove(path):
            return ("remove_file", *posixpath.split(path))
        case RemoveDirectory(path):
            return ("remove_directory", path)
        case Run(argv, environment):  # by env, so that no name can mean a function or a builtin
            variables = tuple(f"{name}={value}" for name, value in environment if isinstance(value, str))
            secrets = " ".join(_secrets(operation))
            taking = ("run_with_secrets", payload, *variables, "sh", "-c", _TAKE_SECRETS, "run", secrets)
            return (*(taking if secrets else ("run_command", *variables)), *argv)


def _secrets(operation: Run) -> Mapping[str, Secret]:
    return {name: value for name, value in operation.environment if isinstance(value, Secret)}


def render(operation: Operation) -> str:
    """Return the operation as one line for people; the content of a file is shown as size and digest."""
    match operation:
        case MakeDirectory(path, mode, owner, group):
            return f"make directory {_word(path)} ({mode:04o} {owner}:{group})"
        case Write(path, _, mode, owner, group):
            size_bytes = len(operation.text.encode())
            what = f"{mode:04o} {owner}:{group}, {size_bytes} bytes, sha256 {operation.sha256[:12]}…"
            return f"write {_word(path)} ({what})"
        case EditFile(path, edits, before, after):
            lines = ", ".join(str(line) for line in dict.fromkeys(one.line for one in edits))
            return f"edit {_word(path)} (lines {lines}; sha256 {before[:12]}… -> {after[:12]}…)"
        case Remove(path):
            return f"remove {_word(path)}"
        case RemoveDirectory(path):
            return f"remove directory {_word(path)} if it is empty"
        case Run(argv, environment):
            words = [f"{name}={_word(str(value))}" for name, value in environment] + [
                _word(word) for word in argv
            ]
            return " ".join(["run", *words])


def _word(text: str) -> str:
    """Quote a word as a person would, on one line and without control characters."""
    if text.isprintable():
        return shlex.quote(text)
    shown = (char if char.isprintable() and char not in "\\'" else _escape(char) for char in text)
    return "$'" + "".join(shown) + "'"


def _escape(char: str) -> str:
    return f"\\{char}" if char in "\\'" else char.encode("unicode_escape").decode()
