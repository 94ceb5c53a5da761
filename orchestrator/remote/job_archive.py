"""A job as it is sent: what its directory on the host holds, and how it begins and ends there."""

import io
import tarfile

from orchestrator.host import places
from orchestrator.host.operations import Job
from orchestrator.remote.job_script import job_script

FENCED = 1006  # a job that found its lock gone, and did nothing; no process can end with that status

# The unit's main process. Its own timeout comes before the unit's RuntimeMaxSec, which is the backstop.
# ``host-lock`` holds the lock's first line as it has to be, the lock's path and, for a step's job, where its
# name is put down before it begins: there it outlasts the state file and a reboot (see begun.py). The lock
# does not change hands while the job runs: who changes it wants the directory above to itself (host_locks.py)
# ``room`` came with the archive, and is written over in place: a disk that fills up loses no result.
_LEAVE = r"""leave() {
  printf '%-5s\n' "$1" 1<>room && mv -T room status
}
"""
_RUN = r"""cd "${0%/*}" || exit 125
@LEAVE@
settle() {
  sync -- "$1" 2>/dev/null || sync
}
put_down() {
  umask 077
  mkdir -p -- "${1%/*}" && { [ ! -f "$1" ] || cat -- "$1"; } >"$1.new" &&
    printf '%s\n' "${PWD##*/}" >>"$1.new" && settle "$1.new" && mv -T -- "$1.new" "$1" && settle "${1%/*}"
}
if [ -f host-lock ]; then
  { read -r mark && read -r holder && read -r begun; } <host-lock
  exec 9<..
  flock -s 9 || exit 125
  held=
  { read -r held <"$holder"; } 2>/dev/null
  if [ "$held" != "$mark" ]; then
    cat "$holder" >>output 2>/dev/null
    leave 1006
    exit
  fi
  if [ -n "$begun" ] && ! (put_down "$begun") >>output 2>&1; then
    echo 'nothing was done: it cannot be put down that it began' >>output
    leave 1
    exit
  fi
fi
timeout -k 2 "$1" sh ./script </dev/null >>output 2>&1 9<&-
status=$?
case $status in
  124 | 137) printf 'stopped at its deadline of %s s\n' "$1" >>output ;;
esac
leave "$status"
"""

# ExecStopPost: systemd runs this however the main process ended.
_END = r"""cd "${0%/*}" || exit 125
@LEAVE@
rm -f payload-*
if [ ! -f status ]; then
  echo 'interrupted on the host' >>output
  leave 125
fi
mv -T status exit
"""


def pack(job: Job, kept: str = places.KEPT) -> bytes:
    """Return a tar archive of what the job's directory on the host holds; ``run`` comes last.

    ``kept`` is the directory on the host's disk where its lock lies, and the names of jobs that began.

    An archive that was cut short has no ``run``, so it is never started.
    """
    script, payloads = job_script(job.operations)
    files = {"script": script.encode(), **payloads}
    if job.lock:
        begun = places.begun(job.lock.split(" ")[0], kept) if job.step else ""
        files["host-lock"] = f"{job.lock}\n{places.holder(kept)}\n{begun}\n".encode()
    files["room"] = b"     \n"
    files |= {
        name: text.replace("@LEAVE@\n", _LEAVE).encode() for name, text in (("end", _END), ("run", _RUN))
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
