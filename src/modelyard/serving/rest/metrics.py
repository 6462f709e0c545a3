"""Counters and a latency histogram, written in Prometheus' text format (version 0.0.4).

Labels are bounded: routes come from a fixed list, statuses are HTTP's, fields and rules are the contract's.
"""

import bisect
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["LATENCY_BOUNDS_S", "METRICS_CONTENT_TYPE", "ServingMetrics", "family", "sample"]

METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LATENCY_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the latency buckets, in seconds."""

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class _Histogram:
    """Counts by latency bucket, with their sum."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self.total_s = 0.0


class ServingMetrics:
    """What one process counts. Used from the event loop only."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.predictions: dict[tuple[str, str], int] = {}
        self.labels: dict[tuple[str], int] = {}
        self.flags: dict[tuple[str, str], int] = {}
        self.rejections: dict[tuple[str, str], int] = {}
        self.feedback = 0
        self.errors = 0
        self._latencies: dict[str, _Histogram] = {}

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (route, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        histogram = self._latencies.get(route)
        if histogram is None:
            histogram = self._latencies[route] = _Histogram()
        histogram.counts[bisect.bisect_left(LATENCY_BOUNDS_S, seconds)] += 1
        histogram.total_s += seconds

    def render(self, gauges: Mapping[str, tuple[str, float]], info: Mapping[str, str]) -> str:
        """Everything as text. ``gauges`` are name to (help, value) at this moment; ``info`` labels the model."""
        return "\n".join(self._lines(gauges, info)) + "\n"

    def _lines(self, gauges: Mapping[str, tuple[str, float]], info: Mapping[str, str]) -> Iterator[str]:
        yield from family("modelyard_model_info", "gauge", "The model that is served; always 1.")
        yield sample("modelyard_model_info", info, 1)
        for name, (text, value) in gauges.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            yield from family(name, kind, text)
            yield sample(name, {}, value)
        yield from self._counter("modelyard_requests_total", "Requests answered.", ("route", "status"), self.requests)
        yield from self._counter(
            "modelyard_predictions_total", "Rows predicted.", ("model", "version"), self.predictions
        )
        yield from self._counter("modelyard_labels_total", "Rows by decided class.", ("label",), self.labels)
        yield from self._counter(
            "modelyard_flags_total", "Values accepted but flagged, by field and rule.", ("field", "rule"), self.flags
        )
        yield from self._counter(
            "modelyard_rejections_total", "Values refused, by field and rule.", ("field", "rule"), self.rejections
        )
        yield from self._counter("modelyard_feedback_total", "Labels that came back.", (), {(): self.feedback})
        yield from self._counter("modelyard_errors_total", "Failures of our own, answered 500.", (), {(): self.errors})
        yield from self._histogram()

    @staticmethod
    def _counter(name: str, text: str, labels: tuple[str, ...], counts: Mapping[Any, int]) -> Iterator[str]:
        """A counter with its children."""
        yield from family(name, "counter", text)
        for key, count in sorted(counts.items(), key=str):
            yield sample(name, dict(zip(labels, map(str, key), strict=True)), count)

    def _histogram(self) -> Iterator[str]:
        """The latency histogram by route, cumulative as the format wants it."""
        name = "modelyard_request_duration_seconds"
        yield from family(name, "histogram", "Time from the request's header to the answer, by route.")
        for route, histogram in sorted(self._latencies.items()):
            total = 0
            for bound, count in zip((*LATENCY_BOUNDS_S, float("inf")), histogram.counts, strict=True):
                total += count
                yield sample(f"{name}_bucket", {"route": route, "le": _number(bound)}, total)
            yield sample(f"{name}_sum", {"route": route}, histogram.total_s)
            yield sample(f"{name}_count", {"route": route}, total)


def sample(name: str, labels: Mapping[str, str], value: float) -> str:
    r"""One line of the format.

    >>> sample("requests_total", {"route": "predict"}, 3)
    'requests_total{route="predict"} 3'
    """
    inner = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {_number(value)}" if inner else f"{name} {_number(value)}"


def family(name: str, kind: str, text: str) -> Iterator[str]:
    """The two comment lines that start a family."""
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _number(value: float) -> str:
    """A number as the format writes it."""
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
