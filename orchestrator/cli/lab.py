"""The commands that boot real hosts on this machine; the lab is imported only where it is needed."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator import commandline, output
from orchestrator.cli.faults import fault_names, tour_of
from orchestrator.cli.groups import MARKUP, Group
from orchestrator.cli.logins import AskPass, Login, PassFile
from orchestrator.cli.sessions import session_of
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.plan.layout import Layout

Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a YAML file.")]

Etcd = Annotated[
    str | None,
    typer.Option(
        metavar="VERSION|DIRECTORY", help="Another etcd for the hosts; a directory holds etcd and etcdctl."
    ),
]


class Clients(StrEnum):
    """Which clients use the cluster during a rehearsal."""

    USUAL = "usual"
    ALL = "all"


PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True}

lab = typer.Typer(
    cls=Group,
    rich_markup_mode=MARKUP,
    help="Real hosts on this machine, to try a plan on.",
    no_args_is_help=True,
)


def rehearse(  # noqa: PLR0913 - typer: one parameter for each option
    context: typer.Context,
    plan: Plan,
    *,
    as_found: Annotated[
        bool,
        typer.Option("--as-found", help="Boot what PLAN's hosts really have, read over SSH; and roll back."),
    ] = False,
    with_data: Annotated[
        bool,
        typer.Option(
            "--with-data",
            help="With --as-found: restore a snapshot of your cluster first; it is read from one member.",
        ),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the hosts running afterwards.")] = False,
    etcd: Etcd = None,
    clients: Annotated[
        Clients,
        typer.Option(help="usual, or all: clients of every kind, one that knows http alone among them."),
    ] = Clients.USUAL,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults", help="[SEED]  A fault in each round; a seed behind it chooses the same ones."
        ),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="This fault in each round; repeatable.", autocompletion=fault_names
        ),
    ] = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Boot PLAN's hosts on this machine and migrate them for real while a client writes (root).

    Further options go to the rehearsed run, such as --until STATE.
    """
    from orchestrator.lab.proof.rehearsal import run_rehearsal  # noqa: PLC0415 -- see the module's docstring

    tour = tour_of(plan, context.args, wanted=faults, named=fault or [])
    if tour and clients is Clients.ALL:
        raise UsageError("--faults and --fault have one client for each fault; leave --clients out")
    if as_found and etcd is not None:
        raise UsageError("--as-found boots the etcd that your hosts have; leave --etcd out")
    if with_data and not as_found:
        again = commandline.command("rehearse", commandline.argument(plan), "--as-found", "--with-data")
        raise UsageError(f"--with-data restores what --as-found reads: {again}")
    login = Login(asks, password)
    with ExitStack() as stack:
        found = stack.enter_context(_found(plan, login, with_data)) if as_found else None
        if tour:
            given = _given(login, as_found=as_found, with_data=with_data, keep=keep, etcd=etcd)
            code = tour.go(plan, keep=keep, etcd=etcd, found=found, given=given)
        else:
            code = run_rehearsal(
                plan,
                keep=keep,
                etcd=etcd,
                arguments=context.args,
                found=found,
                has_crowd=clients is Clients.ALL,
            )
    raise typer.Exit(code)


def _given(login: Login, *, as_found: bool, with_data: bool, keep: bool, etcd: str | None) -> tuple[str, ...]:
    """Return the options of a rehearsal that were given, as they are typed."""
    flags = {"--as-found": as_found, "--with-data": with_data, "--keep": keep}
    return (
        *(flag for flag, is_set in flags.items() if is_set),
        *(("--etcd", etcd) if etcd else ()),
        *login.options,
    )


@contextmanager
def _found(plan: Path, login: Login, with_data: bool) -> "Iterator[Layout]":  # noqa: FBT001 - an option's own value
    """Read how etcd is started on the real hosts, and say what was found, and what could not be copied.

    With data, a copy of it is there as long as that; the lab removes it sooner.
    """
    from orchestrator.commands import as_found, data  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.lab.hosts import base_system  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.lab.lifecycle import lab as labs  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.lab.provisioning import private_copy  # noqa: PLC0415 -- see the module's docstring

    labs.check_machine()
    labs.check_free()
    private_copy.clear(labs.COPY)
    programs = base_system.cache_directory() / "programs"
    with ExitStack() as stack:
        with session_of(plan, None, login) as (session, _):
            facts = as_found.read_facts(session)
            found, reported = as_found.read(session, facts, programs, with_data=with_data)
            for line in reported:
                output.err(line)
            if with_data:
                source = data.choose(session, facts)
                private_copy.check_room(labs.COPY, source.most_bytes, len(session.cluster.members))
                output.err(data.announced(source))
                file = stack.enter_context(private_copy.held(labs.COPY, session.moment.on_leaving))
                found = replace(found, snapshot=data.fetch(session, source, file))
        yield found


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
