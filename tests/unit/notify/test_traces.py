"""A run as a trace: one for all its processes, sent by itself or later, and never in a run's way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode
from support.fake_program import called, environment
from support.reported import walked
from support.webhooks import serving

from orchestrator.engine.events import StepStarted
from orchestrator.notify.traces import spans_of
from orchestrator.report.html.story import tell

WITHOUT = """\
import sys
class Without:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without())
"""


UNFIT = """\
import sys
class Unfit:
    def find_spec(self, name, *_):
        if name == "opentelemetry":
            raise TypeError("descriptors cannot be created directly")
sys.meta_path.insert(0, Unfit())
"""


def tree(spans: tuple[ReadableSpan, ...]) -> list[tuple[str, str]]:
    """Each span's name, and that of the one above it."""
    names = {span.context.span_id: span.name for span in spans if span.context}
    return [(span.name, names[span.parent.span_id] if span.parent else "") for span in spans]


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReadableSpan, ...]:
    return tuple(spans_of(tell(walked(tmp_path_factory.mktemp("plan"))[2])))


def test_processes_rounds_steps_and_jobs_stand_below_each_other(spans: tuple[ReadableSpan, ...]) -> None:
    found = tree(spans)
    assert 2 == found.count(("run", "")), "paused and resumed"
    assert ("round accept", "run") in found
    assert ("accept/server2", "round accept") in found
    assert ("job", "accept/server2") in found
    assert ("wait: gates", "switch/server3") in found
    assert 18 == len([name for name, above in found if above.startswith("round ") and "/" in name])


def test_all_is_in_one_trace_with_its_times_and_names(
    spans: tuple[ReadableSpan, ...], tmp_path: Path
) -> None:
    again = spans_of(tell(walked(tmp_path)[2]))
    assert 1 == len({span.context.trace_id for span in (*spans, *again) if span.context})
    (step,) = (span for span in spans if span.name == "accept/server2")
    assert step.attributes
    assert "succeeded" == step.attributes["etcd_orchestrator.outcome"]
    assert "ab12cd34" == step.resource.attributes["etcd_orchestrator.run"]
    assert all(span.start_time and span.end_time and span.start_time <= span.end_time for span in spans)


def test_a_step_without_an_end_is_an_error(tmp_path: Path) -> None:
    events = walked(tmp_path)[2]
    last = next(n for n, event in enumerate(events) if isinstance(event, StepStarted) and event.restarts)
    spans = spans_of(tell(events[: last + 1]))
    bad = {
        span.name: span.status.description for span in spans if span.status.status_code is StatusCode.ERROR
    }
    assert {"accept/server1": "in doubt", "run": "gone"} == bad


def test_a_run_sends_its_trace_and_it_can_be_sent_later(tmp_path: Path) -> None:
    with serving(200) as server:
        to = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        run = called(tmp_path, "run", "plan.yaml", "--yes", env=to)
        later = called(tmp_path, "traces", "plan.yaml", env=to)
    assert (0, 0) == (run.returncode, later.returncode), run.stderr + later.stderr
    assert "warning: " not in run.stderr
    assert later.stdout.startswith("sent: ")
    sent = [ExportTraceServiceRequest.FromString(body) for body in server.bodies]
    names = [sorted(span.name for span in one.resource_spans[0].scope_spans[0].spans) for one in sent]
    assert names[0] == names[1]
    assert "seal/server3" in names[0]


def test_nobody_who_takes_traces_stops_nothing(tmp_path: Path) -> None:
    with serving(400) as server:
        to = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        run = called(tmp_path, "run", "plan.yaml", "--yes", env=to)
        later = called(tmp_path, "traces", "plan.yaml", env=to)
    assert (0, 5) == (run.returncode, later.returncode)
    first, second = (line for line in run.stderr.splitlines() if line.startswith("warning: traces: "))
    assert first.endswith(". The run is not affected")
    assert second.endswith(" events did not arrive; the state file has all")
    assert "no trace was sent: " in later.stderr


def test_without_an_endpoint_it_says_what_to_set(tmp_path: Path) -> None:
    done = called(tmp_path, "traces", "plan.yaml", env={})
    assert 64 == done.returncode
    assert "set OTEL_EXPORTER_OTLP_ENDPOINT, such as http://127.0.0.1:4318" in done.stderr


def test_without_the_extra_it_says_what_to_install_and_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    env["PYTHONPATH"] = f"{tmp_path}:{environment()['PYTHONPATH']}"
    run = called(tmp_path, "run", "plan.yaml", "--yes", env=env)
    assert 0 == run.returncode, run.stderr
    assert 1 == run.stderr.count("pip install 'etcd-orchestrator[otel]'")
    later = called(tmp_path, "traces", "plan.yaml", env=env)
    assert (64, 1) == (later.returncode, later.stderr.count("pip install 'etcd-orchestrator[otel]'")), (
        later.stderr
    )
    listing = "import sys, orchestrator.notify.opening; print([n for n in sys.modules if 'opentel' in n])"
    done = subprocess.run(
        [sys.executable, "-c", listing], env=environment(), capture_output=True, text=True, check=True
    )
    assert "[]" == done.stdout.strip(), json.dumps(done.stdout)


def test_packages_that_do_not_fit_together_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(UNFIT)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    env["PYTHONPATH"] = f"{tmp_path}:{environment()['PYTHONPATH']}"
    run = called(tmp_path, "run", "plan.yaml", "--yes", env=env)
    assert 0 == run.returncode, run.stderr
    assert 1 == run.stderr.count("OpenTelemetry cannot be used here: descriptors cannot be created directly.")
    later = called(tmp_path, "traces", "plan.yaml", env=env)
    assert (64, 1) == (later.returncode, later.stderr.count("descriptors cannot be created directly")), (
        later.stderr
    )
