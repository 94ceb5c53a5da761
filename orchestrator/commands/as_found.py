"""What a rehearsal of the hosts as they are has to know of them; reading it changes nothing."""

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import TypeVar

from orchestrator.commands import recall
from orchestrator.commands.status import read_progress
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.etcd.facts import layout, process
from orchestrator.etcd.facts.layout import Around
from orchestrator.etcd.gather import targets_of
from orchestrator.etcd.install import found, unit
from orchestrator.etcd.install.found import Read
from orchestrator.host.questions import Fact
from orchestrator.pki.reading import is_address
from orchestrator.plan.facts import Facts
from orchestrator.plan.layout import HostLayout, Layout, Program, Registration
from orchestrator.session import Session

Value = TypeVar("Value")

TOKEN = "ETCD_INITIAL_CLUSTER_TOKEN"  # noqa: S105 - the name of a setting
EMPTY = "not copied: keys and values, certificates and private keys: the lab begins empty and makes its own"


def read(session: Session, store: Path) -> tuple[Layout, tuple[str, ...]]:
    """Read how every host's etcd is started; copy its programs into ``store``, once each.

    Returns it, and what to report: what was found, and what could not be copied. StoppedError in the middle
    of a migration, RefusedError if the plan does not fit the hosts.
    """
    facts = _facts(session)
    reads = _reads(session, facts)
    names = sorted(set().union(*(each.hostnames for each in reads)))
    arounds = _asked(
        session, {each.target.name: layout.around(each.target, each.paths, names) for each in reads}
    )
    resolved = _resolved(arounds.values(), names)
    hosts: dict[str, HostLayout] = {}
    reported: list[str] = []
    for each in reads:
        name, around = each.target.name, arounds[each.target.name]
        scripts = _scripts(session, name, found.small_files(each, around))
        try:
            one = found.layout(each, around, scripts, _addresses(each, around, resolved))
        except ValueError as error:
            raise RefusedError(f"{name}: {error}: it cannot be rehearsed as it was found") from error
        hosts[name] = one.layout
        reported += [_described(each, one.layout), *(f"{name}: not copied: {what}" for what in one.left_out)]
        for program in one.layout.programs:
            _fetch(session, name, program, store)
    members = {name: Registration(member.name, member.peer_urls) for name, member in facts.members.items()}
    token = reads[0].running.settings.get(TOKEN, "etcd-cluster")  # etcd's own default
    outline = recall.compile_there(session, facts).outline[:12]
    reported += [EMPTY, f"runbook without certificates and IDs: {outline}, in the rehearsal as on your hosts"]
    return Layout(hosts, members, token, resolved, store), tuple(reported)


def _facts(session: Session) -> Facts:
    if read_progress(session).is_under_way:
        raise StoppedError(
            "a migration is under way, and what is rehearsed is a whole one. "
            f"Where it stands: {session.command('status')}"
        )
    facts = recall.read_facts(session)
    urls = [(name, url) for name, member in facts.members.items() for url in member.peer_urls]
    encrypted = dict.fromkeys(name for name, url in urls if not url.startswith("http://"))
    if encrypted:
        raise RefusedError(
            f"{', '.join(encrypted)}: not registered with http alone, and what is rehearsed begins there. "
            f"Where the members stand: {session.command('status')}"
        )
    return facts


def _reads(session: Session, facts: Facts) -> list[Read]:
    first = targets_of(session.cluster, facts)[0]
    targets = (*first.everyone, *first.proxies)
    running = _asked(session, {target.name: process.running(target) for target in targets})
    units = _asked(session, {target.name: unit.of(target) for target in targets})
    return [Read(target, running[target.name], units[target.name]) for target in targets]


def _asked(session: Session, facts: Mapping[str, Fact[Value]]) -> dict[str, Value]:
    """Ask every host for one fact; RefusedError for an answer that cannot be read."""
    answers = session.hosts.look(fact.question for fact in facts.values())
    values = {}
    for name, fact in facts.items():
        try:
            values[name] = fact.read(answers)
        except (LookupError, ValueError) as error:
            raise RefusedError(f"{name}: what it answers cannot be read: {error}") from error
    return values


def _scripts(session: Session, name: str, paths: Iterable[str]) -> dict[str, str]:
    """Read those of a host's files that are scripts."""
    read = {path: _asked(session, {name: layout.small_file(name, path)})[name] for path in paths}
    return {
        path: content.decode(errors="surrogateescape")
        for path, content in read.items()
        if content.startswith(b"#!")
    }


def _fetch(session: Session, name: str, program: Program, store: Path) -> None:
    """Copy a program from a host, unless one with the same content is there already."""
    target = store / program.sha256
    if target.exists():
        return
    store.mkdir(parents=True, exist_ok=True)
    unfinished = store / f"{program.sha256}.unfinished"
    wanted = layout.copied(name, program, unfinished)
    answer = session.hosts.look([wanted])[wanted]
    if answer.exit_status != 0:
        raise RefusedError(f"{name}: {program.path} cannot be copied: {answer.reason}")
    with unfinished.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != program.sha256:
        unfinished.unlink()
        raise RefusedError(f"{name}: {program.path} was changed while it was copied: begin again")
    unfinished.replace(target)


def _resolved(arounds: Iterable[Around], names: Iterable[str]) -> dict[str, str]:
    """Return what DNS names mean to the hosts: to most a host's own name is no loopback."""
    heard = [around.resolved for around in arounds]
    found = {}
    for name in names:
        addresses = (one[name] for one in heard if name in one)
        outer = (address for address in addresses if not ip_address(address).is_loopback)
        if not is_address(name) and (address := next(outer, None)):
            found[name] = address
    return found


def _addresses(read: Read, around: Around, resolved: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of a host's own addresses that URLs name, that of the plan first."""
    planned = read.target.host.address
    first = planned if is_address(planned) else resolved.get(planned, next(iter(around.addresses), ""))
    named = {resolved.get(name, name) for name in read.hostnames}
    own = (address for address in around.addresses if address in named)
    return tuple(dict.fromkeys((*filter(None, [first]), *own)))


def _described(read: Read, found: HostLayout) -> str:
    """Say in one line how a host's etcd is started."""
    digests = {PurePosixPath(program.path).name: program.sha256[:12] for program in found.programs}
    version = read.target.found.version
    programs = ", ".join(f"{name} (sha256 {digest})" for name, digest in digests.items())
    others = [file.path for file in found.files if file.path not in {found.fragment, *read.unit.drop_ins}]
    return (
        f"{read.target.name}: {found.unit} ({len(read.unit.drop_ins)} drop-ins), "
        + "".join(f"{path}, " for path in others)
        + f"etcd {version}, {programs}, as {found.account.user}"
    )
