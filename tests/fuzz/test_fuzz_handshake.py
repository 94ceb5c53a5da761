"""An SSH server whose messages are changed at random is asked, or cannot be reached, and nothing else."""

import random
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from support.fuzzing import EXAMPLES
from support.ssh_sites import HELLO, make_key
from unit.remote.shells import cluster_of, shims
from unit.remote.sshd import Sshd, reached

from orchestrator.errors import HostUnreachableError, LoginRefusedError
from orchestrator.remote import becoming_root, connecting, root_channels
from orchestrator.remote.ssh import SshHosts

SEEDS = 3 * EXAMPLES
AT_ONCE = 6


class Changing(paramiko.Transport):
    """A server that changes a few of its messages: a byte, a length, an end, all of it."""

    chance = random.Random(0)  # noqa: S311  # a test has to be repeatable
    share = 0.0

    def _send_message(self, data: paramiko.Message) -> None:
        chance = Changing.chance
        if chance.random() < Changing.share:
            content = bytearray(data.asbytes())
            match chance.randrange(5):
                case 0:
                    content[chance.randrange(len(content))] = chance.randrange(256)
                case 1:
                    del content[chance.randrange(len(content)) + 1 :]
                case 2 if len(content) > 5:
                    at = chance.randrange(1, len(content) - 4)
                    content[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)])
                case 3:
                    content[1:] = chance.randbytes(chance.randrange(64))
                case _:
                    content[0] = chance.randrange(256)
            data = paramiko.Message(bytes(content))
        super()._send_message(data)  # type: ignore[misc]


class ChangingSshd(Sshd):
    """Serves any number at once, and takes no notice of what becomes of them."""

    transport_class = Changing

    def greet(self, transport: paramiko.Transport) -> None:
        transport.start_server(event=threading.Event(), server=self)


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    for module, name in ((connecting, "_HANDSHAKE_S"), (connecting, "DIAL_S"), (becoming_root, "_WHO_S")):
        monkeypatch.setattr(module, name, 1.0)
    monkeypatch.setattr(root_channels, "_OPEN_S", 1.0)
    monkeypatch.setattr(connecting, "_HURRIED_S", 0.0)  # not three times
    monkeypatch.setattr(Changing, "share", 0.07)
    host_keys: list[paramiko.PKey] = [paramiko.PKey.from_path(make_key(tmp_path / "host"))]
    server = ChangingSshd(
        host_keys, paramiko.PKey.from_path(make_key(tmp_path / "id")), shims(tmp_path / "bin")
    )
    yield server
    server.stop()


def test_a_host_whose_messages_are_changed_is_asked_or_cannot_be_reached(
    sshd: Sshd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "paramiko")
    there = reached(sshd, tmp_path)
    outcomes: dict[str, int] = {}
    wrong: list[str] = []
    seeds = iter(range(SEEDS))
    lock = threading.Lock()

    def ask() -> None:
        while True:
            with lock:
                seed = next(seeds, None)
            if seed is None:
                return
            try:
                with SshHosts(cluster_of(h1=there), sleep=lambda _: None) as hosts:
                    hosts.look([HELLO])
                reported = "asked"
            except (HostUnreachableError, LoginRefusedError) as error:
                reported = type(error).__name__
                if not error.reason.isprintable():
                    wrong.append(f"{seed}: {error.reason!r}")
            except Exception as error:  # noqa: BLE001  # this is what is looked for
                reported = type(error).__name__
                wrong.append(f"{seed}: {''.join(traceback.format_exception(error))}")
            outcomes[reported] = outcomes.get(reported, 0) + 1

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong
    assert SEEDS == sum(outcomes.values())
    assert outcomes["HostUnreachableError"] > SEEDS / 10, outcomes  # the changes were felt, and not by all
    assert outcomes["asked"] > SEEDS / 30, outcomes
