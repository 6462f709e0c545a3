"""The routes: one table that both the server and its OpenAPI document follow."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ROUTES", "Match", "Route", "match_route"]


@dataclasses.dataclass(frozen=True)
class Route:
    """One operation.

    Parameters
    ----------
    operation
        Its name, unique; the server's handler and the OpenAPI ``operationId``.
    method, path
        HTTP method and path template; ``{name}`` and ``{version}`` are the model's.
    tag, summary
        Chapter and sentence in the documentation.
    needs
        What a key must allow: ``predict``, ``feedback``, ``operate``, ``key`` (any valid one will do), or ``""`` if none
        is needed.
    """

    operation: str
    method: str
    path: str
    tag: str
    summary: str
    needs: str = ""


_PREDICT = "Predictions"
_OPEN = "Open Inference Protocol"
_MLFLOW = "MLflow"
_HEALTH = "Health"
_ABOUT = "About"

ROUTES: tuple[Route, ...] = (
    Route(
        "predict",
        "POST",
        "/predict",
        _PREDICT,
        "Predict one row, a list of rows, or a table by columns.",
        needs="predict",
    ),
    Route(
        "explain",
        "POST",
        "/explain",
        _PREDICT,
        "Predict rows, and say what each field adds to the score.",
        needs="predict",
    ),
    Route(
        "feedback",
        "POST",
        "/feedback",
        _PREDICT,
        "Send back what turned out to be true, by prediction id.",
        needs="feedback",
    ),
    Route("server_metadata", "GET", "/v2", _OPEN, "Name, version and extensions of the server.", needs="key"),
    Route("server_live", "GET", "/v2/health/live", _OPEN, "Whether the process answers."),
    Route("server_ready", "GET", "/v2/health/ready", _OPEN, "Whether predictions are given."),
    Route("model_metadata", "GET", "/v2/models/{name}", _OPEN, "Inputs and outputs of the model.", needs="key"),
    Route("model_ready", "GET", "/v2/models/{name}/ready", _OPEN, "Whether this model gives predictions.", needs="key"),
    Route("infer", "POST", "/v2/models/{name}/infer", _OPEN, "Predict tensors, one for each column.", needs="predict"),
    Route(
        "version_metadata",
        "GET",
        "/v2/models/{name}/versions/{version}",
        _OPEN,
        "Inputs and outputs of one version.",
        needs="key",
    ),
    Route(
        "version_ready",
        "GET",
        "/v2/models/{name}/versions/{version}/ready",
        _OPEN,
        "Whether this version gives predictions.",
        needs="key",
    ),
    Route(
        "version_infer",
        "POST",
        "/v2/models/{name}/versions/{version}/infer",
        _OPEN,
        "Predict with one version.",
        needs="predict",
    ),
    Route(
        "invocations", "POST", "/invocations", _MLFLOW, "Predict in one of MLflow's four JSON forms.", needs="predict"
    ),
    Route("ping", "GET", "/ping", _MLFLOW, "Whether predictions are given, as MLflow and SageMaker ask it."),
    Route("live", "GET", "/health/live", _HEALTH, "Whether the process answers."),
    Route("ready", "GET", "/health/ready", _HEALTH, "Whether the model is verified and the log takes records."),
    Route(
        "golden",
        "GET",
        "/health/golden",
        _HEALTH,
        "Replay the golden rows now, at most once a second; 503 if they are not reproduced.",
        needs="operate",
    ),
    Route("metrics", "GET", "/metrics", _HEALTH, "Counters and latencies in Prometheus' text format.", needs="operate"),
    Route(
        "version", "GET", "/version", _ABOUT, "Versions of the server and of the model, with its digest.", needs="key"
    ),
    Route("openapi", "GET", "/openapi.json", _ABOUT, "This document.", needs="key"),
    Route("docs", "GET", "/docs", _ABOUT, "The routes, for people.", needs="key"),
)
"""Every route of the server."""


class Match(NamedTuple):
    """What a path leads to: routes by method, the template for metrics, and the values in the path."""

    methods: Mapping[str, Route]
    template: str
    values: Mapping[str, str]


def _table() -> dict[str, Match]:
    """Routes by path or template."""
    found: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        found.setdefault(route.path, {})[route.method] = route
    return {path: Match(methods, path, {}) for path, methods in found.items()}


_BY_PATH = _table()
_MODELS = "/v2/models/"


def match_route(path: str) -> Match | None:
    """The routes at ``path``; None if there are none.

    >>> match = match_route("/v2/models/churn/versions/3/infer")
    >>> match.template, dict(match.values)
    ('/v2/models/{name}/versions/{version}/infer', {'name': 'churn', 'version': '3'})
    """
    if not path.startswith(_MODELS):
        return _BY_PATH.get(path)
    parts = path[len(_MODELS) :].split("/")
    if not parts[0] or parts[0] == "{name}":
        return None
    template = [_MODELS + "{name}"]
    values = {"name": parts.pop(0)}
    if len(parts) >= 2 and parts[0] == "versions" and parts[1]:
        values["version"] = parts[1]
        template.append("versions/{version}")
        parts = parts[2:]
    match = _BY_PATH.get("/".join([*template, *parts]))
    return match._replace(values=values) if match else None
