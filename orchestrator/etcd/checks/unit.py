"""Whether a host's systemd unit is one that etcd can be restarted in."""

import math
import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping

from orchestrator.etcd.facts import process, starts
from orchestrator.etcd.install import drop_ins, unit
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target
from orchestrator.text import shown

START_WARN_S = 30.0
_ROOM = 2  # so many times its last one a start may take: a busy disk, a longer log
START_FAIL_S = 10.0  # a restart took up to 7 s to publish (etcd 3.4.23, 3.6.14), and Type=notify waits for it

_UNITS_S = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800,
    "month": 2629800, "y": 31557600,
}  # fmt: skip
_TIME = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)")


def seconds(text: str) -> float:
    """Read systemd's way to write a time, such as ``1min 30s``; infinity if it has no end."""
    if text in {"infinity", ""}:
        return float("inf")
    words = text.split()
    found = list(filter(None, map(_TIME.fullmatch, words)))
    if not words or len(found) != len(words):
        raise ValueError(f"systemd wrote a time that cannot be read: {shown(text)}")
    return sum(float(one[1]) * _UNITS_S[one[2]] for one in found)


def _is_left_out(properties: Mapping[str, str]) -> bool:
    """Whether no other unit starts it, as with an alias made by hand; a static one cannot be enabled."""
    if properties.get("UnitFileState") == "static":
        return False
    reported = [
        properties[name]
        for name in ("WantedBy", "RequiredBy", "UpheldBy", "TriggeredBy")
        if name in properties
    ]
    return bool(reported) and not any(reported)


def _longer_start(target: Target, limit_s: float = 90) -> str:
    """Return the command that gives the unit more time to start; it restarts nothing."""
    return drop_ins.command(
        target.etcd, "zz-start-timeout.conf", ("[Service]", f"TimeoutStartSec={limit_s:g}")
    )


def slow_start(target: Target, start_s: float | None, limit_s: float) -> Iterable[Remark]:
    """Say that the next start may take longer than it may, by how long the last one took.

    A member with gigabytes reads them all as it starts. ``limit_s`` is systemd's.
    """
    gate_s = target.cluster.patience.gate_s
    if start_s is None or start_s < START_FAIL_S:
        return
    if start_s > limit_s / _ROOM:
        yield doubtful(
            f"its last start took {start_s:g} s, and systemd kills a start after {limit_s:g} s "
            "(TimeoutStartSec)",
            _longer_start(target, math.ceil(start_s * _ROOM * 2)),
        )
    if start_s > gate_s / _ROOM:
        yield doubtful(
            f"its last start took {start_s:g} s, and the run waits {gate_s:g} s for it (patience.gate)",
            f"patience: {{gate: {math.ceil(start_s * _ROOM * 2)}s}} in the plan",
        )


def units(target: Target) -> Check:
    """Ask for the unit: whether it exists and is active, its type, its start timeout and its last start."""
    name = f"{target.etcd.service}.service"
    runs, described, started = process.running(target), unit.of(target), starts.last_start(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        running, reported = runs.read(answers), described.read(answers).properties
        if not running.loaded:
            yield wrong(
                f"there is no unit {name}",
                "systemctl list-units --all '*etcd*' shows the unit that runs etcd: if this name was an "
                "alias of it: systemctl enable THAT_UNIT; else name that unit in the plan (service)",
            )
            return
        if running.complaint:
            yield wrong(
                running.complaint, f"systemctl start {name}; systemctl status {name} says if it stays"
            )
            return
        own = posixpath.basename(reported.get("FragmentPath", "")) or name  # an alias cannot be enabled
        kind, limit_s = reported.get("Type", ""), seconds(reported.get("TimeoutStartUSec", ""))
        if kind not in {"notify", "simple", "exec"}:
            yield doubtful(f"Type={kind}: it has only been tried with notify, simple and exec")
        if kind == "notify" and limit_s < START_WARN_S:
            remark = wrong if limit_s < START_FAIL_S else doubtful
            yield remark(
                f"TimeoutStartSec={limit_s:g}: systemd kills a member that has not found its peers by then",
                _longer_start(target),
            )
        yield from slow_start(target, started.read(answers), limit_s if kind == "notify" else math.inf)
        state = reported.get("UnitFileState") or "not enabled"
        if state not in {"enabled", "static", "alias", "generated", "linked"} or _is_left_out(reported):
            yield doubtful(
                f"{name} ({state}): a reboot does not start it",
                f"systemctl enable {shlex.quote(own)}",
            )
        if reported.get("NeedDaemonReload") == "yes":
            yield wrong(
                "its files were changed since systemd read them: our restart would apply unknown changes",
                "systemctl daemon-reload; then check again, which names what would change",
            )
        yield fine(f"active, Type={kind}, TimeoutStartSec={reported.get('TimeoutStartUSec')}")

    return Check(target.name, (runs, started, described), judge)
