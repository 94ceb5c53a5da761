"""What SSH costs on the wire: every packet to and from port 22, counted as it passes the bastion's bridge."""

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Self

BRIDGE, SSH = "br0", 22
ALL_PROTOCOLS, OUTGOING, SO_ATTACH_FILTER = 0x0003, 4, 26
HEADERS = 128  # bytes that hold the IP and TCP headers
QUIET_S = 0.05
# Classic BPF over an IPv4 packet: keep TCP of which one port is 22. Source: the kernel's filter.rst.
ONLY_SSH = (
    (0x30, 0, 0, 0),  # ldb [0]: version and length of the header
    (0x54, 0, 0, 0xF0),  # and 0xf0
    (0x15, 0, 8, 0x40),  # jeq IPv4, else drop
    (0x30, 0, 0, 9),  # ldb [9]: protocol
    (0x15, 0, 6, 6),  # jeq TCP, else drop
    (0xB1, 0, 0, 0),  # ldx 4*([0]&0xf): where TCP begins
    (0x48, 0, 0, 0),  # ldh [x+0]: source port
    (0x15, 2, 0, SSH),
    (0x48, 0, 0, 2),  # ldh [x+2]: destination port
    (0x15, 0, 1, SSH),
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
    (0x06, 0, 0, 0),  # drop
)


@dataclass(slots=True)
class Traffic:
    """SSH as it was seen: connections opened, turns, and bytes of payload there and back.

    A turn is a packet of the bastion's behind one of the host's, in one connection: somebody waited for it.
    """

    connections: int = 0
    turns: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    _answered: set[tuple[bytes, int]] = field(default_factory=set, repr=False)

    def see(self, packet: bytes, *, is_outgoing: bool) -> None:
        """Count one packet, which begins with its IP header."""
        start = (packet[0] & 0x0F) * 4
        source, destination = struct.unpack_from("!HH", packet, start)
        flags, offset = packet[start + 13], (packet[start + 12] >> 4) * 4
        payload = int.from_bytes(packet[2:4], "big") - start - offset
        key = (packet[16:20], source) if is_outgoing else (packet[12:16], destination)
        if is_outgoing and flags & 0x12 == 0x02:
            self.connections += 1
        if payload <= 0:
            return
        if is_outgoing:
            self.sent_bytes += payload
            self.turns += key in self._answered
            self._answered.discard(key)
        else:
            self.received_bytes += payload
            self._answered.add(key)

    def counts(self) -> dict[str, int]:
        """Return the four numbers by their names."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}


class Wire:
    """Counts in a thread of its own, from entering to leaving."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(ALL_PROTOCOLS))
        program = b"".join(struct.pack("HBBI", *line) for line in ONLY_SSH)
        kept = ctypes.create_string_buffer(program)
        self._socket.setsockopt(
            socket.SOL_SOCKET,
            SO_ATTACH_FILTER,
            struct.pack("HL", len(ONLY_SSH), ctypes.addressof(kept)),
        )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024 * 1024)
        self._socket.bind((BRIDGE, ALL_PROTOCOLS))
        self._socket.settimeout(QUIET_S)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._count)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(QUIET_S)
        self._ending.set()
        self._thread.join()
        self._socket.close()

    def _count(self) -> None:
        for packet, is_outgoing in self._packets():
            self.traffic.see(packet, is_outgoing=is_outgoing)

    def _packets(self) -> Iterator[tuple[bytes, bool]]:
        while True:
            try:
                packet, address = self._socket.recvfrom(HEADERS)
            except TimeoutError:
                if self._ending.is_set():
                    return
            else:
                yield packet, address[2] == OUTGOING
