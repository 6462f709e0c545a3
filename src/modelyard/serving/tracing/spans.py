"""Spans of requests, by OpenTelemetry; the only file that knows it."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelyard.core import ConfigError
from modelyard.serving.rest import match_route
from modelyard.serving.rest.messages import Receive, Scope, Send
from modelyard.version import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["Tracing", "open_tracing"]

_CARRIED = (b"traceparent", b"tracestate")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_EXPORT_TIMEOUT_S = 5


class Tracing:
    """Makes a span for each request, and for each step of it.

    A caller's ``traceparent`` is continued, also its decision whether to keep the trace; each answer names its span in
    a ``traceparent`` of its own.

    Parameters
    ----------
    provider
        Where spans go.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("modelyard.serving", __version__)
        self._propagator = TraceContextTextMapPropagator()

    async def serve(
        self, answer: Callable[[Scope, Receive, Send], Awaitable[None]], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let a request be answered within a span."""
        from opentelemetry.trace import SpanKind

        match = match_route(scope["path"])
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        route = match.template if match else "other"
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            context=self._propagator.extract(_carried(scope)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
        ) as span:
            header: dict[str, str] = {}
            self._propagator.inject(header)

            async def send_named(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    named = [(name.encode(), value.encode()) for name, value in header.items() if name == "traceparent"]
                    message = {**message, "headers": [*message["headers"], *named]}
                await send(message)

            await answer(scope, receive, send_named)

    @contextlib.contextmanager
    def step(self, name: str, facts: Mapping[str, str | int]) -> Iterator[None]:
        """A span within that of the request. An error is marked by its kind; its text stays here."""
        from opentelemetry.trace import StatusCode

        with self._tracer.start_as_current_span(
            name, attributes=dict(facts), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    def name_logs(self, handler: logging.Handler) -> None:
        """Put the ids of trace and span into the records that a handler writes."""
        handler.addFilter(_with_ids)

    def close(self) -> None:
        """Send what is waiting."""
        self._provider.shutdown()


def open_tracing(endpoint: str) -> Tracing:
    """Tracing that sends spans by OTLP over HTTP, in the background; a receiver that is gone costs spans, not answers.

    Parameters
    ----------
    endpoint
        Address of the receiver, such as ``http://127.0.0.1:4318/v1/traces``.

    Raises
    ------
    ConfigError
        If OpenTelemetry is not installed, or the address is none.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(
            "traces go to an address of OTLP over HTTP",
            where="ServingSettings.traces_to",
            got=endpoint,
            cure="Give an address such as http://127.0.0.1:4318/v1/traces",
        )
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(
            "traces need OpenTelemetry, which is not installed",
            where="ServingSettings.traces_to",
            got=endpoint,
            cure="pip install 'modelyard[otel]'",
        ) from error
    provider = TracerProvider(
        resource=Resource.create({"service.name": "modelyard", "service.version": __version__}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_TIMEOUT_S)))
    return Tracing(provider)


def _carried(scope: Scope) -> dict[str, str]:
    """The headers of the caller's trace."""
    return {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED}


def _with_ids(record: logging.LogRecord) -> bool:
    """A record with the ids of the span in which it was made."""
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if context.is_valid:
        record.trace_id, record.span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    return True
