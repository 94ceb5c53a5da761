"""Whatever a certificate's or a key's file holds, it is read, or it is said what is wrong with it."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import kinds
from support.certificates import planned, refusals
from support.fuzzing import EXAMPLES

from orchestrator.errors import RefusedError
from orchestrator.etcd import files
from orchestrator.etcd.checks import certificates, routes
from orchestrator.etcd.facts import ca_store

NAMES = ("ca.pem", "leaf.pem", "leaf-key.pem")
SEEDS = (
    "good",
    "intermediate",
    "another kind of name too",
    "CA with a name constraint that fits",
    "RSA 1024",
)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    made = {kind: kinds.make(kind, tmp_path_factory.mktemp("kind")) for kind in SEEDS}
    return {kind: {name: (it.folder / name).read_bytes() for name in NAMES} for kind, it in made.items()}


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """Change a file in the text, or in what the text stands for."""
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place : place + chance.randrange(1, 40)]
            case 2:
                changed[place:place] = changed[: chance.randrange(len(changed) + 1)]
            case _:
                alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
                changed[place : place + 1] = bytes([chance.choice(alphabet)])
    return bytes(changed)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(SEEDS), name=st.sampled_from(NAMES), seed=st.integers(0, 2**32))
def test_a_changed_file_is_read_or_refused(
    kind: str, name: str, seed: int, seeds: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    member = planned(tmp_path)
    for each, raw in seeds[kind].items():
        (tmp_path / each).write_bytes(raw)
    (tmp_path / name).write_bytes(mutated(seeds[kind][name], random.Random(seed)))  # noqa: S311 -- no secret

    certificates.faults((member,), datetime.now(UTC))
    refusals(member)
    routes.names(member.etcd)
    try:
        written = files.material(member)
        ca_store.candidates(member.cluster)
    except RefusedError:
        return
    assert all("PRIVATE KEY" not in write.text for write in written[:2])
