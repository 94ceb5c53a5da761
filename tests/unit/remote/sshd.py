"""A small SSH server in this process that runs commands in a local shell and counts its connections."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from orchestrator.plan.model import Ssh

GONE = (paramiko.SSHException, EOFError, OSError)
"""What paramiko raises, at whatever it is doing, when the other end has hung up."""


REPLIED_S = (
    0.2  # by then the request to run the command is answered, which sshd does before it ends the channel
)


class Sshd(paramiko.ServerInterface):
    """Accepts one public key; can drop the next connections before the banner, or say nothing at all."""

    transport_class = paramiko.Transport

    def __init__(
        self, host_keys: list[paramiko.PKey], key: paramiko.PKey, environment: Mapping[str, str]
    ) -> None:
        self.host_keys = host_keys
        self.key = key
        self.environment = environment
        self.logins = 0
        self.drops = 0
        self.is_mute = False
        self.max_sessions = 10  # as sshd's MaxSessions
        self.transports: list[paramiko.Transport] = []
        self.pids: list[int] = []
        self._commands: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.silent: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self.is_mute:
                self.silent.append(sock)
                continue
            if self.drops:
                self.drops -= 1
                sock.close()
                continue
            transport = self.transport_class(sock)
            for host_key in self.host_keys:
                transport.add_server_key(host_key)
            self.transports.append(transport)
            self.greet(transport)

    def greet(self, transport: paramiko.Transport) -> None:
        """Begin to serve one connection."""
        with contextlib.suppress(*GONE):
            transport.start_server(server=self)

    def hang_up(self) -> None:
        """Close every connection."""
        for transport in self.transports:
            transport.close()

    def stop(self) -> None:
        """Close everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.hang_up()
        for command in self._commands:  # one that outlives its connection ends when it notices
            command.join()
        for sock in self.silent:
            sock.close()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_right = username == "root" and key == self.key
        self.logins += is_right
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002  # paramiko's signature
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002  # paramiko's signature
        sessions = sum(command.is_alive() for command in self._commands)
        return OPEN_SUCCEEDED if sessions < self.max_sessions else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_direct_tcpip_request(
        self,
        chanid: int,  # noqa: ARG002  # paramiko's signature
        origin: tuple[str, int],  # noqa: ARG002
        destination: tuple[str, int],  # noqa: ARG002
    ) -> int:
        self.hang_up()  # a host that dies while a tunnel is asked for
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        command_thread = threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True)
        command_thread.start()
        self._commands.append(command_thread)
        return True

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        process = subprocess.Popen(
            ["sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,  # as sshd does
        )
        self.pids.append(process.pid)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        feeder = threading.Thread(target=_feed, args=(channel, process), daemon=True)
        feeder.start()
        errors = threading.Thread(target=_pass_errors, args=(channel, process), daemon=True)
        errors.start()
        with contextlib.suppress(*GONE):
            while chunk := os.read(process.stdout.fileno(), 65536):
                channel.sendall(chunk)
            errors.join()
            status = process.wait()
            channel.send_exit_status(status if status >= 0 else 128 - status)  # as a shell says it
        time.sleep(REPLIED_S)
        with contextlib.suppress(*GONE):
            channel.close()
        feeder.join()
        process.stdout.close()  # which ends a process that still writes
        errors.join()
        process.stderr.close()
        process.wait()


def _pass_errors(channel: paramiko.Channel, process: "subprocess.Popen[bytes]") -> None:
    assert process.stderr is not None
    with contextlib.suppress(*GONE):
        while chunk := os.read(process.stderr.fileno(), 65536):
            channel.sendall_stderr(chunk)


def _feed(channel: paramiko.Channel, process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    with contextlib.suppress(*GONE):
        while chunk := channel.recv(65536):
            process.stdin.write(chunk)
            process.stdin.flush()
    with contextlib.suppress(OSError):
        process.stdin.close()


@contextlib.contextmanager
def listening(
    host_keys: list[paramiko.PKey],
    key: paramiko.PKey,
    environment: Mapping[str, str],
    served_by: type[Sshd] = Sshd,
) -> Iterator[Sshd]:
    """Serve for as long as the block lasts."""
    sshd = served_by(host_keys, key, environment)
    try:
        yield sshd
    finally:
        sshd.stop()


def reached(sshd: Sshd, folder: Path) -> Ssh:
    """Write its key down in a folder, and return how a plan reaches it with the key ``id`` in there."""
    key, known = sshd.host_keys[0], folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{sshd.port} {key.get_name()} {key.get_base64()}\n")
    return Ssh(
        host="127.0.0.1",
        port=sshd.port,
        user="root",
        identity_file=folder / "id",
        known_hosts=known,
        become="none",
        config="none",
    )
