"""The metrics are well-formed text that a scraper reads, and their labels are bounded."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.serving import ServingApp
from modelyard.serving.rest.metrics import LATENCY_BOUNDS_S, ServingMetrics, sample

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')


def parse(text: str) -> tuple[Samples, dict[str, str]]:
    """A strict reader of the text format: samples by name and labels, and the type of each family."""
    samples: Samples = {}
    types: dict[str, str] = {}
    helped: set[str] = set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split(" ", 3)[2])
            continue
        if line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name not in types
            types[name] = kind
            continue
        found = LINE.match(line)
        assert found, line
        family = re.sub(r"_(bucket|sum|count)$", "", found[1]) if found[1] not in types else found[1]
        assert family in types, line
        key = (found[1], tuple(LABEL.findall(found[2] or "")))
        assert key not in samples, line
        samples[key] = float(found[3])
    assert helped == set(types)
    return samples, types


def test_counters_follow_the_requests(app: ServingApp, call: Callable[..., Any], row: dict[str, Any]) -> None:
    """Requests, predictions, flags and refusals are counted where they belong."""
    scorer = app.endpoint.active.scorer
    call("POST", "/predict", [row, {**row, "tenure": 900}])
    call("POST", "/predict", {**row, "tenure": "old"})
    call("POST", "/never-heard-of")
    call("POST", "/also-never-heard-of")
    response = call("GET", "/metrics")
    samples, types = parse(response.body.decode())

    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples["modelyard_requests_total", (("route", "/predict"), ("status", "200"))] == 1
    assert samples["modelyard_requests_total", (("route", "/predict"), ("status", "422"))] == 1
    assert samples["modelyard_requests_total", (("route", "other"), ("status", "404"))] == 2
    assert samples["modelyard_predictions_total", (("model", scorer.name), ("version", scorer.version))] == 2
    assert samples["modelyard_flags_total", (("field", "tenure"), ("rule", "range"))] == 1
    assert samples["modelyard_rejections_total", (("field", "tenure"), ("rule", "type"))] == 1
    assert samples["modelyard_log_records_total", ()] == 2
    assert samples["modelyard_ready", ()] == 1
    assert types["modelyard_request_duration_seconds"] == "histogram"
    info = (("model", scorer.name), ("version", scorer.version), ("digest", scorer.digest))
    assert samples["modelyard_model_info", info] == 1


def test_the_histogram_is_cumulative() -> None:
    """Each bucket counts what is at or below its bound; the last one equals the count."""
    metrics = ServingMetrics()
    for seconds in (0.0004, 0.0005, 0.003, 99.0):
        metrics.observe("/predict", 200, seconds)
    samples, _ = parse(metrics.render({}, {"model": "m"}))
    name = "modelyard_request_duration_seconds"
    route = ("route", "/predict")
    buckets = [samples[f"{name}_bucket", (route, ("le", str(bound)))] for bound in LATENCY_BOUNDS_S if bound < 1]

    assert buckets[:4] == [2, 2, 2, 3]
    assert samples[f"{name}_bucket", (route, ("le", "+Inf"))] == samples[f"{name}_count", (route,)] == 4
    assert samples[f"{name}_sum", (route,)] == pytest.approx(99.0039)


def test_labels_are_escaped() -> None:
    """Quotes, backslashes and newlines in a class name do not break the format."""
    line = sample("x", {"label": 'a"b\\c\nd'}, 1)

    assert line == 'x{label="a\\"b\\\\c\\nd"} 1'
    assert LINE.match(line)


def test_strange_fields_share_a_label(app: ServingApp, call: Callable[..., Any]) -> None:
    """A caller cannot make new time series by inventing fields."""
    call("POST", "/predict", {f"made up {number}": 1 for number in range(1_000)})

    assert list(app.metrics.rejections) == [("other", "")]
