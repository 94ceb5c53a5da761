"""Each member has a watcher of its own, on a host of several clusters too, whatever its unit is called."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.targets import target

from orchestrator.etcd import watching
from orchestrator.etcd.watching import Place
from orchestrator.host.operations import Write
from orchestrator.plan.facts import Target


def named(folder: Path, service: str) -> Target:
    one = target(folder, {})
    return replace(one, host=one.host.model_copy(update={"service": service}))


def test_two_units_have_two_watchers(tmp_path: Path) -> None:
    services = ("etcd", "etcd-a", "etcd@a", r"etcd\x2da")
    places = {Place.of(named(tmp_path, service)) for service in services}
    assert len(services) == len({place.unit for place in places})
    assert len(services) == len({place.directory for place in places})
    assert len(services) == len({place.record for place in places})
    assert "orchestrator-watching-etcd.service" in {place.unit for place in places}


@pytest.mark.parametrize(
    ("service", "word"), [("etcd@a", "etcd@a"), (r"etcd\x2da", r"etcd\\x2da"), ("etcd%i", "etcd%%i")]
)
def test_its_unit_is_told_the_members_as_it_is_called(tmp_path: Path, service: str, word: str) -> None:
    written = [one for one in watching.begin(named(tmp_path, service)) if isinstance(one, Write)]
    (unit,) = (one.text for one in written if one.path.endswith(".service"))
    assert f'"{word}" ' in unit
