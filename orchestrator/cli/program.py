"""The program's commands and their arguments; heavy modules are imported only where they are needed."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from orchestrator import __version__, commandline
from orchestrator.cli import lab
from orchestrator.cli.lab import Plan
from orchestrator.cli.logins import NOTHING_GIVEN, AskPass, Login, PassFile, secrets_of
from orchestrator.cli.prompts import can_ask, confirm, confirm_loss
from orchestrator.cli.sessions import session_of
from orchestrator.output import out


class Raised(BaseException):
    """What a command has raised, past typer, which takes some errors for the end of a pipe or of input."""


class _Group(TyperGroup):
    """The program's commands; what they raise is ours to tell."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # typer's own base is private
        try:
            return super().invoke(ctx)
        except (OSError, EOFError) as error:
            raise Raised from error


app = typer.Typer(
    name="orchestrator",
    cls=_Group,
    help="Move a running etcd cluster from HTTP to HTTPS without losing a write.",
    epilog=f"First: {commandline.command('run')} PLAN --dry-run. "
    f"After any failure: {commandline.command('run')} PLAN --resume.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, which may hold a key
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lab.lab, name="lab")
app.command(context_settings=lab.PASS_ON)(lab.rehearse)

State = Annotated[
    Path | None, typer.Option(metavar="FILE", help="State file, if not PLAN.state.jsonl.", show_default=False)
]
Name = Annotated[str, typer.Argument(metavar="[MIGRATION]", help="Name of a migration.")]


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer calls it with the flag's value
    if wanted:
        out(f"orchestrator {__version__}")
        raise typer.Exit


@app.callback()
def program(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Move a running etcd cluster from HTTP to HTTPS without losing a write."""
    del version


@app.command()
def run(  # noqa: PLR0913 -- one parameter for each option
    plan: Plan,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show every step; touch nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a stop, a crash or a pause.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: State = None,
    until: Annotated[
        str | None, typer.Option(metavar="STATE", help="Pause when every member stands in this state.")
    ] = None,
    accept_risk: Annotated[
        bool, typer.Option("--accept-risk", help="Go on with a strategy that is unsafe by design.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First register members with the scheme that they listen with.")
    ] = False,
    cut_off: Annotated[
        bool, typer.Option("--cut-off", help="Do not wait for clients of what is closed: http, or a port.")
    ] = False,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Migrate the cluster of PLAN: look, show the steps, ask, then walk every member through them."""
    from orchestrator.commands.phases.call import RunOptions  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.commands.run import dry, live  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password), verb="" if dry_run else "run") as (session, context):
        if dry_run:
            dry(session, context)
        else:
            options = RunOptions(resume, until, accept_risk, repair, cut_off)
            live(
                session,
                context,
                options,
                confirm=None if yes else confirm,
                confirm_loss=confirm_loss if can_ask() and not yes else None,
            )


@app.command()
def rollback(
    plan: Plan,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show every step; touch nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Undo what was done to PLAN's cluster, round by round, back to plain http."""
    from orchestrator.commands.rollback import dry, live  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password), verb="rollback") as (session, context):
        if dry_run:
            dry(session, context)
        else:
            live(session, context, confirm=None if yes else confirm)


@app.command()
def check(plan: Plan, *, state: State = None, asks: AskPass = False, password: PassFile = None) -> None:
    """Look at every host of PLAN before the first change: what would stop a run, why, and the fix."""
    from orchestrator.commands.check import show  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        show(session)


@app.command()
def hostkeys(
    plan: Plan,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write new keys down without a question.")] = False,
) -> None:
    """Show the SSH keys of PLAN's hosts and jump hosts, and write down those that are new, if you agree."""
    from orchestrator.commands.hostkeys import review  # noqa: PLC0415 -- see the module's docstring

    review(plan, ask=secrets_of(NOTHING_GIVEN).ask, confirm=None if yes else confirm)


@app.command()
def backup(plan: Plan, *, asks: AskPass = False, password: PassFile = None) -> None:
    """Save the data of PLAN's cluster on its first member, verify it, and say how to restore it."""
    from orchestrator.commands.backup import save  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, None, Login(asks, password)) as (session, _):
        out(save(session))


@app.command()
def recover(plan: Plan, *, state: State = None, asks: AskPass = False, password: PassFile = None) -> None:
    """Write PLAN's lost state file anew, from what the hosts remember of the run."""
    from orchestrator.commands.recover import recover  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        out(recover(session))


@app.command()
def status(plan: Plan, *, state: State = None, asks: AskPass = False, password: PassFile = None) -> None:
    """Show where every member of PLAN stands, as its host shows it now."""
    from orchestrator.commands.status import show_status  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        show_status(session)


@app.command()
def clients(  # noqa: PLR0913 -- one parameter for each option
    plan: Plan,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every two seconds.")] = False,
    output: Annotated[str, typer.Option(metavar="text|json", help="A table, or a line of JSON.")] = "text",
    look: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long to look where no watcher runs.")
    ] = "5s",
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Show who talks plain http to PLAN's members and who TLS, and who is cut off when http is closed."""
    from orchestrator.commands.clients import show, wanted  # noqa: PLC0415 -- see the module's docstring

    shape = wanted(output, look, is_followed=watch)
    with session_of(plan, state, Login(asks, password)) as (session, context):
        show(session, shape, context.should_stop)


@app.command()
def files(
    plan: Plan,
    host: Annotated[str, typer.Argument(metavar="HOST")],
    *,
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Show what the migration puts on HOST: to compare, or to undo a manual change."""
    from orchestrator.commands.files import reported  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        out(reported(session, host))


@app.command()
def settings(plan: Plan, *, state: State = None, asks: AskPass = False, password: PassFile = None) -> None:
    """Show what the configuration management of PLAN's hosts has to say from now on, file by file."""
    from orchestrator.commands.settings import reported  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        out(reported(session))


@app.command()
def unlock(
    plan: Plan,
    run: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The run whose locks go; none: show them.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Show who holds the locks of PLAN's hosts, or take those of run ID away once its process is gone."""
    from orchestrator.commands import locks  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        if run is None:
            locks.report(session)
        else:
            out(locks.unlock(session, run, confirm=None if yes else confirm))


@app.command()
def certs(
    plan: Plan,
    *,
    renew: Annotated[
        bool, typer.Option("--renew", help="New certificates for every host, from the CA that is there.")
    ] = False,
    key_type: Annotated[str, typer.Option(help="ec (P-256), rsa:2048, rsa:3072 or rsa:4096.")] = "ec",
    days: Annotated[int, typer.Option(help="How long the hosts' certificates are valid.")] = 365,
    ca_days: Annotated[int, typer.Option(help="How long the CA is valid.")] = 3650,
    san: Annotated[
        list[str] | None, typer.Option(metavar="HOST=NAME", help="A further name of a host; repeatable.")
    ] = None,
) -> None:
    """Make a CA, and a certificate and key for every host of PLAN, where the plan names them."""
    from orchestrator.commands.certs import make  # noqa: PLC0415 -- see the module's docstring

    out(make(plan, renew=renew, key_type=key_type, days=days, ca_days=ca_days, sans=san or []))


@app.command()
def table(migration: Name = "bridge") -> None:
    """Print a migration's states, rounds and gates in Markdown."""
    from orchestrator.report import tables  # noqa: PLC0415 -- see the module's docstring

    out(tables.markdown(tables.named(migration)), end="")


@app.command()
def graph(migration: Name = "bridge") -> None:
    """Print a migration's states as a Mermaid diagram."""
    from orchestrator.report import tables  # noqa: PLC0415 -- see the module's docstring

    out(tables.mermaid(tables.named(migration)), end="")
