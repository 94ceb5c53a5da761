"""``init``: from some hosts of a running cluster to a commented plan; it changes nothing on them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator import commandline
from orchestrator.commands import discovering
from orchestrator.engine import disk
from orchestrator.errors import PlanInvalidError, RefusedError, UsageError
from orchestrator.migrations import MIGRATIONS
from orchestrator.output import err
from orchestrator.plan import inventory, schema, spelling
from orchestrator.plan.discovered import Discovered
from orchestrator.plan.loading import load
from orchestrator.plan.model import Cluster
from orchestrator.plan.seeds import Seed, seed
from orchestrator.remote.executor import Hosts
from orchestrator.remote.route import settled, ways_of
from orchestrator.remote.ssh import SshHosts
from orchestrator.remote.unlocking import Unlocked
from orchestrator.report.draft import FILL_IN, Drafting, draft, shared_by
from orchestrator.session import Secrets
from orchestrator.text import shown

# What an operator may say of the way to every host, as a plan has it in `ssh`.
PATHS = ("identity_file", "known_hosts", "config")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says: hosts, or the inventory that names them, and how they are reached."""

    hosts: tuple[str, ...]
    inventory: Path | None = None
    group: str | None = None
    service: str | None = None
    out: Path | None = None
    ssh: Mapping[str, str | int] = field(default_factory=dict)


def write(wanted: Wanted, secrets: Secrets) -> str:
    """Return the plan, or write it and return what was written; RefusedError if a file is in the way."""
    if wanted.out is not None:
        _refuse_written(wanted.out)
    folder = wanted.out.absolute().parent if wanted.out else Path.cwd()
    seeds = _seeds(wanted)
    connect = _Connect(_anchored(wanted.ssh), secrets)
    seeds = connect.becoming_root(seeds)
    found = discovering.discover(seeds, connect, wanted.service)
    text = draft(found, _drafting(wanted, found, folder))
    if wanted.out is None:
        return text
    return _written(wanted.out, text, found)


def _drafting(wanted: Wanted, found: Discovered, folder: Path) -> Drafting:
    """Say of the way to the hosts what the command line said, and what the inventory says of all alike."""
    shared = shared_by(found.hosts)
    anchored = _anchored(wanted.ssh)
    relative = {name: _relative(str(anchored[name]), folder) for name in PATHS if name in anchored}
    key = (
        {"identity_file": _relative(str(shared["identity_file"]), folder)}
        if "identity_file" in shared
        else {}
    )
    ssh = {**shared, **key, **wanted.ssh, **relative}
    return Drafting(ssh, schema.FILE, "Drafted by `orchestrator init`")


def _seeds(wanted: Wanted) -> tuple[Seed, ...]:
    if bool(wanted.hosts) == bool(wanted.inventory):
        raise UsageError("init: name a host (or an endpoint of etcd), or an inventory with --from-inventory")
    if wanted.inventory is not None:
        try:
            return inventory.read(wanted.inventory, wanted.group)
        except ValueError as error:
            raise UsageError(f"{shown(str(wanted.inventory), quote='')}: {error}") from error
    if wanted.group is not None:
        raise UsageError("--group is a group of an inventory: name that with --from-inventory FILE")
    found = []
    for text in dict.fromkeys(wanted.hosts):
        try:
            found.append(seed(text))
        except ValueError as error:
            raise UsageError(f"init {shown(text)}: {error}") from error
    return tuple(found)


def _anchored(ssh: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return it with whole paths: what is typed is relative to where it is typed, not to the plan."""
    return {
        name: str(Path(str(value)).expanduser().absolute()) if name in PATHS and value != "none" else value
        for name, value in ssh.items()
    }


def _relative(path: str, folder: Path) -> str:
    """Return a path as the plan names it: relative if it lies below the plan's folder."""
    here = Path(path)
    return str(here.relative_to(folder)) if here.is_relative_to(folder) else path


@dataclass(frozen=True, slots=True)
class _Connect:
    """Connects to hosts that no plan names yet."""

    ssh: Mapping[str, str | int]
    secrets: Secrets
    unlocked: Unlocked = field(default_factory=Unlocked)

    @contextmanager
    def __call__(self, seeds: Sequence[Seed], services: Mapping[str, str]) -> Iterator[tuple[Cluster, Hosts]]:
        """Connect to all of them."""
        cluster = discovering.cluster_of(seeds, services, self.ssh)
        ways = ways_of(cluster)
        self.unlocked.unlock((login for way in ways for login in way.logins), self.secrets.ask)
        cluster = settled(cluster, ways)
        with SshHosts(cluster, unlocked=self.unlocked, password=self.secrets.become) as hosts:
            yield cluster, hosts

    def becoming_root(self, seeds: Sequence[Seed]) -> tuple[Seed, ...]:
        """Have whoever logs in as another user than root become root by sudo, unless told otherwise."""
        ways = ways_of(discovering.cluster_of(seeds, {}, self.ssh))
        return tuple(
            replace(one, become="sudo")
            if one.become is None and "become" not in self.ssh and way.target.user != "root"
            else one
            for one, way in zip(seeds, ways, strict=True)
        )


def _refuse_written(path: Path) -> None:
    if os.path.lexists(path):
        raise RefusedError(
            f"{shown(str(path), quote='')} is there already, and was not touched: name another file with "
            "--out, or move it away"
        )


def _written(out: Path, text: str, found: Discovered) -> str:
    """Write the plan and the schema beside it; both only where nothing lies yet."""
    try:
        disk.write_new(out, text.encode(), mode=None)
    except FileExistsError:
        _refuse_written(out)
    except OSError as error:
        raise RefusedError(f"{shown(str(out), quote='')} cannot be written: {error.strerror}") from error
    beside = out.with_name(schema.FILE)
    try:
        disk.write_new(beside, schema.text(MIGRATIONS).encode(), mode=None)
    except FileExistsError:
        err(f"note: {shown(str(beside), quote='')} was there already, and was left as it is")
    except OSError as error:
        err(f"note: {shown(str(beside), quote='')} was not written: {error.strerror}")
    for line in _faults(out):
        err(f"to do: {line}")
    plan = commandline.argument(out)
    names = ", ".join(host.name for host in found.hosts)
    return (
        f"{shown(str(out), quote='')}: {len(found.hosts)} hosts ({names}), etcd {found.version}. Nothing was "
        f"changed on them.\nRead it, and what it says at {FILL_IN}. Then, unless you have certificates: "
        f"{commandline.command('certs', plan)}\nThen: {commandline.command('check', plan)}"
    )


def _faults(out: Path) -> Sequence[str]:
    """Return what the plan's own reader finds wrong with it, once certificates are there."""
    try:
        load(out, MIGRATIONS, files=False)
    except PlanInvalidError as error:
        return error.faults
    return ()


def checked(ssh: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Return what was given of the options for SSH; UsageError for what a plan would not take."""
    given = {name: value for name, value in ssh.items() if value is not None}
    try:
        if "user" in given:
            spelling.user(str(given["user"]))
        discovering.cluster_of((Seed("host.invalid"),), {}, given)
    except ValueError as error:
        raise UsageError(f"init: {_first(error)}") from error
    return given


def _first(error: ValueError) -> str:
    details = getattr(error, "errors", None)
    if details is None:
        return str(error)
    first = details(include_url=False)[0]
    said = first.get("ctx", {}).get("error", first["msg"])
    return f"--{str(first['loc'][-1]).replace('_', '-')}: {said}"
