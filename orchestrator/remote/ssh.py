"""The hosts over SSH: looks that may be asked twice, and jobs that are done once."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import zip_longest
from typing import Self

import tenacity

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.host.operations import Job, JobResult, Secret
from orchestrator.host.questions import Answer, Answers, Download, HttpProbe, Question, Script
from orchestrator.plan.model import Cluster
from orchestrator.remote.at_once import AT_ONCE
from orchestrator.remote.connecting import quieten_paramiko
from orchestrator.remote.connection import Connection
from orchestrator.remote.each_host import HostError
from orchestrator.remote.job import Performance, SettledError, longest_s
from orchestrator.remote.sudo_password import SudoPassword
from orchestrator.remote.unlocking import Unlocked
from orchestrator.remote.ways import Ways


class SshHosts:
    """Asks hosts and performs jobs on them, over one connection for each that is opened when needed."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        unlocked: Unlocked | None = None,
        password: Secret | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        quieten_paramiko()
        self._ways = Ways(unlocked or Unlocked(), sleep)
        shared = SudoPassword(password) if password else None
        self._connections = {
            host.name: Connection(host.name, host.ssh, self._ways, shared, (clock, sleep))
            for host in cluster.hosts
        }
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ssh")
        self._patience_s = cluster.patience.gate_s
        self._clock = clock
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; jobs that are under way on hosts go on."""
        for connection in self._connections.values():
            connection.close()
        self._ways.close()
        self._pool.shutdown()

    def look(self, questions: Iterable[Question]) -> Answers:
        """Answer every question, equal ones once, all hosts at the same time; what is slow beside the rest.

        A host's scripts are asked in one turn; each request to a listener takes several, so they are made at
        the same time.

        Raises LoginRefusedError or HostUnreachableError, for the first such host, once all have answered; a
        host that fails is asked nothing more.
        """
        turns: dict[str, dict[object, list[Question]]] = {}
        for question in dict.fromkeys(questions):
            turns.setdefault(question.host, {}).setdefault(_turn(question), []).append(question)
        failed: dict[str, HostError] = {}
        # the first turns of all hosts before any second one, which may wait for a host that is silent
        futures = [
            self._pool.submit(self._look_at, host, asked, failed)
            for each in zip_longest(*(asked.values() for asked in turns.values()))
            for host, asked in zip(turns, each, strict=True)
            if asked
        ]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise next((error for error in errors if isinstance(error, LoginRefusedError)), errors[0])
        return {question: answer for future in futures for question, answer in future.result().items()}

    def _look_at(self, host: str, questions: Sequence[Question], failed: dict[str, HostError]) -> Answers:
        """Ask questions that are asked together, unless others have failed on that host."""
        if host in failed:
            raise failed[host]
        try:
            return self._ask(host, questions)
        except (HostUnreachableError, LoginRefusedError) as error:
            failed[host] = error
            raise

    def _ask(self, host: str, questions: Sequence[Question]) -> Answers:
        connection = self._connections[host]
        scripts = [question for question in questions if isinstance(question, Script)]
        if scripts:
            return connection.ask(partial(connection.look, scripts))
        answers: dict[Question, Answer] = {}
        for question in questions:
            if isinstance(question, HttpProbe):
                answers[question] = connection.ask(partial(connection.probe, question))
            if isinstance(question, Download):
                answers[question] = connection.ask(partial(connection.download, question))
        return answers

    def perform(self, job: Job) -> JobResult:
        """Perform a job once; a lost connection is replaced, and its result read then.

        A host that vanished in the middle is waited for within the plan's patience, from when it was missed;
        whatever it does, it is given up after ``longest_s``.
        ValueError if the job's id cannot be a file name. HostUnreachableError or LoginRefusedError say
        whether the job is in doubt.
        """
        connection = self._connections[job.host]
        performance = Performance(job)
        absence = _Absence(performance, self._clock)
        longest = longest_s(job, self._patience_s)
        until = self._clock() + longest
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: performance.is_begun and _is_lost(error)),
            stop=lambda _: absence.seconds() > self._patience_s or self._clock() >= until,
            wait=tenacity.wait_random(0.2, 1.0),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result: JobResult = retrying(connection.ask, partial(_perform, connection, performance, until))
        except (HostUnreachableError, LoginRefusedError) as error:
            late = f", and no result within {longest:g} s" if self._clock() >= until else ""
            raise type(error)(error.host, f"{error.reason}{late}; {performance.standing}") from error
        return result


def _turn(question: Question) -> object:
    """Return what questions have in common that are asked of a host together."""
    if isinstance(question, Script):
        return question.is_slow
    return question if isinstance(question, HttpProbe) else Download


class _Absence:
    """How long a host has been missed: from the first failure since it was last heard of."""

    def __init__(self, performance: Performance, clock: Callable[[], float]) -> None:
        self._performance = performance
        self._clock = clock
        self._greetings = 0
        self._since = clock()

    def seconds(self) -> float:
        """Return it; called behind every failure."""
        if self._greetings != self._performance.greetings:
            self._greetings, self._since = self._performance.greetings, self._clock()
        return self._clock() - self._since


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, HostUnreachableError) and not isinstance(error, SettledError)


def _perform(connection: Connection, performance: Performance, until: float) -> JobResult:
    with connection.talk("sh", "-s", "--", *performance.arguments, until=until) as conversation:
        return performance.hold(conversation)
