"""Find a host's processes by what they are, and end them by their number."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from orchestrator.lab.machine import network
from orchestrator.lab.machine.programs import LabError

PROC = Path("/proc")


def boot_arguments(namespace: str) -> tuple[str, str]:
    """Return the two arguments by which a host's supervisors are known: no other process carries both."""
    return f"--network-namespace-path={network.NAMED / namespace}", f"--machine={namespace}"


def supervisors(namespace: str) -> list[int]:
    """Return the processes that keep a host running, found by their arguments: nspawn and its parent."""
    wanted = set(boot_arguments(namespace))
    pids = [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]
    return [pid for pid in pids if wanted <= set(_read(pid, "cmdline").split("\0"))]


def init_of(namespace: str) -> int | None:
    """Return the process that is number 1 inside a host, or None while the host is down."""
    for pid in network.pids(namespace):
        inner = _field(pid, "NSpid").split()
        if len(inner) > 1 and inner[-1] == "1":
            return pid
    return None


def end(pids: Iterable[int], *, grace_s: float) -> None:
    """End processes: SIGTERM, and SIGKILL for those still there after ``grace_s`` seconds (0: at once)."""
    remaining = [pid for pid in pids if is_alive(pid)]
    if grace_s > 0:
        _signal(remaining, signal.SIGTERM)
        remaining = _await(remaining, grace_s)
    _signal(remaining, signal.SIGKILL)
    remaining = _await(remaining, 10.0)
    if remaining:
        raise LabError(f"processes {', '.join(map(str, remaining))} do not end, not even on SIGKILL")


def halt(namespace: str) -> None:
    """End everything in a host's namespace at once."""
    running = supervisors(namespace)
    end((pid for pid in running if _field(pid, "Name") == "sh"), grace_s=0)  # no second boot
    init = init_of(namespace)
    if init is not None:
        end([init], grace_s=0)  # the kernel ends all others with it, and systemd-nspawn then goes by itself
        _await(running, 5.0)
    end([*supervisors(namespace), *network.pids(namespace)], grace_s=0)


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and more than a zombie."""
    return _field(pid, "State")[:1] not in {"", "Z", "X"}


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _await(pids: list[int], patience_s: float) -> list[int]:
    deadline = time.monotonic() + patience_s
    while (pids := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return pids


def _field(pid: int, name: str) -> str:
    """Return one field of /proc/PID/status, empty if the process is gone."""
    lines = _read(pid, "status").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:")), "")


def _read(pid: int, name: str) -> str:
    """Return what /proc/PID/``name`` holds, empty if the process is gone: it may end at any moment."""
    try:
        return (PROC / str(pid) / name).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
