"""Commands that teach: a first plan, its schema; heavy modules are imported only where they are needed."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli import completing
from orchestrator.cli.groups import MARKUP, Group
from orchestrator.cli.logins import AskPass, Login, PassFile, secrets_of
from orchestrator.output import out

schema = typer.Typer(
    cls=Group, rich_markup_mode=MARKUP, help="JSON schemas, for editors and programs.", no_args_is_help=True
)


class Become(StrEnum):
    """How to become root on a host."""

    NONE = "none"
    SUDO = "sudo"
    DOAS = "doas"


@schema.command()
def plan() -> None:
    """Print the plan's JSON schema, which editors read by the first line of a plan that init has drafted."""
    from orchestrator.migrations import MIGRATIONS  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.plan.schema import text  # noqa: PLC0415 -- see the module's docstring

    out(text(MIGRATIONS), end="")


@schema.command()
def events() -> None:
    """Print the JSON schema of what --output json prints, line by line."""
    from orchestrator.report import event_lines  # noqa: PLC0415 -- see the module's docstring

    out(json.dumps(event_lines.schema(), indent=2))


def init(  # noqa: PLR0913 -- one parameter for each option
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HOST|ENDPOINT]...", help="[USER@]HOST[:PORT] of SSH, or http://HOST:2379."),
    ] = None,
    *,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the plan there; never over a file.")
    ] = None,
    inventory: Annotated[
        Path | None,
        typer.Option("--from-inventory", metavar="FILE", help="Take the hosts of an Ansible inventory."),
    ] = None,
    group: Annotated[str | None, typer.Option(metavar="GROUP", help="Its group of etcd's hosts.")] = None,
    service: Annotated[
        str | None, typer.Option(metavar="UNIT", help="etcd's unit, if a host has two.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="User to log in as.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="TCP port of the SSH servers.")] = None,
    become: Annotated[
        Become | None, typer.Option(help="How to become root; none said: sudo for another user than root.")
    ] = None,
    identity_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Private key to log in with.")
    ] = None,
    known_hosts: Annotated[str | None, typer.Option(metavar="FILE", help="The hosts' own keys.")] = None,
    ssh_config: Annotated[
        str | None, typer.Option(metavar="FILE", help="Instead of ~/.ssh/config, or none.")
    ] = None,
    jump: Annotated[str | None, typer.Option(metavar="[USER@]HOST", help="Jump hosts on the way.")] = None,
    asks: AskPass = False,
    password: PassFile = None,
) -> None:
    """Draft a commented plan of a running cluster: one host is enough, the others are found by it."""
    from orchestrator.commands.init import Wanted, checked, write  # noqa: PLC0415 -- see the module's docstring

    said = {"user": user, "port": port, "become": become.value if become else None}
    files = {"identity_file": identity_file, "known_hosts": known_hosts, "config": ssh_config, "jump": jump}
    ssh = checked({**said, **files})
    wanted = Wanted(tuple(hosts or ()), inventory, group, service, out_file, ssh)
    text = write(wanted, secrets_of(Login(asks, password)))
    out(text, end="" if out_file is None else "\n")


def explain(
    words: Annotated[
        list[str],
        typer.Argument(metavar="CODE|STATE|ROUND|CHECK", help="As it was printed: 9, sealed, raft lag."),
    ],
) -> None:
    """Say what an exit code, a state, a round or a check means, and whether it can stay so overnight."""
    from orchestrator.report.explaining import explained  # noqa: PLC0415 -- see the module's docstring

    out(explained(" ".join(words)), end="")


def show_certs(plan: Path, login: Login) -> None:
    """Print the certificates of a plan, each against the names that others look for in it."""
    from orchestrator.cli.sessions import session_of  # noqa: PLC0415 -- see the module's docstring
    from orchestrator.commands.lens import show  # noqa: PLC0415 -- see the module's docstring

    with session_of(plan, None, login) as (session, _):
        show(session)


def graph(
    migration: Annotated[
        str | None,
        typer.Argument(
            metavar="[MIGRATION]",
            help="A migration; none: bridge, or PLAN's.",
            autocompletion=completing.migrations,
        ),
    ] = None,
    *,
    kind: Annotated[str, typer.Option("--format", metavar="mermaid|text|svg", help="How.")] = "mermaid",
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="PLAN", help="Show where the hosts of PLAN stand in it.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="State file, if not PLAN.state.jsonl.")
    ] = None,
) -> None:
    """Print a migration's states as a diagram; with a plan, where its hosts stand by its state file."""
    from orchestrator.commands.graph import picture  # noqa: PLC0415 -- see the module's docstring

    out(picture(migration, kind, plan, state), end="")
