"""What a rehearsal of the hosts as they are has to know of them; reading it changes nothing."""

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import TypeVar

from orchestrator.commands import recall
from orchestrator.commands.status import read_progress
from orchestrator.errors import RefusedError, StoppedError
from orchestrator.etcd.facts import layout, members, process
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
TOKENS = "ETCD_AUTH_TOKEN"
EMPTY = "not copied: keys and values, certificates and private keys: the lab begins empty and makes its own"
SECRETS = "not copied: certificates and private keys: the lab makes its own"
V2 = "not copied: keys of the v2 interface, which {} serve: a snapshot holds those of v3 alone"


def read(
    session: Session, facts: Facts, store: Path, *, with_data: bool = False
) -> tuple[Layout, tuple[str, ...]]:
    """Read how every host's etcd is started; copy its programs into ``store``, once each.

    Returns it, and what to report: what was found, and what could not be copied, but for the data.
    RefusedError for what cannot be rehearsed.
    """
    serving = _interfaces(session, facts)
    reads = _reads(session, facts)
    refuse_keys(reads)
    names = sorted(set().union(*(each.hostnames for each in reads)))
    arounds = asked(
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
    registered = {name: Registration(member.name, member.peer_urls) for name, member in facts.members.items()}
    token = reads[0].running.settings.get(TOKEN, "etcd-cluster")  # etcd's own default
    outline = recall.compile_there(session, facts).outline[:12]
    if with_data:
        reported += [SECRETS, *([V2.format(", ".join(serving))] if serving else [])]
    else:
        reported.append(EMPTY)
    depends = session.migration.overlaps and session.cluster.clients.overlap == "auto"
    seen = ", if a client is seen there that speaks plain http (clients.overlap: auto)" if depends else ""
    reported += [f"runbook without certificates and IDs: {outline}, in the rehearsal as on your hosts{seen}"]
    return Layout(hosts, registered, token, resolved, store), tuple(reported)


def read_facts(session: Session) -> Facts:
    """Read the facts off the hosts.

    StoppedError in the middle of a migration, RefusedError if the plan does not fit the hosts.
    """
    if read_progress(session).is_under_way:
        raise StoppedError(
            "a migration is under way, and what is rehearsed is a whole one. "
            f"Where it stands: {session.command('status')}"
        )
    # the lab's clients speak http, so with 'auto' they have the overlap
    overlaps = session.migration.overlaps and session.cluster.clients.overlap is not False
    facts = recall.read_facts(session, overlaps=overlaps)
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
    running = asked(session, {target.name: process.running(target) for target in targets})
    units = asked(session, {target.name: unit.of(target) for target in targets})
    return [Read(target, running[target.name], units[target.name]) for target in targets]


def refuse_keys(reads: Iterable[Read]) -> None:
    """Refuse an etcd that does not even start without a private key, for those stay where they are."""
    signing = [each.target.name for each in reads if each.running.settings.get(TOKENS, "").startswith("jwt")]
    if signing:
        raise RefusedError(
            f"{', '.join(signing)}: etcd signs its tokens with a key of its own ({TOKENS}=jwt,...), without "
            "which it does not start; private keys are not copied, so what was found cannot be rehearsed. "
            "Leave --as-found out"
        )


def _interfaces(session: Session, facts: Facts) -> tuple[str, ...]:
    """Return the members that serve the v2 interface too; RefusedError if the lab's clients have none."""
    if facts.api != "v3":
        return ()
    targets = targets_of(session.cluster, facts)
    gateways = asked(session, {target.name: members.gateway(target) for target in targets})
    shut = [name for name, is_open in gateways.items() if not is_open]
    if shut:
        raise RefusedError(
            f"{', '.join(shut)}: etcd's JSON gateway is off (etcd 3.4 with a configuration file needs "
            "enable-grpc-gateway: true there), and the lab's clients write through it, so what was found "
            "cannot be rehearsed. Leave --as-found out"
        )
    versions = asked(session, {target.name: members.version(target) for target in targets})
    return tuple(name for name, version in versions.items() if version.serves_v2)


def asked(session: Session, facts: Mapping[str, Fact[Value]]) -> dict[str, Value]:
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
    read = {path: asked(session, {name: layout.small_file(name, path)})[name] for path in paths}
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
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
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
