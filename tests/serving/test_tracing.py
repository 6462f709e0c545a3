"""Spans of requests and their steps, the caller's trace continued, and nothing at all when tracing is off."""

import http.server
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from tests.receivers import listening
from tests.serving.conftest import running

from modelyard.core import ConfigError
from modelyard.serving import Endpoint, ServingApp, ServingSettings, activate
from modelyard.serving.tables import TableForm, write_body
from modelyard.serving.tracing import Tracing, open_tracing, trace_id_of

Call = Callable[..., Any]
StartServer = Callable[..., Any]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where spans come."""
    return InMemorySpanExporter()


@pytest.fixture
def traced(settings: ServingSettings, spans: InMemorySpanExporter) -> Iterator[ServingApp]:
    """The application with tracing on."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    endpoint = Endpoint(activate(settings.package_folder))
    with running(ServingApp(endpoint, settings, tracing=Tracing(provider))) as app:
        yield app
    provider.shutdown()


def test_a_request_and_its_steps_are_spans(
    traced: ServingApp, spans: InMemorySpanExporter, ask: Call, row: dict[str, Any]
) -> None:
    """Check, score and log lie within the request's span, which continues the caller's trace and names itself."""
    response = ask(traced, "POST", "/predict", [row, row], traceparent=PARENT)
    found = {span.name: span for span in spans.get_finished_spans()}
    request = found.pop("POST /predict")

    assert response.status == 200
    assert set(found) == {"check", "score", "log"}
    assert {span.parent.span_id for span in found.values() if span.parent} == {request.context.span_id}
    assert f"{request.context.trace_id:032x}" == TRACE
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == SPAN
    assert response.headers["traceparent"] == f"00-{TRACE}-{request.context.span_id:016x}-01"
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
    }
    assert dict(found["score"].attributes or {})["modelyard.rows"] == 2
    assert "70.5" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_tables_and_explanations_have_steps_too(
    traced: ServingApp, spans: InMemorySpanExporter, ask: Call, row: dict[str, Any]
) -> None:
    """Also what works in a thread lies within the request's span."""
    body = write_body(pl.DataFrame([row], schema_overrides={"TotalCharges": pl.Float64}), TableForm.PARQUET)
    ask(traced, "POST", "/predict", body, content_type=TableForm.PARQUET.value)
    table = [span.name for span in spans.get_finished_spans()]
    spans.clear()
    ask(traced, "POST", "/explain", row)

    assert table == ["check", "score", "log", "POST /predict"]
    assert [span.name for span in spans.get_finished_spans()] == ["check", "score", "log", "explain", "POST /explain"]


def test_a_refusal_is_marked_by_its_kind(
    traced: ServingApp, spans: InMemorySpanExporter, ask: Call, row: dict[str, Any]
) -> None:
    """A broken row ends in the check; neither value nor text of the error is in a span."""
    ask(traced, "POST", "/predict", {**row, "tenure": "a secret"})
    found = {span.name: span for span in spans.get_finished_spans()}

    assert set(found) == {"POST /predict", "check"}
    assert found["check"].status.status_code is StatusCode.ERROR
    assert dict(found["check"].attributes or {})["error.type"] == "RefusedRequestError"
    assert dict(found["POST /predict"].attributes or {})["http.response.status_code"] == 422
    assert "secret" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_caller_that_keeps_no_trace_gets_none(
    traced: ServingApp, spans: InMemorySpanExporter, ask: Call, row: dict[str, Any]
) -> None:
    """The decision of the caller not to sample is followed; a broken header begins a trace of its own."""
    ask(traced, "POST", "/predict", row, traceparent=f"{PARENT[:-1]}0")
    unsampled = len(spans.get_finished_spans())
    response = ask(traced, "POST", "/predict", row, traceparent="00-nothing")

    assert unsampled == 0
    assert TRACE not in response.headers["traceparent"]
    assert len(spans.get_finished_spans()) == 4


def test_a_failure_is_logged_with_the_callers_trace(
    app: ServingApp, call: Call, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also while tracing is off, the record of a failure names the trace that the caller sent."""

    def fail(rows: object) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(app.endpoint.active.scorer, "score_rows", fail)
    with caplog.at_level(logging.ERROR, logger="modelyard.serving"):
        call("POST", "/predict", row, traceparent=PARENT)

    assert vars(caplog.records[-1])["trace_id"] == TRACE


@pytest.mark.parametrize(
    "header", [b"", b"00", b"ff" + PARENT[2:].encode(), b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01", b"\xff" * 55]
)
def test_headers_that_name_no_trace(header: bytes) -> None:
    """What is not of the standard's form names no trace."""
    assert trace_id_of([(b"traceparent", header)]) == ""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A receiver of OTLP over HTTP: its address, and what it has received."""
    received: list[ExportTraceServiceRequest] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            received.append(ExportTraceServiceRequest.FromString(raw))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with listening(Receiver) as port:
        yield f"http://127.0.0.1:{port}/v1/traces", received


def test_a_server_sends_its_spans(
    start_server: StartServer, receiver: tuple[str, list[ExportTraceServiceRequest]], row: dict[str, Any]
) -> None:
    """A real server sends spans to a real receiver, at the latest when it stops."""
    address, received = receiver
    server = start_server("--traces-to", address)
    answer = httpx.post(f"{server.url}/predict", json=row, headers={"traceparent": PARENT})
    server.process.terminate()
    server.process.wait(timeout=20)
    sent = [
        span
        for request in received
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]

    assert {span.name for span in sent} == {"POST /predict", "check", "score", "log"}
    assert {span.trace_id.hex() for span in sent} == {TRACE}
    assert answer.headers["traceparent"].split("-")[2] in {span.span_id.hex() for span in sent}
    assert received[0].resource_spans[0].resource.attributes


def test_an_address_that_is_none_is_refused() -> None:
    """Traces go to an address of HTTP."""
    with pytest.raises(ConfigError, match="OTLP over HTTP"):
        open_tracing("grpc://somewhere")


def test_while_it_is_off_nothing_is_loaded(package_folder: Path, tmp_path: Path) -> None:
    """Serving without tracing imports no OpenTelemetry."""
    script = (
        "import sys; from pathlib import Path\n"
        "from modelyard.serving import ServingSettings, create_app\n"
        "create_app(ServingSettings(Path(sys.argv[1]), Path(sys.argv[2])))\n"
        "import json; print(json.dumps([name for name in sys.modules if 'opentelemetry' in name]))"
    )
    command = [sys.executable, "-c", script, str(package_folder), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert json.loads(result.stdout) == []
