"""Where a plan wants a run's events to go, for as long as the run lasts."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from orchestrator.engine.events import Event
from orchestrator.notify.channel import Channel, Notice, Place, end_all
from orchestrator.notify.hook import Hook
from orchestrator.plan.model import Cluster
from orchestrator.report.event_lines import Lines
from orchestrator.report.view import View

PATIENCE_S = 10.0  # so long the end of a run waits for what has not arrived
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MISSING = "OpenTelemetry is not installed; install it with: pip install 'etcd-orchestrator[otel]'"

Take = Callable[[Event], None]
Warn = Callable[[str], None]


@contextmanager
def notifying(
    cluster: Cluster, past: Callable[[], View | None], warn: Warn, patience_s: float = PATIENCE_S
) -> Iterator[Take]:
    """Yield what takes an event and never waits; at the end what has not arrived gets so long.

    ``past`` is the run by the first event, as its state file tells it.
    """
    channels = tuple(Channel(place, warn) for place in places(cluster, warn))
    try:
        yield _Spread(cluster.name, past, channels, warn).take if channels else _nobody
    finally:
        end_all(channels, warn, patience_s)


def wants_traces(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether OpenTelemetry's own variables say where to."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and any(environment.get(name) for name in ENDPOINTS)


def why_no_traces() -> str:
    """Return why OpenTelemetry cannot be used here; nothing if it can."""
    try:
        import orchestrator.notify.traces  # noqa: F401, PLC0415 -- an extra that may not be there
    except ImportError:
        return MISSING
    except Exception as error:  # noqa: BLE001 -- packages that do not fit together, or its other variables
        return f"OpenTelemetry cannot be used here: {str(error) or type(error).__name__}"
    return ""


def places(cluster: Cluster, warn: Warn) -> Iterator[Place]:
    """Yield the places that a plan names, and that of traces, which their own standard names."""
    if cluster.notify.hook:
        yield Hook(cluster.notify.hook)
    if cluster.notify.webhook:
        from orchestrator.notify.webhook import Webhook  # noqa: PLC0415 -- only where there is such a URL

        yield Webhook(cluster.notify.webhook)
    if wants_traces():
        if reason := why_no_traces():
            warn(f"no trace is sent: {reason}. The run is not affected")
        else:
            from orchestrator.notify.traces import Traces  # noqa: PLC0415 -- an extra that may not be there

            yield Traces()
    if cluster.notify.metrics_file:
        from orchestrator.notify.metrics import Metrics  # noqa: PLC0415 -- only where there is such a file

        yield Metrics(cluster.notify.metrics_file, cluster)


def _nobody(_event: Event) -> None:
    """Tell nobody."""


class _Spread:
    """Gives each event to all channels, with the run as it is then."""

    def __init__(
        self, cluster: str, past: Callable[[], View | None], channels: tuple[Channel, ...], warn: Warn
    ) -> None:
        self._past, self._channels, self._warn = past, channels, warn
        self._view: View | None = None
        self._lines = Lines(cluster, lambda: self._view)

    def take(self, event: Event) -> None:
        """Take one more event in."""
        try:
            self._view = self._view.after(event) if self._view else self._past()
            if line := self._lines.of(event):
                for channel in self._channels:
                    channel.put(Notice(line, self._view))
        except Exception as error:  # noqa: BLE001 -- nothing here may stop a run, our bugs neither
            if self._channels:
                self._warn(f"nobody is notified from here on: {str(error) or type(error).__name__}")
            self._channels = ()
