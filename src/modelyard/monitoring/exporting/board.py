"""A Grafana board of one model, in Grafana's classic JSON model: requests, latency, predictions, drift, quality, performance, alerts."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from modelyard.core import digest_json
from modelyard.monitoring.exporting.expressions import ANSWERS, of_model, quoted
from modelyard.problem import Problem

__all__ = ["board"]

_SCHEMA_VERSION = 39  # of Grafana 11; newer ones bring a board up to date themselves
_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclasses.dataclass(frozen=True)
class _Graph:
    """One panel: what it is called, what it shows in which unit, and how it is explained."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    text: str = ""
    kind: str = "timeseries"
    width: int = 8


def board(problem: Problem) -> dict[str, Any]:
    """The board as JSON-ready data; the data source is chosen in Grafana.

    Deployments, retrainings and what was entered as an event are marked on every time axis, as changes of the version
    that is served.
    """
    panels: list[dict[str, Any]] = []
    top = 0
    for title, graphs in _rows(problem):
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": _grid(0, top, _WIDTH, 1),
            }
        )
        top += 1
        left = 0
        for graph in graphs:
            if left + graph.width > _WIDTH:
                left, top = 0, top + 8
            panels.append(_panel(len(panels) + 1, graph, _grid(left, top, graph.width, 8)))
            left += graph.width
        top += 8
    return {
        "uid": f"modelyard-{digest_json(problem.name)[:20]}",
        "title": f"modelyard: {problem.name}",
        "description": f"Owner: {problem.owner or 'nobody'}. Made by `modelyard export grafana`.",
        "tags": ["modelyard", problem.name],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "templating": {"list": [_variable()]},
        "annotations": {"list": [_deployments(problem.name)]},
        "links": [],
        "panels": panels,
    }


def _rows(problem: Problem) -> Sequence[tuple[str, tuple[_Graph, ...]]]:
    which = f"{{model={quoted(problem.name)}}}"
    return (
        ("State", _state(which)),
        ("Requests", _requests(problem.name, which)),
        ("Predictions", _predictions(problem.name, which)),
        ("Drift and data quality", _data(which)),
        ("Performance", _performance(which)),
    )


def _state(which: str) -> tuple[_Graph, ...]:
    run = f"time() - max(modelyard_monitor_run_timestamp_seconds{which})"
    return (
        _Graph("Version", ((f"max by (version) (modelyard_model_info{which})", "{{version}}"),), kind="stat", width=4),
        _Graph("Alerts open", ((f"max by (severity) (modelyard_alerts_open{which})", "{{severity}}"),), kind="stat"),
        _Graph("Verdict", ((f"max by (verdict) (modelyard_monitor_verdict{which}) == 1", "{{verdict}}"),), kind="stat"),
        _Graph("Since the monitor ran", ((run, "age"),), "s", kind="stat", width=4),
    )


def _requests(model: str, which: str) -> tuple[_Graph, ...]:
    bucket = of_model(model, f'rate(modelyard_request_duration_seconds_bucket{{route=~"{ANSWERS}"}}[5m])', by="le")
    return (
        _Graph("Requests", ((f"modelyard:requests:rate5m{which}", "requests"),), "reqps"),
        _Graph(
            "Share of failures",
            ((f"modelyard:request_errors:rate5m{which} / modelyard:requests:rate5m{which}", "errors of ours"),),
            "percentunit",
        ),
        _Graph(
            "Latency",
            tuple((f"histogram_quantile({level / 100:g}, {bucket})", f"p{level}") for level in (50, 95, 99)),
            "s",
            "Within the buckets of the histogram.",
        ),
    )


def _predictions(model: str, which: str) -> tuple[_Graph, ...]:
    labels = of_model(model, "rate(modelyard_labels_total[15m])", by="label")
    refused = of_model(model, "rate(modelyard_rejections_total[15m])", by="field, rule")
    flagged = of_model(model, "rate(modelyard_flags_total[15m])", by="field, rule")
    by_version = f"sum by (version) (rate(modelyard_predictions_total{which}[5m]))"
    return (
        _Graph("Rows predicted, by version", ((by_version, "{{version}}"),), "rowsps"),
        _Graph("Decided classes", ((labels, "{{label}}"),), "rowsps"),
        _Graph(
            "Refused and flagged values",
            ((refused, "refused {{field}} {{rule}}"), (flagged, "flagged {{field}} {{rule}}")),
        ),
    )


def _data(which: str) -> tuple[_Graph, ...]:
    psi = f"max by (feature) (modelyard_drift_psi{which})"
    return (
        _Graph(
            "Drift (PSI)", ((psi, "{{feature}}"),), text="The score, and the ten features that moved most.", width=12
        ),
        _Graph(
            "Features by level of drift", ((f"max by (level) (modelyard_drift_features{which})", "{{level}}"),), width=6
        ),
        _Graph(
            "Columns with a fault", ((f"max by (signal) (modelyard_quality_columns{which})", "{{signal}}"),), width=6
        ),
    )


def _performance(which: str) -> tuple[_Graph, ...]:
    return (
        _Graph(
            "Primary metric",
            (
                (f"max by (metric) (modelyard_performance{which})", "{{metric}}"),
                (f"max by (bound) (modelyard_performance_bound{which})", "{{bound}}"),
                (f"max by (metric) (modelyard_performance_tolerated{which})", "tolerated"),
            ),
            text="Of the newest window with labels, its 95 % interval, and the value beyond which it is a loss.",
            width=16,
        ),
        _Graph(
            "Predictions with a label", ((f"max(modelyard_label_coverage_ratio{which})", "labelled"),), "percentunit"
        ),
    )


def _panel(number: int, graph: _Graph, place: dict[str, int]) -> dict[str, Any]:
    """A panel as Grafana reads it."""
    targets = [
        {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend, "datasource": _SOURCE}
        for index, (expression, legend) in enumerate(graph.queries)
    ]
    options: dict[str, Any] = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    }
    if graph.kind == "stat":
        options = {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}, "textMode": "value_and_name"}
    return {
        "id": number,
        "type": graph.kind,
        "title": graph.title,
        "description": graph.text,
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": graph.unit}, "overrides": []},
        "options": options,
    }


def _grid(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def _variable() -> dict[str, Any]:
    """The data source, which whoever imports the board chooses."""
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _deployments(model: str) -> dict[str, Any]:
    """A mark wherever a version begins to be served."""
    which = quoted(model)
    return {
        "name": "Deployments",
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "#4c78a8",
        "expr": f"changes(max by (version) (modelyard_model_info{{model={which}}})[5m:1m]) > 0",
        "titleFormat": "version {{version}}",
    }
