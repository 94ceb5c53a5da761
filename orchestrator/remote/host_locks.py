"""Holding the locks of all hosts: taken in the plan's order, carried by each job, let go at the end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Self

from orchestrator.errors import HostUnreachableError, LockedError, LoginRefusedError, RefusedError
from orchestrator.host import lock, names
from orchestrator.host.lock import Holder
from orchestrator.host.operations import Job, JobResult, Run
from orchestrator.host.questions import Answers, Question
from orchestrator.remote.at_once import at_once
from orchestrator.remote.each_host import ask_each
from orchestrator.remote.executor import Hosts
from orchestrator.remote.job import HOME
from orchestrator.remote.job_archive import FENCED

_DEADLINE_S = 60.0  # beyond the time that the scripts wait for a step under way

# Both scripts hold the guard alone. Each job that carries a lock shares it from its look at the lock to its
# end, so a lock never changes hands in the middle of a step. $1 guard, $2 directory.
_GUARD = r"""set -eu
umask 077
exec 9<"$1"
if ! flock -x -w 45 9; then
  echo 'a step of another process is still under way'
  exit 1
fi
"""
# $3 the new holder's file. A holder gives way to its own run on its own state file only: the process that has
# that file open under its lock is the only one that can ask.
TAKE = (
    _GUARD
    + r"""identity() {
  sed -n -e '1s/ .*//p' -e 2,3p
}
if [ -s "$2/holder" ] && [ "$(identity <"$2/holder")" != "$(printf '%s\n' "$3" | identity)" ]; then
  echo held
  cat -- "$2/holder"
  exit
fi
mkdir -p -- "$2"
printf '%s\n' "$3" >"$2/.holder"
sync -- "$2/.holder" 2>/dev/null || sync
mv -T -- "$2/.holder" "$2/holder"
sync -- "$2" 2>/dev/null || sync
echo taken
"""
)
# $3 the mark of one process, or the id of a run. What somebody else holds by now is left alone.
RELEASE = (
    _GUARD
    + r"""held=
[ ! -e "$2/holder" ] || read -r held <"$2/holder" || :
if [ -z "$held" ] || { [ "$held" != "$3" ] && [ "${held%% *}" != "$3" ]; }; then
  echo 'not held'
  exit
fi
rm -f -- "$2/holder" "$2/.holder"
sync -- "$2" 2>/dev/null || sync
rmdir --ignore-fail-on-non-empty -- "$2"
[ -d "$2" ] || rmdir --ignore-fail-on-non-empty -- "${2%/*}"
echo released
"""
)


class HostLocks:
    """The hosts, with the locks of one process: a job there does nothing unless the host's lock is ours.

    ``unlock`` returns the command that takes a run's locks away, or shows all of them if it is given none.
    """

    def __init__(
        self, hosts: Hosts, names: Sequence[str], holder: Holder, unlock: Callable[[str], str]
    ) -> None:
        self._hosts = hosts
        self._names = tuple(names)
        self._holder = holder
        self._unlock = unlock
        self._asked: set[str] = set()
        self._taken: set[str] = set()

    @contextmanager
    def held(self, *, absent_ok: bool, warn: Callable[[str], None]) -> Iterator[Self]:
        """Hold every host's lock, and let go of them however it ends; LockedError if somebody has one.

        With ``absent_ok`` a host that cannot be reached or written to now is passed over: its lock is taken
        before the first job there, or that job fails.

        The first host's is taken alone: of two runs of one plan that come at once, it decides. Then the rest.
        """

        def take(name: str) -> None:
            try:
                result = self._take(name)
            except (HostUnreachableError, LoginRefusedError):
                if not absent_ok:
                    raise
                return
            if result.exit_status != 0 and not absent_ok:
                raise RefusedError(
                    f"nothing was changed: {name}: its lock cannot be taken: {result.last_words}"
                )

        first, *others = self._names
        try:
            take(first)
            at_once(take, others)
            yield self
        finally:
            left = self._release()
            if left:
                warn(
                    f"the lock of run {self._holder.run} stays on {', '.join(left)}: the next run with this "
                    f"state file takes it over; to take it away: {self._unlock(self._holder.run)}"
                )

    def look(self, questions: Iterable[Question]) -> Answers:
        """Look, which needs no lock."""
        return self._hosts.look(questions)

    def perform(self, job: Job) -> JobResult:
        """Perform a job under its host's lock; LockedError if that is not ours any more."""
        if job.host not in self._taken:
            result = self._take(job.host)
            if result.exit_status != 0:
                return result
        result = self._hosts.perform(replace(job, lock=self._holder.mark))
        if result.exit_status == FENCED:
            other = lock.read(result.output)
            reported = f"it is {other}'s now" if other else "nobody holds it now"
            raise LockedError(
                f"{job.host}: our lock was taken away, {reported}; {job.id} did nothing there. "
                f"See who holds what: {self._unlock('')}"
            )
        return result

    def _take(self, name: str) -> JobResult:
        """Take one host's lock; a result of failure if that cannot be done, LockedError if it is held."""
        self._asked.add(name)
        result = self._hosts.perform(_job(names.of_lock(self._holder.mark), name, TAKE, self._holder.text))
        if result.exit_status == 0:
            reported, _, text = result.output.partition("\n")
            if reported != "taken":
                raise locked(name, lock.read(text), self._unlock)
            self._taken.add(name)
        else:
            self._asked.discard(name)
        return result

    def _release(self) -> tuple[str, ...]:
        """Let go of what we hold or may hold; returns the hosts where that could not be done."""
        asked = [name for name in self._names if name in self._asked]
        job_id = names.of_release(self._holder.mark)

        def one(name: str) -> bool:
            try:
                result = self._hosts.perform(_job(job_id, name, RELEASE, self._holder.mark))
            except (HostUnreachableError, LoginRefusedError):
                return name not in self._taken  # what was never ours is nothing to warn of
            return result.exit_status == 0

        released = zip(asked, at_once(one, asked), strict=True)
        return tuple(name for name, is_free in released if not is_free)


def locked(host: str, holder: Holder | None, unlock: Callable[[str], str]) -> LockedError:
    """Say who holds a host's lock, and what can be done about it."""
    return LockedError(
        f"{host} is locked by {holder or 'somebody'}; nothing was changed. Wait for it, or resume it "
        f"where it was begun; only if that process has ended: {unlock(holder.run if holder else '')}"
    )


def seen(hosts: Hosts, names: Sequence[str]) -> dict[str, Holder | str | None]:
    """Look who holds the lock of each host; a text says why that could not be seen."""
    held = {name: lock.held(name) for name in names}
    heard = ask_each(hosts, (fact.question for fact in held.values()))

    def holder(name: str) -> Holder | str | None:
        if name in heard.errors:
            return heard.errors[name].reason
        try:
            return held[name].read(heard.answers)
        except ValueError:
            return "its lock cannot be read"

    return {name: holder(name) for name in names}


def take_away(hosts: Hosts, host: str, run: str, job_id: str) -> JobResult:
    """Take a run's lock away on one host, whichever of its processes holds it."""
    return hosts.perform(_job(job_id, host, RELEASE, run))


def _job(job_id: str, host: str, script: str, last: str) -> Job:
    return Job(job_id, host, (Run(("sh", "-c", script, "lock", HOME, lock.DIRECTORY, last)),), _DEADLINE_S)
