"""What a migration does to a member: each action is a pure function of the member to operations.

Every action may be done twice, and has another that undoes it.
"""

from collections.abc import Iterable

from orchestrator.etcd import (
    api,
    client_units,
    endpoints,
    files,
    install,
    local_port,
    settings,
    trial,
    watching,
)
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.facts import ca_store
from orchestrator.etcd.install import in_place
from orchestrator.etcd.settings import Paths
from orchestrator.etcd.stages import (
    CERTIFICATES,
    CLOSED,
    HTTPS,
    LOCAL_PORT,
    OVERLAP,
    RELAYING,
    closed,
    stages_of,
)
from orchestrator.host.operations import MakeDirectory, Operation, Remove, RemoveDirectory, Run, Write
from orchestrator.plan.facts import Target

# Returns once systemd has nothing left to do for a unit, or after 5 s of the kernel's clock.
AWAIT = (
    "read -r now _ </proc/uptime; end=$((${now%.*} + 5)); "
    'while [ -n "$(systemctl show --property=Job --value "$1")" ] && '
    'read -r now _ </proc/uptime && [ "${now%.*}" -lt "$end" ]; do sleep 0.05; done'
)
RELOAD = Run(("systemctl", "daemon-reload"))


def copy_certificates(target: Target) -> Iterable[Operation]:
    """Put CA, certificate and key where the service's user can read them, and only root can change them."""
    yield MakeDirectory(Paths.of(target).directory)
    yield from files.material(target)


def remove_certificates(target: Target) -> Iterable[Operation]:
    """Remove what was copied; a file that lay there before with the same content stays."""
    paths = Paths.of(target)
    for file in reversed(files.material(target)):
        yield from files.undone(target, file.path, file)
    if paths.directory in target.found.missing_directories:
        yield RemoveDirectory(paths.directory)


def try_next_start_out(target: Target) -> Iterable[Operation]:
    """Start the member's own unit under another name, with its final settings, beside the member."""
    yield from trial.begin(target)


def end_trial(target: Target) -> Iterable[Operation]:
    """End the trial; nothing of it stays."""
    yield from trial.end(target)


def open_local_port(target: Target) -> Iterable[Operation]:
    """Let the member listen on the unencrypted port on loopback too, from its next start on."""
    yield from install.of(target).put(LOCAL_PORT)


def close_local_port(target: Target) -> Iterable[Operation]:
    """Take the local port's settings away again."""
    yield from install.of(target).take_away(LOCAL_PORT)
    yield from install.of(target).clear()


def load_certificates(target: Target) -> Iterable[Operation]:
    """Give the member its certificate settings, from its next start on."""
    yield from install.of(target).put(CERTIFICATES)


def unload_certificates(target: Target) -> Iterable[Operation]:
    """Take the certificate settings away again."""
    yield from install.of(target).take_away(CERTIFICATES)


def watch_clients(target: Target) -> Iterable[Operation]:
    """Note from here on who speaks plain http to the member, and who TLS, if it serves both for a while."""
    if _are_clients_watched(target):
        yield from watching.begin(target)


def end_watch(target: Target) -> Iterable[Operation]:
    """End that; nothing of it stays."""
    if _are_clients_watched(target):
        yield from watching.end(target)


def _are_clients_watched(target: Target) -> bool:
    return target.facts.overlaps or bool(target.cluster.clients.close)


def end_watch_unless_ports_close(target: Target) -> Iterable[Operation]:
    """End that, unless who uses the ports that are closed in the end has to be seen still."""
    if not target.cluster.clients.close:
        yield from end_watch(target)


def serve_both_schemes(target: Target) -> Iterable[Operation]:
    """Have clients served over https beside http, from the member's next start on, if that is wanted."""
    yield from install.of(target).put(OVERLAP)


def serve_http_alone(target: Target) -> Iterable[Operation]:
    """Take https beside http away again."""
    yield from install.of(target).take_away(OVERLAP)


def listen_on_https(target: Target) -> Iterable[Operation]:
    """Turn every listener but the local port to https, from the member's next start on."""
    yield from install.of(target).put(HTTPS)


def listen_on_http(target: Target) -> Iterable[Operation]:
    """Take the https listeners away again."""
    yield from install.of(target).take_away(HTTPS)


def close_ports(target: Target) -> Iterable[Operation]:
    """Close what the plan wants closed in the end, from the member's next start on."""
    yield from install.of(target).put(CLOSED)


def open_ports_again(target: Target) -> Iterable[Operation]:
    """Open that again."""
    yield from install.of(target).take_away(CLOSED)


def restart(target: Target) -> Iterable[Operation]:
    """Restart the member; systemd says READY only with a quorum, so it is waited for a while only.

    Whether it is well is for the gates to say. They are looked at next, and find it back.
    """
    unit = f"{target.etcd.service}.service"
    yield RELOAD
    yield Run(("systemctl", "--no-block", "restart", unit))
    yield Run(("sh", "-c", AWAIT, "await", unit))


def restart_if_opened(target: Target) -> Iterable[Operation]:
    """Restart the member, unless it gets no local port now: it was open before, or there is none."""
    if local_port.opened(target):
        yield from restart(target)


def restart_if_closed(target: Target) -> Iterable[Operation]:
    """Restart the member, unless it has nothing that is closed."""
    if closed(target):
        yield from restart(target)


def restart_if_file_may_change(target: Target) -> Iterable[Operation]:
    """Restart a member with a configuration file of its own, before that file goes back to what it said.

    What such a member runs with is seen in the file alone, and it may have been started with the edited one.
    """
    if target.found.source and target.found.source.configuration:
        yield from restart(target)


def relay_with_certificates(target: Target) -> Iterable[Operation]:
    """Give a proxy its certificates and loopback listeners, from its next start on."""
    yield from install.of(target).put(RELAYING)


def relay_as_before(target: Target) -> Iterable[Operation]:
    """Take the proxy's settings away again."""
    yield from install.of(target).take_away(RELAYING)
    yield from install.of(target).clear()


def move_clients(target: Target) -> Iterable[Operation]:
    """Give the clients on the host that the plan moves their new files, and have them read these."""
    yield from client_units.move(target)


def move_clients_back(target: Target) -> Iterable[Operation]:
    """Give these clients back what stood in their files, byte for byte, and have them read that."""
    yield from client_units.move_back(target)


def edit_own_files(target: Target) -> Iterable[Operation]:
    """Let the operator's own files say the final settings too; ours still lie beside them, and win."""
    yield from map(in_place.edit, target.found.own_files)
    yield RELOAD


def put_own_files_back(target: Target) -> Iterable[Operation]:
    """Take our edits out of the operator's own files, byte for byte."""
    yield from (in_place.edit(file).undone for file in reversed(target.found.own_files))
    yield RELOAD


def take_ours_away(target: Target) -> Iterable[Operation]:
    """Remove our files, but not before the operator's own say what ours do.

    The drop-ins go first, that of the last stage last: while others lie there, it has to win over them. What
    they name goes once systemd knows them no more, for an etcd that ends is started with what it knows.
    """
    installed = install.of(target)
    yield from map(in_place.edit, target.found.own_files)
    removed = [operation for stage in stages_of(target) for operation in installed.take_away(stage)]
    drop_ins = [one for one in removed if isinstance(one, Remove | Write) and one.path in installed.drop_ins]
    yield from drop_ins
    yield RELOAD
    yield from (one for one in removed if one not in drop_ins)
    yield from installed.clear()


def put_ours_back(target: Target) -> Iterable[Operation]:
    """Put our files beside the operator's again, that of the last stage first."""
    for stage in reversed(stages_of(target)):
        yield from install.of(target).put(stage)
    yield RELOAD


def trust_ca(target: Target) -> Iterable[Operation]:
    """Put the CA into the host's trust store too, unless the plan says that files are enough."""
    yield from ca_store.install(target)


def distrust_ca(target: Target) -> Iterable[Operation]:
    """Take the CA out of the host's trust store again."""
    yield from ca_store.uninstall(target)


def register_what_is_listened_with(target: Target) -> Iterable[Operation]:
    """Register the peer URLs with the scheme that the member listens with, if somebody registered another."""
    urls = settings.peers_before(target)
    if set(urls) != set(target.member.peer_urls):
        endpoint = endpoints.as_found(target)
        yield api.of(target).update_peers(target.member.id, urls, endpoint)


def register_http(target: Target) -> Iterable[Operation]:
    """Register the peer URLs with the scheme that the member listened with before the first change."""
    yield from _register(target, settings.peers_before(target), endpoints.before_switch(target))


def register_both_schemes(target: Target) -> Iterable[Operation]:
    """Register each peer URL in both schemes: whoever dials finds the one that answers."""
    yield from _register(target, settings.peers_both(target), endpoints.before_switch(target))


def register_both_schemes_again(target: Target) -> Iterable[Operation]:
    """Register each peer URL in both schemes, of a member that is switched."""
    yield from _register(target, settings.peers_both(target), endpoints.after_switch(target))


def register_https(target: Target) -> Iterable[Operation]:
    """Register the peer URLs in https only, of a member that is switched."""
    yield from _register(target, settings.peers_https(target), endpoints.after_switch(target))


def announce_https(target: Target) -> Iterable[Operation]:
    """Register the peer URLs in https only, of a member that still listens on http."""
    yield from _register(target, settings.peers_https(target), endpoints.before_switch(target))


def hand_over(target: Target, successor: Target) -> Iterable[Operation]:
    """Give leadership away; on the leader's host, through the listener that it had from the start."""
    yield from _move_leader(target, successor, endpoints.as_found(target))


def hand_over_locally(target: Target, successor: Target) -> Iterable[Operation]:
    """Give leadership away through the local port, if there is one, for a member that is not switched."""
    yield from _move_leader(target, successor, endpoints.before_switch(target))


def hand_over_switched(target: Target, successor: Target) -> Iterable[Operation]:
    """Give leadership away through the local port, or over https, for a member that is switched."""
    yield from _move_leader(target, successor, endpoints.after_switch(target))


def hand_over_at_the_end(target: Target, successor: Target) -> Iterable[Operation]:
    """Give leadership away through a listener that stays to the end."""
    yield from _move_leader(target, successor, endpoints.at_the_end(target))


def _move_leader(target: Target, successor: Target, endpoint: Endpoint) -> Iterable[Operation]:
    command = api.of(target).move_leader(successor.member.id, endpoint)
    return () if command is None else (command,)


def _register(target: Target, urls: tuple[str, ...], endpoint: Endpoint) -> Iterable[Operation]:
    """Register peer URLs; one whose peers speak https from the start is registered right all the time."""
    if settings.peers_before(target) == settings.peers_https(target):
        return
    yield api.of(target).update_peers(target.member.id, urls, endpoint)
