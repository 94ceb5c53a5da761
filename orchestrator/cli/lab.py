"""The commands that boot real hosts on this machine; the lab is imported only where it is needed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator import commandline, output
from orchestrator.cli.logins import AskPass, Login, PassFile
from orchestrator.cli.sessions import session_of
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.plan.layout import Layout

Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.")]

Etcd = Annotated[
    str | None,
    typer.Option(
        metavar="VERSION|DIRECTORY", help="Another etcd for the hosts; a directory holds etcd and etcdctl."
    ),
]

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}

lab = typer.Typer(help="Real hosts on this machine, to try a plan on.", no_args_is_help=True)


def rehearse(  # noqa: PLR0913 - typer: one parameter for each option
    context: typer.Context,
    plan: Plan,
    *,
    as_found: Annotated[
        bool,
        typer.Option("--as-found", help="Boot what PLAN's hosts really have, read over SSH; and roll back."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the hosts running afterwards.")] = False,
    etcd: Etcd = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Boot PLAN's hosts on this machine and migrate them for real while a client writes (root).

    Further options go to the rehearsed run, such as --until STATE.
    """
    from orchestrator.lab.proof.rehearsal import run_rehearsal  # noqa: PLC0415 -- see the module's docstring

    if as_found and etcd is not None:
        raise UsageError("--as-found boots the etcd that your hosts have; leave --etcd out")
    found = _found(plan, Login(asks, password)) if as_found else None
    raise typer.Exit(run_rehearsal(plan, keep=keep, etcd=etcd, arguments=context.args, found=found))


def _found(plan: Path, login: Login) -> "Layout":
    """Read how etcd is started on the real hosts, and say what was found, and what could not be copied."""
    from orchestrator.commands import as_found  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.lab.hosts import base_system  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.lab.lifecycle import lab as labs  # noqa: PLC0415 -- see the module's docstring

    labs.check_machine()
    with session_of(plan, None, login) as (session, _):
        found, reported = as_found.read(session, base_system.cache_directory() / "programs")
    for line in reported:
        output.err(line)
    return found


@lab.command()
def up(plan: Plan) -> None:
    """Boot the hosts that PLAN names, with a cluster on plain HTTP, and leave them running."""
    from orchestrator.lab.lifecycle.lab import Lab  # noqa: PLC0415 -- see the module's docstring

    booted = Lab.up(plan, report=output.err)
    output.out(f"up: {', '.join(host.name for host in booted.hosts)}; plan: {booted.plan}")
    inside = [*commandline.program(), "run", booted.plan.name]
    output.out(f"On the bastion: {commandline.command('lab', 'run', '--', *inside)}")


@lab.command()
def down() -> None:
    """Take the hosts down, completely; safe to run twice."""
    from orchestrator.lab.lifecycle import lab as labs  # noqa: PLC0415 -- see the module's docstring

    labs.down()


@lab.command(name="run", context_settings=PASS_ON)
def run_in_lab(context: typer.Context) -> None:
    """Run a command on the lab's bastion, in the folder of its plan: lab run -- CMD ARGS."""
    from orchestrator.lab.lifecycle.lab import Lab  # noqa: PLC0415 -- see the module's docstring

    if not context.args:
        raise UsageError("lab run: say which command, as in: lab run -- etcdctl version")
    raise typer.Exit(Lab.find().execute(context.args))
