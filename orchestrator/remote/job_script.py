"""Operations as POSIX shell: one script for a job, and one line for people."""

import posixpath
import shlex
from collections.abc import Iterable, Mapping
from itertools import chain

from orchestrator.host import places
from orchestrator.host.operations import (
    EditFile,
    MakeDirectory,
    Operation,
    Remove,
    RemoveDirectory,
    ReplaceFile,
    Run,
    Secret,
    Write,
)
from orchestrator.remote.script import CLEAN, PATH
from orchestrator.trusted import UNTRUSTED

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
  put_in_place "$2" "$3" "$7"
}}
put_in_place() {{
  mv -T -- "$sibling" "$1/$2"
  sibling=
  settle "$1"
  expect_sha256 "$1/$2" "$3"
}}
look_at() {{
  only_in_roots_own "$folder"
  rm -f -- "$folder/.$name.orchestrator"
  [ -f "$1" ] && [ ! -L "$1" ] || refuse "$1: it is no file any more"
  sum=$(sha256sum <"$1")
  case ${{sum%% *}} in
    "$after") is_changed=yes ;;
    "$before") is_changed= ;;
    *) refuse "$1: somebody has changed it, and it stays as it is" ;;
  esac
}}
change() {{
  expect_sha256 "$sibling" "$after"
  settle "$sibling"
  sum=$(sha256sum <"$1")
  [ "${{sum%% *}}" = "$before" ] || refuse "$1: somebody has just changed it"
  put_in_place "$folder" "$name" "$after"
}}
edit_file() {{
  kept=$1
  shift
  folder=$1 name=$2 edited=$1/$2 before=$3 after=$4
  look_at "$edited"
  [ -z "$is_changed" ] || {{ keep_edited; return; }}
  sibling=$folder/.$name.orchestrator
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
  change "$edited"
  keep_edited
}}
keep_edited() {{
  mkdir -p -- "$kept$folder"
  cp --preserve=all -- "$edited" "$kept$folder/$name"
}}
refuse() {{
  printf '%s\n' "$1" >&2
  exit 1
}}
replace_file() {{
  content=$1 kept=$2$3 folder=$3 name=$4 before=$5 after=$6
  replaced=$folder/$name
  look_at "$replaced"
  [ -z "$is_changed" ] || {{ forget_replaced; return; }}
  sibling=$folder/.$name.orchestrator
  if [ -n "$content" ]; then
    keep_replaced
    cp --preserve=all -- "$replaced" "$sibling"
    cat -- "$content" >"$sibling"
  else
    [ -f "$kept/$name" ] || refuse "$replaced: what stood in it before is not kept here"
    cp --preserve=all -- "$kept/$name" "$sibling"
  fi
  change "$replaced"
  forget_replaced
}}
keep_replaced() {{
  mkdir -p -- "$kept"
  cp --preserve=all -- "$replaced" "$kept/.$name.orchestrator"
  expect_sha256 "$kept/.$name.orchestrator" "$before"
  settle "$kept/.$name.orchestrator"
  mv -T -- "$kept/.$name.orchestrator" "$kept/$name"
  settle "$kept"
}}
forget_replaced() {{
  [ -n "$content" ] || rm -f -- "$kept/$name"
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
        if isinstance(operation, ReplaceFile) and operation.content:
            files[payload] = operation.content.reveal().encode()
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
        case EditFile() | ReplaceFile():
            return _changing(operation, payload)
        case Remove(path):
            return ("remove_file", *posixpath.split(path))
        case RemoveDirectory(path):
            return ("remove_directory", path)
        case Run(argv, environment):  # by env, so that no name can mean a function or a builtin
            variables = tuple(f"{name}={value}" for name, value in environment if isinstance(value, str))
            secrets = " ".join(_secrets(operation))
            taking = ("run_with_secrets", payload, *variables, "sh", "-c", _TAKE_SECRETS, "run", secrets)
            return (*(taking if secrets else ("run_command", *variables)), *argv)


def _changing(operation: EditFile | ReplaceFile, payload: str) -> tuple[str, ...]:
    file = (*posixpath.split(operation.path), operation.before, operation.after)
    if isinstance(operation, ReplaceFile):
        return ("replace_file", payload if operation.content else "", places.REPLACED, *file)
    pieces = ((str(one.at_byte), str(len(one.old.encode())), one.new) for one in operation.edits)
    return ("edit_file", places.EDITED, *file, *chain.from_iterable(pieces))


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
        case EditFile(path, _, before, after) | ReplaceFile(path, _, before, after):
            digests = f"sha256 {before[:12]}… -> {after[:12]}…"
            verb = "edit"
            if isinstance(operation, EditFile):
                lines = ", ".join(str(line) for line in dict.fromkeys(one.line for one in operation.edits))
                digests = f"lines {lines}; {digests}"
            else:
                verb = "replace" if operation.content else "put back"
            return f"{verb} {_word(path)} ({digests})"
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
