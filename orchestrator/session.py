"""One call of the program: a plan, its state file and its hosts, and what an operator types to go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator import commandline
from orchestrator.errors import LockedError, RefusedError
from orchestrator.host.operations import Secret
from orchestrator.interrupt import Moment
from orchestrator.migrations import MIGRATIONS
from orchestrator.migrations.table import Migration, Round, hosts_of
from orchestrator.plan.loading import load
from orchestrator.plan.model import Cluster
from orchestrator.remote.executor import Hosts, Nobody
from orchestrator.remote.route import settled, ways_of
from orchestrator.remote.ssh import SshHosts
from orchestrator.remote.unlocking import Ask, Unlocked, ask_nobody


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a person gives to get in: sudo's password, and an answer when a key's passphrase is asked for.

    ``options`` are those of the command line that ask for it, for commands that are printed.
    """

    ask: Ask = ask_nobody
    become: Secret | None = None
    options: tuple[str, ...] = ()


NO_SECRETS = Secrets()


@dataclass(frozen=True, slots=True)
class Session:
    """A loaded plan with its migration, and connections to its hosts; ``moment`` is what signals ask.

    ``options`` are those of the command line without which the hosts cannot be reached.
    """

    plan: Path
    state: Path
    cluster: Cluster
    migration: Migration
    warnings: tuple[str, ...]
    hosts: Hosts
    moment: Moment = field(default_factory=Moment)
    options: tuple[str, ...] = ()

    def command(self, verb: str, *options: str) -> str:
        """What an operator types to do something with this plan and state file."""
        words = [verb, commandline.argument(self.plan), *options]
        if self.state != default_state(self.plan):
            words += ["--state", commandline.argument(self.state)]
        words += self.options
        return commandline.command(*words)

    def spelled(self, text: str) -> str:
        """Return a text with its ``orchestrator VERB PLAN`` as commands that run as they are printed."""
        return commandline.spelled(text, self.command)

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Have what is refused meanwhile say its commands as they run."""
        try:
            yield
        except (RefusedError, LockedError) as error:
            raise type(error)(self.spelled(str(error))) from error

    @property
    def rounds(self) -> tuple[Round, ...]:
        """Rounds of the migration that hosts of this plan take."""
        own = self.migration.of(self.cluster).rounds
        return tuple(round_ for round_ in own if hosts_of(self.cluster, round_.role))

    @property
    def end(self) -> str:
        """Name of the state in which every member stands once it is migrated."""
        return next(round_.target.name for round_ in reversed(self.rounds) if round_.role == "member")

    @property
    def resume_command(self) -> str:
        """What an operator types to go on."""
        return self.command("run", "--resume")

    def unlock_command(self, run: str) -> str:
        """What an operator types to take a run's locks away, or, without a run, to see who has which."""
        return self.command("unlock", *filter(None, [run]))


def default_state(plan: Path) -> Path:
    """Where a plan's state file lies unless --state says otherwise: beside the plan."""
    return plan.with_name(plan.name + ".state.jsonl")


def unconnected(plan: Path, state: Path | None) -> Session:
    """Load a plan for a command that asks no host; raises PlanInvalidError. Its files need not be there."""
    loaded = load(plan, MIGRATIONS, files=False)
    migration = MIGRATIONS[loaded.cluster.strategy].of(loaded.cluster)
    return Session(plan, state or default_state(plan), loaded.cluster, migration, loaded.warnings, Nobody())


@contextmanager
def open_session(plan: Path, state: Path | None, given: Secrets = NO_SECRETS) -> Iterator[Session]:
    """Load a plan and connect to its hosts as they are needed; raises PlanInvalidError.

    LoginRefusedError if OpenSSH's configuration cannot be read.
    """
    loaded = load(plan, MIGRATIONS)
    migration = MIGRATIONS[loaded.cluster.strategy].of(loaded.cluster)
    ways, unlocked = ways_of(loaded.cluster), Unlocked()
    unlocked.unlock((login for way in ways for login in way.logins), given.ask)
    cluster = settled(loaded.cluster, ways)
    with SshHosts(cluster, unlocked=unlocked, password=given.become) as hosts:
        yield Session(
            plan,
            state or default_state(plan),
            cluster,
            migration,
            loaded.warnings,
            hosts,
            options=given.options,
        )
