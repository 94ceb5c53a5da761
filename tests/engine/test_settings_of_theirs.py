"""What `settings` prints, put into the operator's own files, is what the run brings about with ours."""

from collections.abc import Callable
from pathlib import Path

import pytest
from engine.sourced import (
    FRAGMENT,
    SourcedHost,
    SourcedWorld,
    in_a_configuration,
    in_a_drop_in,
    in_a_file,
    in_flags,
)
from engine.walking import begin, compiled, context
from engine.world import make_cluster

from orchestrator.commands import own_files, settings
from orchestrator.commands.recall import read_facts
from orchestrator.engine.run import run
from orchestrator.engine.state_file import StateFile
from orchestrator.etcd import effective
from orchestrator.etcd.install import config_file, drop_ins
from orchestrator.etcd.install.theirs import Place
from orchestrator.migrations.bridge import BRIDGE
from orchestrator.plan.facts import Target
from orchestrator.remote.executor import LiveExecutor
from orchestrator.session import Session

LAYOUTS = (in_a_drop_in, in_a_file, in_flags, in_a_configuration)
UNITS = "/etc/systemd/system/etcd2.service.d/"


def opened(folder: Path, layout: Callable[..., object]) -> tuple[Session, SourcedWorld]:
    cluster = make_cluster(folder)
    world = SourcedWorld(cluster, layout)  # type: ignore[arg-type]
    return Session(folder / "plan.yaml", folder / "state", cluster, BRIDGE, (), world), world


def migrate(session: Session, world: SourcedWorld) -> None:
    with StateFile(session.state) as event_log:
        runbook = compiled(session.cluster, world)
        begin(event_log, runbook, read_facts(session))
        run(runbook, LiveExecutor(world), event_log, context(session.cluster))


def obey(host: SourcedHost, place: Place) -> None:
    """Let their own file say what it has to, as their configuration management would."""
    lines = "".join(f"{line}\n" for line in place.lines)
    if place.carrier == "flag":
        assert place.path == FRAGMENT
        host.unit += f"ExecStart=\n{place.command}\n"
    elif place.path == FRAGMENT:
        host.unit += lines
    else:
        text, *how = host.files[place.path]
        keys = effective.of_configuration(lines) if place.carrier == "key" else {}
        changed = config_file.changed(text, keys) if keys else text + lines
        host.files[place.path] = (changed, *how)  # type: ignore[assignment]


@pytest.mark.parametrize("forgets", [False, True], ids=["with its state file", "without"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_their_files_alone_bring_about_what_ours_do(
    tmp_path: Path, layout: Callable[..., object], *, forgets: bool
) -> None:
    session, world = opened(tmp_path, layout)
    before = settings.reported(session)
    migrate(session, world)
    assert before == settings.reported(session)  # it says the same at every moment
    if forgets:
        session.state.unlink()
    facts = settings.facts_of(session)
    targets = [Target(session.cluster, facts, host) for host in session.cluster.hosts]
    for name, places in own_files.places(session, targets).items():
        host = world.hosts[name]
        assert isinstance(host, SourcedHost)
        wanted = dict(host.loaded)
        ours = [path for path in host.files if any(name in path for name in drop_ins.NAMES.values())]
        assert ours
        for path in ours:
            del host.files[path]
        for place in places:
            obey(host, place)
        host.reload()
        assert wanted == host.loaded


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        (in_a_drop_in, f"{UNITS}20-cloudinit.conf:4: ETCD_LISTEN_PEER_URLS"),
        (in_a_file, "/etc/default/etcd:3: ETCD_LISTEN_PEER_URLS"),
        (in_flags, f"{FRAGMENT}:4: --listen-client-urls"),
        (in_a_configuration, "/etc/etcd.yml:4: listen-peer-urls"),
    ],
)
def test_each_line_that_says_http_is_named(tmp_path: Path, layout: Callable[..., object], line: str) -> None:
    session, _ = opened(tmp_path, layout)
    reported = settings.reported(session)
    port = 2380 if "peer" in line.lower() else 2379
    assert f"{line}: http://0.0.0.0:{port} -> https://0.0.0.0:{port}" in reported
    assert "key /etc/etcd2/server1-key.pem (0600, etcd:etcd)" in reported
