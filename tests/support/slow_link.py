"""A slow link that loses packets, between the lab's bastion and an operator who is far away.

Many kernels lack netem, so two TUN devices are its ends, and a thread carries the packets.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.machine import network

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_FAR, _NEAR = "10.99.0.2", "10.99.0.1"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _tun(namespace: str, name: str, address: str) -> int:
    with network.entered(namespace):
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22s", name.encode(), _IFF_TUN | _IFF_NO_PI, b""))
    for words in (("addr", "add", f"{address}/30", "dev", name), ("link", "set", name, "up")):
        _ip("-n", namespace, *words)
    return device


class _Carrier(threading.Thread):
    """Carries packets between two devices, late, and not all of them."""

    def __init__(self, ends: tuple[int, int], one_way_s: float, loss: float) -> None:
        super().__init__(daemon=True)
        self._ends, self._one_way_s, self._loss = ends, one_way_s, loss
        self._chance = random.Random(1)  # noqa: S311 -- the same each time
        self.is_over = False
        self.is_cut = False
        self.lost = self.carried = 0

    def run(self) -> None:
        waiting: list[tuple[float, int, int, bytes]] = []
        while not self.is_over:
            left_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.2
            for end in select.select(self._ends, [], [], min(left_s, 0.2))[0]:
                packet = os.read(end, 65536)
                other = self._ends[1] if end == self._ends[0] else self._ends[0]
                if self.is_cut or self._chance.random() < self._loss:
                    self.lost += 1
                    continue
                self.carried += 1
                heapq.heappush(waiting, (time.monotonic() + self._one_way_s, self.carried, other, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                os.write(end, packet)


@contextmanager
def far_away(lab: Lab, *, round_trip_s: float, loss: float) -> Iterator[tuple[str, _Carrier]]:
    """Yield a namespace from which the lab's hosts are reached over such a link, and who carries."""
    far, bastion = f"{lab.prefix}-far", lab.bastion
    _ip("netns", "add", far)
    ends: list[int] = []
    carrier = None
    try:
        _ip("-n", far, "link", "set", "lo", "up")
        ends += [_tun(far, "slow0", _FAR), _tun(bastion, "slow1", _NEAR)]
        _ip("-n", far, "route", "add", "default", "via", _NEAR)
        subprocess.run(["ip", "netns", "exec", bastion, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        for host in lab.hosts:
            host.run(
                [
                    "ip",
                    "route",
                    "replace",
                    f"{_FAR}/32",
                    "via",
                    str(network.BASTION_IPV4),
                    "onlink",
                    "dev",
                    network.PORT,
                ]
            )
        carrier = _Carrier((ends[0], ends[1]), round_trip_s / 2, loss)
        carrier.start()
        yield far, carrier
    finally:
        if carrier is not None:
            carrier.is_over = True
            carrier.join()
        for end in ends:
            os.close(end)
        _ip("netns", "delete", far)
