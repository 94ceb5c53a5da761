"""A job on its host: started once as a transient unit, and answered for by the result that it leaves."""

import base64
import binascii
import math
import re

from orchestrator.errors import HostUnreachableError
from orchestrator.host import places
from orchestrator.host.operations import Job, JobResult
from orchestrator.remote.conversation import Conversation
from orchestrator.remote.job_archive import FENCED, pack
from orchestrator.remote.script import PATH
from orchestrator.text import shown

HOME = "/run/orchestrator"  # a tmpfs: after a reboot no job is under way, and none is remembered
_GRACE_S = 20  # from the job's own deadline to the moment when systemd must have ended it
_HELLO = re.compile(r"orchestrator-hello ([0-9A-Za-z.-]{1,128}) (present|missing)")
_RESULT = re.compile(r"orchestrator-result (?P<status>[0-9]{1,4}) (?P<output>[A-Za-z0-9+/=]*)")
_OUTPUT_CHARS = 88_000  # 64 KiB in base64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")  # a file name and a unit name

# Two callers may come at once (a connection was lost, and is replaced while the first shell still lives): the
# rename is what decides who starts the job, because it fails if the directory is there.
_STARTER = r"""
orchestrator_result() {
  printf 'orchestrator-result %s %s\n' "$1" "$(tail -c 65536 | base64 -w0)"
}
orchestrator_begin() {
  if ! fresh=$(mkdir -p "$home" 2>&1 && mktemp -d "$home/.job.XXXXXX" 2>&1); then
    echo "the job was not started: $fresh" | orchestrator_result 125
    exit
  fi
  trap 'rm -rf "$fresh"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  if ! told=$(timeout 30 tar -x -m -o -f - -C "$fresh" 2>&1) || [ ! -f "$fresh/run" ]; then
    echo "the job did not arrive, and was not started: $told" | orchestrator_result 125
    exit
  fi
  mv -T "$fresh" "$dir" 2>/dev/null || return 0
  systemd-run --quiet --collect --no-block --unit="$unit" -p RuntimeMaxSec="$4" -p TimeoutStopSec=5 \
    -p ExecStopPost="/bin/sh $dir/end" /bin/sh "$dir/run" "$3" >>"$dir/output" 2>&1 || :
}
orchestrator_gone() {
  case $(systemctl is-active "$unit" 2>/dev/null) in inactive | failed | unknown) ;; *) return 1 ;; esac
}
orchestrator_status() {
  status=
  { read -r status <"$dir/exit" || read -r status <"$dir/status"; } 2>/dev/null || :
}
orchestrator_wait() {
  ticks=1 gone=0
  while [ ! -f "$dir/exit" ]; do
    if [ $((ticks % 20)) -eq 0 ]; then
      echo orchestrator-waiting
      if orchestrator_gone; then gone=$((gone + 1)); else gone=0; fi
      if [ "$gone" -ge 4 ] && [ ! -f "$dir/exit" ]; then
        rm -f "$dir"/payload-*
        [ ! -s "$dir/status" ] || break  # it ended, and only what systemd does behind it did not run
        { cat "$dir/output"; echo "interrupted on the host: $unit ended and left no result"; } 2>/dev/null |
          orchestrator_result 125
        exit
      fi
    fi
    if [ "$ticks" -ge $(($5 * 20)) ]; then
      echo orchestrator-pending
      exit
    fi
    ticks=$((ticks + 1))
    sleep 0.05
  done
  orchestrator_status  # empty if the disk was full
  {
    cat "$dir/output"
    [ -n "$status" ] || echo "its exit status could not be written: is there room in $home?"
  } | orchestrator_result "${status:-125}"
}
orchestrator_start() {
  umask 077
  LC_ALL=C
  PATH=@PATH@
  export LC_ALL PATH
  home=$1 dir=$1/$2 unit=orchestrator-$2.service
  boot=$(cat /proc/sys/kernel/random/boot_id).$(cut -d' ' -f22 /proc/1/stat)
  orchestrator_status
  if [ "$status" = 1006 ] && { [ -f "$dir/exit" ] || orchestrator_gone; }; then
    rm -rf "$dir"  # it did nothing, as its lock was gone: now it may have another one
  fi
  echo  # what a login shell printed may not have ended its line
  if [ -d "$dir" ]; then
    echo "orchestrator-hello $boot present"
  else
    echo "orchestrator-hello $boot missing"
    orchestrator_begin "$@"
  fi
  orchestrator_wait "$@"
}
orchestrator_start "$@"; exit  # nothing that is left on stdin may be read as commands
""".replace("@PATH@", PATH)


def longest_s(job: Job, patience_s: float) -> float:
    """How long performing a job may take, whatever its host does; an attempt to connect may run over it.

    The job runs out, systemd ends it, and a host that is away meanwhile is waited for (``patience_s``).
    """
    return job.deadline_s + _GRACE_S + patience_s


class SettledError(HostUnreachableError):
    """Nothing that may be asked again at once would bring another answer."""


class Performance:
    """One job's dialogue with its host, over as many connections as it takes."""

    def __init__(self, job: Job, home: str = HOME, kept: str = places.KEPT) -> None:
        if not _ID.fullmatch(job.id):
            raise ValueError(f"job id {job.id!r}: only letters, digits, '_', '.' and '-', at most 128")
        whole_s = math.ceil(job.deadline_s)
        self.job = job
        self.arguments = (home, job.id, f"{job.deadline_s:g}", str(whole_s + 5), str(whole_s + _GRACE_S))
        self._archive = pack(job, kept)
        self._boot: str | None = None
        self.greetings = 0  # how often the host has answered

    @property
    def is_begun(self) -> bool:
        """Whether the job may have been sent already."""
        return self._boot is not None

    @property
    def standing(self) -> str:
        """What is true of the job if no result could be read."""
        return f"job {self.job.id} is in doubt" if self.is_begun else f"job {self.job.id} was not sent"

    def hold(self, conversation: Conversation) -> JobResult:
        """Have the job started if it is not there yet, and wait for its result.

        Raises SettledError if the host was rebooted since the dialogue began, or the job does not end, and
        ValueError for what no host of ours says.
        """
        conversation.say(_STARTER.encode())
        hello = _HELLO.fullmatch(conversation.line())
        if not hello:
            raise ValueError("its greeting is garbled")
        boot, found = hello.groups()
        self.greetings += 1
        if self._boot not in {None, boot}:
            raise SettledError(self.job.host, f"rebooted in the middle of {self.job.id}")
        self._boot = boot
        if found == "missing":  # and the host is up since we began: what was sent before did not arrive whole
            conversation.say(self._archive)
        conversation.end_input()
        while (line := conversation.line()) == "orchestrator-waiting":
            pass
        if line == "orchestrator-pending":
            raise SettledError(self.job.host, f"no result {_GRACE_S} s after the job's deadline")
        return read_result(line)


def read_result(line: str) -> JobResult:
    """Read an ``orchestrator-result STATUS OUTPUT`` line; the output is the last 64 KiB at most.

    Raises ValueError for a line that no host of ours prints.
    """
    match = _RESULT.fullmatch(line)
    if not match or len(match["output"]) > _OUTPUT_CHARS:
        raise ValueError(f"its result is garbled: {shown(line)}")
    status = int(match["status"])
    if status > 255 and status != FENCED:
        raise ValueError(f"its result is garbled: no process ends with {status}")
    try:
        output = base64.b64decode(match["output"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"its result is garbled: {error}") from error
    return JobResult(status, output.decode(errors="replace"))
