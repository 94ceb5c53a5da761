"""A run as metrics in a file, for node_exporter's textfile collector."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator import __version__
from orchestrator.engine import disk
from orchestrator.engine.events import RunEnded
from orchestrator.notify.channel import Notice
from orchestrator.pki import reading
from orchestrator.pki.pem import PemError
from orchestrator.plan.model import Cluster
from orchestrator.report.view import View

PREFIX = "etcd_orchestrator"
READABLE = 0o644  # node_exporter is another user
GONE = "gone"  # it noted no end
OUTCOMES: tuple[str, ...] = get_args(RunEnded.model_fields["outcome"].annotation)


class Metrics:
    """Writes the file anew at each event, and once more at the end: then no process is at work."""

    is_sent_at_end = False

    def __init__(self, path: Path, cluster: Cluster) -> None:
        self._path, self._cluster = path, cluster
        self._latest: View | None = None
        self._event_s = 0.0

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"metrics file {self._path}"

    def send(self, notice: Notice) -> None:
        """Write the run as it is."""
        self._latest, self._event_s = notice.view, notice.line.event.at.timestamp()
        self._write(is_at_work=True)

    def close(self) -> None:
        """Write that nobody is at work, even if the run noted no end."""
        self._write(is_at_work=False)

    def stop(self) -> None:
        """Leave the disk alone: what it is doing cannot be ended."""

    def _write(self, *, is_at_work: bool) -> None:
        if self._latest is None or self._latest.began is None:
            return  # what is there tells of the run before
        families = of_run(self._latest, self._event_s, is_at_work=is_at_work)
        content = rendered((*families, *self._expiries))
        disk.write_new(self._path, content, may_replace=True, mode=READABLE)

    @cached_property
    def _expiries(self) -> tuple[Metric, ...]:
        return tuple(expiries(self._cluster))


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def rendered(families: Iterable[Metric]) -> bytes:
    """Return metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Families(families))
    return generate_latest(registry)


def of_run(view: View, event_s: float, *, is_at_work: bool) -> Iterator[Metric]:
    """Yield a run's metrics; ``event_s`` is when it noted its last event, in seconds since 1970."""
    began, progress = view.began, view.progress
    is_under_way = is_at_work and view.ended is None
    gauges = {
        "run_in_progress": ("Whether a process is at work on the run.", is_under_way),
        "run_start_timestamp_seconds": ("When the process began.", began.at.timestamp() if began else 0),
        "last_event_timestamp_seconds": ("When the last event happened.", event_s),
        "steps": ("Steps of the run, on the way that it goes.", view.total),
        "steps_done": ("Steps of these that are done.", view.done),
        "steps_in_doubt": ("Steps that began and have not succeeded.", len(progress.unsettled)),
        "members_away": ("Members that a step took away, and that are not known to be back.", len(view.away)),
        "waiting_reasons": ("What does not hold yet, while the run waits for it.", len(view.waiting)),
    }
    for name, (meaning, value) in gauges.items():
        yield _gauge(view, name, meaning, {(): value})
    labels = ("cluster", "run")
    restarts = CounterMetricFamily(f"{PREFIX}_restarts", "Restarts by the process's steps.", labels=labels)
    restarts.add_metric((view.course.cluster.name, view.course.opened.run), view.restarts)
    yield restarts
    about = (view.course.opened.migration, progress.direction, __version__)
    yield _gauge(view, "run_info", "Which run it is.", {about: 1}, "migration", "direction", "version")
    states: dict[tuple[str, ...], float] = {
        (host, state): progress.states.get(host, track[0]) == state
        for host, track in view.course.tracks.items()
        for state in track
    }
    yield _gauge(view, "host_state", "1 for the state in which a host stands.", states, "host", "state")
    if not is_under_way:
        outcome = view.ended.outcome if view.ended else GONE
        outcomes: dict[tuple[str, ...], float] = {(each,): each == outcome for each in (*OUTCOMES, GONE)}
        yield _gauge(view, "run_outcome", "1 for how the process ended.", outcomes, "outcome")


def _gauge(
    view: View, name: str, meaning: str, values: Mapping[tuple[str, ...], float], *labels: str
) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", meaning, labels=("cluster", "run", *labels))
    for own, value in values.items():
        family.add_metric((view.course.cluster.name, view.course.opened.run, *own), float(value))
    return family


def expiries(cluster: Cluster) -> Iterator[Metric]:
    """Yield when the plan's certificates expire; one that cannot be read is left out."""
    tls = cluster.tls
    files = [("", tls.ca), ("", tls.client_certificate)]
    files += [(host.name, host.certificate) for host in cluster.etcd_hosts]
    meaning = "When a certificate of the plan expires, as it lies on the machine that runs the orchestrator."
    labels = ("cluster", "host", "path")
    family = GaugeMetricFamily(f"{PREFIX}_certificate_expiry_timestamp_seconds", meaning, labels=labels)
    for host, path in files:
        with suppress(PemError, OSError):
            expires = reading.certificates(path)[0].not_valid_after_utc
            family.add_metric((cluster.name, host, str(path)), expires.timestamp())
    yield family
