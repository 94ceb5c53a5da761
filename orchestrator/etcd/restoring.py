"""How saved data is put back, command by command: the text that lies beside it."""

import posixpath
from collections.abc import Iterable
from shlex import join
from shlex import quote as _quoted

from orchestrator.etcd import endpoints, login, saving, settings
from orchestrator.etcd.api.words import data_directory, snapshot_tool
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.facts.hashes import Agreement
from orchestrator.host import places
from orchestrator.plan.facts import Target


def instructions(source: Target, run: str, agreed: Agreement | None) -> str:
    """Return the commands that put a run's saved data back on all members, with their names and URLs."""
    path = saving.data_path(source, run)
    at = f" ({agreed})" if agreed else ""
    lines = (
        f"The data of cluster {source.cluster.name} ({source.facts.cluster_id}) as it was before run {run}.",
        f"It lies on {source.name} in {path}{at}.",
        *commands(source, run, path),
        "",
        f"IDs are new after that, so run {run} cannot go on: move its state file away, and, on each host:",
        f"  mv {places.header(run)} {places.of_run(run)}/header.over",
        "Where members listen with https by then, 'check' says what a new run makes of that.",
        "",
        "On each host, unit.txt in the same directory is its old unit; files/ holds the unit's files, each",
        "under its own path. 'rollback' takes a run's drop-ins away; the copies are for when it cannot.",
    )
    return "\n".join((*lines, ""))


def commands(source: Target, name: str, path: str) -> Iterable[str]:
    """Return the commands that put data back on all members; what is moved aside gets ``name``."""
    ways = {"v3": _through_v3, "v2": _through_v2}
    yield "Whatever was written later is lost by putting it back. If one member alone lost its data, remove"
    yield "and add it instead (docs/restore.md): it gets everything back from the others."
    yield "All commands are for root. The members' old data is moved aside, not removed."
    yield "Stop at the first one that fails: members that start without their data begin an empty cluster."
    yield ""
    yield from ways[source.facts.api](source, name, path)


def _through_v3(source: Target, run: str, path: str) -> Iterable[str]:
    everybody = _quoted(
        ",".join(f"{one.member.name}={url}" for one in source.everyone for url in settings.peers_both(one))
    )
    yield "1. On every member, stop it:"
    yield from _indented(_stop(one) for one in _units(source))
    yield ""
    yield f"2. From the bastion, copy {path} from {source.name} to the other members; it holds every key:"
    yield from _indented(_copy(source, one, path) for one in source.others)
    yield ""
    yield "3. On each member, make its data anew. The URLs are registered in both schemes, so it does not"
    yield "   matter whether the members listen with http or with https by now."
    for one in source.everyone:
        yield f"   {one.name}:"
        yield from _indented(_remade(one, run, path, everybody), by=5)
    yield ""
    yield "4. On every member, start it; none is ready before most of them run:"
    yield from _indented(f"systemctl --no-block start {service}.service" for service in _units(source))
    yield ""
    endpoint = endpoints.after_switch(source)
    etcdctl = f"ETCDCTL_API=3 {login.typed(source.cluster)}etcdctl {join(endpoint.v3)}"
    yield f"5. When all are healthy, register the scheme that they listen with alone, on {source.name}, here"
    yield "   https; IDs are new, and the first command lists them."
    yield f"   {_earlier(source, endpoint)}:"
    yield from _indented(
        (
            f"{etcdctl} member list",
            *(
                f"{etcdctl} member update ID_OF_{one.name} --peer-urls={_list(settings.peers_https(one))}"
                for one in source.everyone
            ),
        )
    )


def _remade(one: Target, run: str, path: str, everybody: str) -> Iterable[str]:
    tool = snapshot_tool(one.member.version)
    tool = f"ETCDCTL_API=3 {tool}" if tool == "etcdctl" else tool
    place = data_directory(one)
    fresh = f"{place}/restored-{run}"
    data = _quoted(f"{place}/member")
    yield _made(one, place)
    yield (
        f"{tool} snapshot restore {path} --data-dir {_quoted(fresh)} --name {_quoted(one.member.name)} "
        f"--initial-cluster {everybody} --initial-cluster-token restored-{run} "
        f"--initial-advertise-peer-urls {_list(settings.peers_both(one))}"
    )
    yield _aside(place, run)
    yield f"mv -T {_quoted(f'{fresh}/member')} {data}"
    yield f"chown -R {_owner(one)} {data}"
    log = one.member.environment.get("ETCD_WAL_DIR")
    if log:  # often a mount point, which cannot be moved itself
        aside = _quoted(f"{log}.before-{run}")
        yield _made(one, log)
        yield f"mkdir {aside}"
        yield f"find {_quoted(log)} -mindepth 1 -maxdepth 1 -exec mv -t {aside} {{}} +"
        yield f"mv -t {_quoted(log)} {data}/wal/*"
        yield f"rmdir {data}/wal"


def _through_v2(source: Target, run: str, path: str) -> Iterable[str]:
    place, service = data_directory(source), source.etcd.service
    alone = f"/run/systemd/system/{service}.service.d/90-restoring.conf"
    endpoint = endpoints.after_switch(source)
    data = _quoted(f"{place}/member")
    etcdctl = f"ETCDCTL_API=2 etcdctl {join(endpoint.v2)}"
    yield "1. On every member, stop it:"
    yield from _indented(_stop(one) for one in _units(source))
    yield ""
    yield f"2. On {source.name}, let it begin a new cluster of its own with the saved data:"
    yield from _indented(
        (
            _made(source, place),
            _aside(place, run),
            f"cp -a {path}/member {data}",
            f"chown -R {_owner(source)} {data}",
            f"mkdir -p {posixpath.dirname(alone)}",
            f"printf '[Service]\\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\\n' > {alone}",
            f"systemctl daemon-reload && systemctl start {service}.service",
            f"rm {alone} && systemctl daemon-reload",
        )
    )
    yield ""
    yield f"3. Still on {source.name}: its ID is what 'member list' says."
    yield f"   {_earlier(source, endpoint)}:"
    yield from _indented(
        (
            f"{etcdctl} member list",
            f"{etcdctl} member update ID {_list(settings.peers_both(source))}",
        )
    )
    yield ""
    yield "4. One member after the other; wait until each is healthy before the next one:"
    for one in source.others:
        yield f"   on {source.name}:"
        yield f"     {etcdctl} member add {_quoted(one.member.name)} {_list(settings.peers_both(one))}"
        yield f"   on {one.name}, with the ETCD_INITIAL_CLUSTER that this printed and"
        yield f"   ETCD_INITIAL_CLUSTER_STATE=existing in {one.etcd.service}.service:"
        yield f"     {_made(one, data_directory(one))}"
        yield f"     {_aside(data_directory(one), run)}"
        yield f"     systemctl start {one.etcd.service}.service"


def _earlier(source: Target, endpoint: Endpoint) -> str:
    """Say what to write for an endpoint while it is not served yet."""
    before = settings.original_url(source)
    if endpoint.paths is None:
        return f"Before the local port is open (the state 'accepting'), write {before} for {endpoint.url}"
    files = "without the three files"
    return (
        f"If it listens with http (before the state 'switched'), write {before} for {endpoint.url}, {files}"
    )


def _units(source: Target) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.etcd.service for one in source.everyone))


def _stop(service: str) -> str:
    return f"systemctl stop {service}.service"


def _made(one: Target, directory: str) -> str:
    """Make a directory of the service's user, if it was lost with everything in it."""
    place, user, group = map(_quoted, (directory, one.found.user, one.found.group))
    return f"[ -d {place} ] || install -d -m 0700 -o {user} -g {group} {place}"


def _aside(place: str, run: str) -> str:
    """Move a member's old data aside, if there is any."""
    data, before = _quoted(f"{place}/member"), _quoted(f"{place}/member.before-{run}")
    return f"[ ! -e {data} ] || mv -T {data} {before}"


def _copy(source: Target, other: Target, path: str) -> str:
    taken = f"umask 077; mkdir -p {posixpath.dirname(path)}; cat > {path}"
    return f"{_ssh(source, f'cat {path}')} | {_ssh(other, taken)}"


def _ssh(one: Target, script: str) -> str:
    """Log in as the plan does, and run a script as root."""
    ssh = one.host.ssh
    identity = ("-i", str(ssh.identity_file)) if ssh.identity_file else ()
    config = ("-F", str(ssh.config)) if ssh.config else ()
    jump = ("-J", ssh.jump) if ssh.jump else ()
    known = ("-o", f"UserKnownHostsFile={ssh.known_hosts}") if "known_hosts" in ssh.model_fields_set else ()
    words = ("ssh", *config, *jump, "-p", str(ssh.port), *identity, *known)
    asked = script if ssh.become == "none" else f"{ssh.become} sh -c {_quoted(script)}"
    return join((*words, f"{ssh.user}@{ssh.host}", asked))


def _list(urls: Iterable[str]) -> str:
    return _quoted(",".join(urls))


def _owner(one: Target) -> str:
    return _quoted(f"{one.found.user}:{one.found.group}")


def _indented(lines: Iterable[str], by: int = 3) -> Iterable[str]:
    return (" " * by + line for line in lines)
