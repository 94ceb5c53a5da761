"""The findings of a check, for people: grouped by check, with the reason and the fix of what is wrong."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.etcd.checks.item import Finding
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.output import Part, Style, Styled

_STYLES: Mapping[str, Style] = {"pass": "green", "warn": "yellow", "fail": "red"}
_WORST = {"fail": 0, "warn": 1, "pass": 2}


def report(findings: Sequence[Finding], *, passes: bool = True) -> tuple[Part, ...]:
    """Return the report; ``passes`` says whether what is well is shown too, in a line for each check."""
    reported = [finding for finding in findings if passes or finding.verdict != "pass"]
    width = max((len(finding.check) for finding in reported), default=0)
    parts: list[Part] = []
    for check in _in_order(finding.check for finding in reported):
        parts += _group(check, [finding for finding in reported if finding.check == check], width)
    return (*parts, counted(findings))


def counted(findings: Iterable[Finding]) -> str:
    """Return the closing line."""
    count = Counter(finding.verdict for finding in findings)
    return f"{count['pass']} passed, {count['warn']} warned, {count['fail']} failed"


def _in_order(checks: Iterable[str]) -> Iterable[str]:
    """Put the names of checks into the checklist's order; gates come last, as they come."""
    given = dict.fromkeys(checks)
    return dict.fromkeys((*(item.name for item in CHECKLIST if item.name in given), *given))


def _group(check: str, findings: Sequence[Finding], width: int) -> Iterable[Part]:
    rows: list[tuple[str, Finding]] = []
    for evidence in dict.fromkeys((one.verdict, one.evidence, one.fix) for one in findings):
        same = [one for one in findings if (one.verdict, one.evidence, one.fix) == evidence]
        rows.append((", ".join(dict.fromkeys(one.where for one in same)), same[0]))
    rows.sort(key=lambda row: _WORST[row[1].verdict])
    margin = " " * (width + 8)
    for number, (where, one) in enumerate(rows):
        name = "" if number else check
        first, *more = map(_printable, one.evidence.splitlines() or [""])
        yield from (f"{name:<{width}}  ", Styled(one.verdict, _STYLES[one.verdict]), f"  {where}: {first}\n")
        yield from (f"{margin}  {line}\n" for line in more)
        if one.verdict != "pass":
            following = rows[number + 1][1] if number + 1 < len(rows) else None
            is_last = following is None or following.verdict == "pass"
            if is_last or (following and following.fix != one.fix):  # the same fix is shown once
                yield f"{margin}fix: {_printable(one.fix)}\n"
            if is_last:
                yield f"{margin}why:  {one.why}\n"


def _printable(text: str) -> str:
    """Keep what a host said from steering the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
