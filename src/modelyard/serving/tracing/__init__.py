"""Traces of requests, if they are wanted.

Takes: W3C ``traceparent`` headers, and where spans go (OpenTelemetry).
Gives: spans of requests and of their steps, the header of the answer, and trace ids for the process's log.
Never: costs anything while it is off, or puts a row's values into a span.
"""

from modelyard.serving.tracing.context import trace_id_of
from modelyard.serving.tracing.spans import Tracing, open_tracing
from modelyard.serving.tracing.steps import TracedAnswering

__all__ = ["TracedAnswering", "Tracing", "open_tracing", "trace_id_of"]
