"""The commands that boot real hosts on this machine; the lab is imported only where it is needed."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import commandline, output
from orchestrator.errors import UsageError

Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.")]

Etcd = Annotated[
    str | None,
    typer.Option(
        metavar="VERSION|DIRECTORY", help="Another etcd for the hosts; a directory holds etcd and etcdctl."
    ),
]

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}

lab = typer.Typer(help="Real hosts on this machine, to try a plan on.", no_args_is_help=True)


def rehearse(
    context: typer.Context,
    plan: Plan,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the hosts running afterwards.")] = False,
    etcd: Etcd = None,
) -> None:
    """Boot PLAN's hosts on this machine and migrate them for real while a client writes (root).

    Further options go to the rehearsed run, such as --until STATE.
    """
    from orchestrator.lab.proof.rehearsal import run_rehearsal  # noqa: PLC0415 -- see the module's docstring

    raise typer.Exit(run_rehearsal(plan, keep=keep, etcd=etcd, arguments=context.args))


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
