"""The live table of a run, as lines that fit a terminal; pure."""

from collections.abc import Sequence
from datetime import datetime
from io import StringIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.plan.model import Host
from orchestrator.report import sentences
from orchestrator.report.sentences import age_s, spoken, step_of
from orchestrator.report.view import View
from orchestrator.text import escaped

_NARROW = 60  # columns; below, the two schemes share one, and there is no remark
_LEAST = 20  # columns that a line always has
_SENTENCE_ROWS = 2  # what a host says may be long: the rest of it is in the error, or with ``status``
_SCHEME = {"http": "yellow", "http+https": "cyan", "https": "green", "-": "dim"}


def lines(view: View, now: datetime, width: int, height: int, *, is_painted: bool) -> tuple[str, ...]:
    """Return the table's lines, none wider than ``width``, and fewer than ``height``."""
    sentences_ = [row for text in _below(view, now) for row in _rows(text, width, is_painted=is_painted)]
    room = height - 1 - len(sentences_) - 2  # its head, and one that says how many are left out
    hosts = view.course.cluster.hosts
    shown = hosts if len(hosts) <= room + 1 else _most_telling(view, hosts, max(1, room))
    left_out = len(hosts) - len(shown)
    table = _printed(_table(view, shown, width), width, is_painted=is_painted)
    more = (f"... and {left_out} more",) if left_out else ()
    return (*table, *more, *sentences_)[: max(1, height - 1)]


def _below(view: View, now: datetime) -> tuple[str, ...]:
    """Return the sentences below the table."""
    if view.ended:
        return (sentences.summary(view), sentences.way_back(view))
    step = step_of(view)
    if view.flight:
        expected_s = view.expected_s
        expected = f", about {spoken(expected_s)} expected" if expected_s is not None else ""
        step += f": {view.flight.step}, {spoken(age_s(view.flight.at, now))} so far{expected}"
    if view.began:
        step += f"; {spoken(age_s(view.began.at, now))} since the start"
    return (
        step,
        sentences.quorum(view),
        *filter(None, (sentences.lag(view),)),
        *((sentences.of_account(view.account),) if view.account else ()),
        sentences.waited_for(view, now),
        sentences.way_back(view),
    )


def _most_telling(view: View, hosts: Sequence[Host], count: int) -> tuple[Host, ...]:
    """Choose whom to show if not all have room: whoever is under way or leads, then the plan's order."""
    pending = view.progress.pending
    ranked = sorted(hosts, key=lambda host: (not _remark(view, host.name), host.name not in pending))
    chosen = {host.name for host in ranked[:count]}
    return tuple(host for host in hosts if host.name in chosen)


def _table(view: View, hosts: Sequence[Host], width: int) -> Table:
    is_narrow = width < _NARROW
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    wide = ("member", "state", "clients", "peers", "etcd", "")
    names = ("member", "state", "cl/peers") if is_narrow else wide
    for head in names:
        table.add_column(head, no_wrap=True, overflow="ellipsis")
    for host in hosts:
        states = view.progress.states
        state = states.get(host.name, view.course.tracks[host.name][0])
        clients, peers = view.course.speaks(host, state)
        name = Text(host.name, style="bold" if _is_under_way(view, host.name) else "")
        if is_narrow:
            table.add_row(name, state, f"{clients}/{peers}")
        else:
            painted = (Text(scheme, style=_SCHEME[scheme]) for scheme in (clients, peers))
            version = view.course.version(host)
            table.add_row(name, state, *painted, Text(version, style="dim"), Text(_remark(view, host.name)))
    return table


def _is_under_way(view: View, host: str) -> bool:
    return view.flight is not None and view.flight.host == host


def _remark(view: View, host: str) -> str:
    remarks = ["leader"] if view.leader == host else []
    doubt = view.progress.unsettled.get(host)
    if view.flight is not None and view.flight.host == host:
        remarks.append(f"{view.round_of(view.flight.step)}{', restarts' if view.flight.restarts else ''}")
    elif doubt is not None:
        remarks.append(f"{doubt.step} {'failed' if doubt.is_failed else 'is in doubt'}")
    return ", ".join(remarks)


def _rows(text: str, width: int, *, is_painted: bool) -> tuple[str, ...]:
    """Return a sentence on as many lines as it may have."""
    rows = _printed(Text(escaped(text, keep="")), width, is_painted=is_painted)
    if len(rows) <= _SENTENCE_ROWS:
        return rows
    rest = Text(" ".join(rows[_SENTENCE_ROWS - 1 :]))
    rest.truncate(max(_LEAST, width), overflow="ellipsis")
    return (*rows[: _SENTENCE_ROWS - 1], rest.plain)


def _printed(what: RenderableType, width: int, *, is_painted: bool) -> tuple[str, ...]:
    stream = StringIO()
    console = Console(
        file=stream,
        width=max(_LEAST, width),
        force_terminal=True,
        color_system="standard" if is_painted else None,
        no_color=not is_painted,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(what)
    return tuple(line.rstrip() for line in stream.getvalue().splitlines())
