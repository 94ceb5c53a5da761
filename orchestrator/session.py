"""One call of the program: plan, state file, facts, runbook and hosts, brought together for a command."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator import __version__, bastion, commandline
from orchestrator.cluster.facts import Facts
from orchestrator.cluster.loading import load
from orchestrator.cluster.model import Cluster
from orchestrator.engine.events import Direction, Opened, RunBegan
from orchestrator.engine.fit import edited, misfit
from orchestrator.engine.journal import MemoryJournal, StateFile
from orchestrator.engine.pace import Pace
from orchestrator.engine.progress import Progress
from orchestrator.engine.run import run
from orchestrator.errors import RefusedError, StoppedError, UsageError
from orchestrator.etcd.gather import gather
from orchestrator.interrupt import Moment
from orchestrator.lock import Holder
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.table import Migration, Role, Round
from orchestrator.operations import Deed
from orchestrator.remote.executor import Hosts, LiveExecutor
from orchestrator.remote.lease import Lease
from orchestrator.remote.rehearsal import RehearsalExecutor
from orchestrator.remote.ssh import SshHosts
from orchestrator.runbook.compile import compile_backward, compile_forward
from orchestrator.runbook.model import Runbook


@dataclass(frozen=True, slots=True)
class Session:
    """A loaded plan with its migration, and connections to its hosts; ``moment`` is what signals ask."""

    plan: Path
    state: Path
    cluster: Cluster
    migration: Migration
    warnings: tuple[str, ...]
    hosts: Hosts
    moment: Moment = field(default_factory=Moment)

    @property
    def resume_command(self) -> str:
        """What an operator types to go on."""
        return self.command("run", "--resume")

    def command(self, verb: str, *options: str) -> str:
        """What an operator types to do something with this plan and state file."""
        words = [verb, commandline.argument(self.plan), *options]
        if self.state != default_state(self.plan):
            words += ["--state", commandline.argument(self.state)]
        return commandline.command(*words)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """Rounds of the migration that hosts of this plan take."""
        roles: tuple[Role, ...] = ("member", "proxy") if self.cluster.proxies else ("member",)
        return tuple(round_ for round_ in self.migration.rounds if round_.role in roles)

    def gather(self) -> Facts:
        """Read the facts off the hosts."""
        return gather(self.cluster, self.hosts.look)

    def compile(self, facts: Facts) -> Runbook:
        """Compile the runbook of the plan's migration; refuses facts of other hosts than the plan's."""
        self._refuse_strange(facts)
        return compile_forward(self.cluster, facts, self.migration)

    def compile_noted(self, opened: Opened) -> Runbook:
        """Compile the runbook of the facts that a file holds, which anybody may have changed."""
        theirs, ours = (opened.migration, opened.cluster), (self.migration.name, self.cluster.name)
        if theirs != ours:
            raise RefusedError(
                f"nothing was changed: {self.state} tells of {' of '.join(theirs)}, and {self.plan} says "
                f"{' of '.join(ours)}. Put the plan back as it was, or name this plan's own file with --state"
            )
        try:
            return self.compile(opened.facts)
        except (LookupError, ValueError) as error:
            raise RefusedError(
                f"{self.state}:1: what it says of the hosts cannot be true; nothing was changed: put the "
                f"file back as it was, or move it away and have it written anew: {self.command('recover')}"
            ) from error

    def _refuse_strange(self, facts: Facts) -> None:
        planned = [{host.name for host in hosts} for hosts in (self.cluster.members, self.cluster.proxies)]
        found = [set(facts.members), set(facts.proxies)]
        if planned != found:
            names, others = (", ".join(sorted(set.union(*each))) or "none" for each in (planned, found))
            raise RefusedError(
                f"nothing was changed: {self.plan} names the hosts {names}, and the run began with {others}. "
                "Put the plan back as it was; a cluster is migrated with the hosts with which its run began"
            )

    def recall(self, progress: Progress) -> Runbook:
        """Compile the runbook that a state file belongs to; refuses a plan that was edited since."""
        if progress.opened is None:
            raise UsageError(
                f"{self.state} is empty or missing: there is nothing to go on with, and nothing to undo. "
                f"To begin: {self.command('run')}. If the file was lost: {self.command('recover')}"
            )
        runbook = self.compile_noted(progress.opened)
        if runbook.digest != progress.opened.runbook:
            other = edited(progress, runbook, self.back(progress.opened))
            told = f" ({', '.join(other)} would do something else now)" if other else ""
            raise RefusedError(
                f"{self.plan} (or a certificate that it names) was changed since the run began: its runbook "
                f"is {runbook.digest[:12]}, the state file's is {progress.opened.runbook[:12]}{told}; "
                "nothing was changed now. Put the plan and its files back as they were, then give this "
                "command again; hosts that have their files keep them in the tls.directory of the plan then "
                f"(now: {self.cluster.tls.directory})"
            )
        self.refuse_misfit(progress, runbook)
        return runbook

    def refuse_misfit(self, progress: Progress, runbook: Runbook) -> None:
        """Refuse a state file that tells of what cannot have happened in its runbook."""
        if progress.opened is None:
            return
        found = misfit(progress, runbook, self.back(progress.opened))
        if found:
            raise RefusedError(
                f"{self.state}:{found}; nothing was changed: put the plan and the file back as they were, or "
                f"move the file away and have it written anew: {self.command('recover')}"
            )

    def back(self, opened: Opened) -> Runbook:
        """Compile the way back of the runbook that a state file belongs to."""
        self._refuse_strange(opened.facts)
        return compile_backward(self.cluster, opened.facts, self.migration)

    def rehearse(self, runbook: Runbook, progress: Progress, pace: Pace) -> list[Deed]:
        """Walk the runbook without touching a host; return what a live run would do, in its order."""
        executor = RehearsalExecutor(LiveExecutor(self.hosts))
        run(runbook, executor, MemoryJournal(progress=progress.taken_up()), pace)
        return executor.deeds

    def unlock_command(self, run: str) -> str:
        """What an operator types to take a run's locks away, or, without a run, to see who has which."""
        return self.command("unlock", *filter(None, [run]))

    def holder(self, run: str, doing: str) -> Holder:
        """Describe this process as the holder of a lock."""
        user, host = bastion.user_name(), bastion.host_name()
        return Holder(
            run=run,
            number=str(time.time_ns() // 1000),
            bastion=f"{host} {bastion.machine_id()}".rstrip(),
            state=str(self.state.resolve()),
            who=f"{user}@{host}, process {os.getpid()}",
            since=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
            doing=doing,
        )

    @contextmanager
    def locked(
        self, run: str, doing: str, warn: Callable[[str], None], *, absent_ok: bool
    ) -> Iterator[Lease]:
        """Hold the lock of every host, see Lease.held; the state file has to be open under its own lock."""
        names = [host.name for host in self.cluster.hosts]
        lease = Lease(self.hosts, names, self.holder(run, doing), self.unlock_command)
        with self.moment.orderly(), lease.held(absent_ok=absent_ok, warn=warn):
            yield lease

    def live(
        self,
        lease: Lease,
        runbook: Runbook,
        journal: StateFile,
        pace: Pace,
        *,
        until: str | None = None,
        direction: Direction = "forward",
    ) -> None:
        """Walk the runbook for real, under the hosts' locks; the state file has its header already."""
        is_resumed = bool(journal.progress.attempts)
        if journal.progress.opened is None:
            raise ValueError("the state file has no header")
        journal.append(
            RunBegan(
                pid=os.getpid(),
                host=bastion.host_name(),
                user=bastion.user_name(),
                runbook=runbook.digest,
                is_resumed=is_resumed,
                direction=direction,
            )
        )
        run(runbook, LiveExecutor(lease), journal, pace, until=until)


def default_state(plan: Path) -> Path:
    """Where a plan's state file lies unless --state says otherwise: beside the plan."""
    return plan.with_name(plan.name + ".state.jsonl")


@contextmanager
def open_session(plan: Path, state: Path | None) -> Iterator[Session]:
    """Load a plan and connect to its hosts as they are needed; raises PlanInvalidError."""
    loaded = load(plan, MIGRATIONS)
    migration = MIGRATIONS[loaded.cluster.strategy]
    with SshHosts(loaded.cluster) as hosts:
        yield Session(plan, state or default_state(plan), loaded.cluster, migration, loaded.warnings, hosts)


def new_run() -> str:
    """Make the id of a new run."""
    return secrets.token_hex(4)


def header(session: Session, run: str, facts: Facts, runbook: Runbook) -> Opened:
    """First line of a new state file."""
    return Opened(
        tool=__version__,
        run=run,
        cluster=session.cluster.name,
        migration=session.migration.name,
        runbook=runbook.digest,
        facts=facts,
    )


def refuse_unfinished(session: Session, progress: Progress) -> None:
    """Refuse a plain run over a state file in which something was begun and not finished."""
    if progress.attempts and not progress.is_finished:
        where = ", ".join(
            f"{host.name} in {progress.states.get(host.name, 'its first state')}"
            for host in session.cluster.hosts
        )
        raise StoppedError(f"{session.state} holds an unfinished run ({where})")
