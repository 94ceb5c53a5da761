"""The program's commands and their arguments; heavy modules are imported only where they are needed."""

from typing import Annotated

import typer

from orchestrator import __version__, commandline
from orchestrator.cli import completing, following, lab, learning, reports, walking
from orchestrator.cli.groups import MARKUP, Group
from orchestrator.cli.lab import Plan
from orchestrator.cli.logins import NOTHING_GIVEN, AskPass, Login, PassFile, secrets_of
from orchestrator.cli.prompts import confirm
from orchestrator.cli.sessions import State, session_of
from orchestrator.errors import UsageError
from orchestrator.output import out

app = typer.Typer(
    name="orchestrator",
    cls=Group,
    help="Move a running etcd cluster from HTTP to HTTPS without losing a write.",
    epilog=f"First: {commandline.command('run')} PLAN --dry-run. "
    f"After any failure: {commandline.command('run')} PLAN --resume.",
    no_args_is_help=True,
    rich_markup_mode=MARKUP,
    pretty_exceptions_enable=False,  # they print local variables, which may hold a key
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(lab.lab, name="lab")
app.command(context_settings=lab.PASS_ON)(lab.rehearse)
app.command()(walking.run)
app.command(name="plan")(walking.plan_of)
app.command()(walking.rollback)
app.command()(following.watch)
app.command()(reports.report)
app.command()(reports.traces)
app.add_typer(learning.schema, name="schema")
app.command()(learning.init)
app.command()(learning.explain)

Name = Annotated[
    str,
    typer.Argument(metavar="[MIGRATION]", help="Name of a migration.", autocompletion=completing.migrations),
]


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
def status(
    plan: Plan,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every two seconds.")] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="text|json", help="A table, or a line of JSON.")
    ] = "text",
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Show where every member of PLAN stands, as its host shows it now."""
    from orchestrator.commands.status import follow, show_status, wanted  # noqa: PLC0415 -- see above

    is_json = wanted(output)
    with session_of(plan, state, Login(asks, password)) as (session, context):
        if watch:
            follow(session, context.should_stop, is_json=is_json)
        else:
            show_status(session, is_json=is_json)


@app.command()
def runs(
    plan: Plan,
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="text|json", help="A table, or a line of JSON.")
    ] = "text",
    state: State = None,
) -> None:
    """Show the runs of PLAN that state files tell of: when, how long, how far, with which outcome."""
    from orchestrator.commands.runs import show  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.commands.status import wanted  # noqa: PLC0415 -- see the module's docstring

    show(plan, state, is_json=wanted(output))


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
    host: Annotated[str, typer.Argument(metavar="HOST", autocompletion=completing.hosts)],
    path: Annotated[
        str | None,
        typer.Argument(metavar="[PATH]", help="Print what this file has to hold now, and no more."),
    ] = None,
    *,
    state: State = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Show what the migration puts on HOST: to compare, or to undo a manual change."""
    from orchestrator.commands.files import content, reported  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, state, Login(asks, password)) as (session, _):
        if path is None:
            out(reported(session, host))
        else:
            out(content(session, host, path), end="")


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
        str | None,
        typer.Argument(
            metavar="[ID]", help="The run whose locks go; none: show them.", autocompletion=completing.runs
        ),
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
def certs(  # noqa: PLR0913 -- one parameter for each option
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
    show: Annotated[
        bool, typer.Option("--show", help="Make nothing: each name beside the URLs and addresses in use.")
    ] = False,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Make a CA, and a certificate and key for every host of PLAN, where the plan names them."""
    if show:
        if renew or san:
            raise UsageError("certs --show makes nothing: leave --renew and --san out")
        learning.show_certs(plan, Login(asks, password))
        return
    from orchestrator.commands.certs import make  # noqa: PLC0415 -- see the module's docstring

    out(make(plan, renew=renew, key_type=key_type, days=days, ca_days=ca_days, sans=san or []))


@app.command()
def table(migration: Name = "bridge") -> None:
    """Print a migration's states, rounds and gates in Markdown."""
    from orchestrator.report import tables  # noqa: PLC0415 -- see the module's docstring

    out(tables.markdown(tables.named(migration)), end="")


app.command()(learning.graph)
