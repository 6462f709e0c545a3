"""PromQL for one model: from the metrics that its server really exposes."""

from modelyard.serving.rest import ROUTES
from modelyard.serving.rest.metrics import LATENCY_BOUNDS_S

__all__ = ["ANSWERS", "at_most", "bound_for", "fewest", "of_model", "quoted", "ratio"]

ANSWERS = "|".join(route.operation for route in ROUTES if route.needs == "predict")
"""The routes that answer with predictions, as a regular expression; health checks and the rest say nothing of callers."""

_DEFAULT_BOUND_S = 0.25
_FEWEST = 50


def quoted(text: str) -> str:
    r"""A label's value as PromQL writes it.

    >>> quoted('a"b')
    '"a\\"b"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def of_model(model: str, expression: str, *, by: str = "model") -> str:
    """The sum of an expression over the instances that serve a model.

    The server's counters carry no model, since a server has one; which one it is, ``modelyard_model_info`` says.
    """
    info = f"max by (job, instance, model) (modelyard_model_info{{model={quoted(model)}}})"
    return f"sum by ({by}) ({expression} * on (job, instance) group_left (model) {info})"


def ratio(name: str, window: str, model: str) -> str:
    """A recorded rate as a share of all requests in the same window."""
    which = f"{{model={quoted(model)}}}"
    return f"modelyard:{name}:rate{window}{which} / modelyard:requests:rate{window}{which}"


def fewest(window: str, seconds: int, model: str) -> str:
    """True while there were enough requests in a window: of three, one is no sign of anything."""
    return f"modelyard:requests:rate{window}{{model={quoted(model)}}} * {seconds} >= {_FEWEST}"


def at_most(bound: float) -> str:
    r"""The matcher of a bucket's upper bound: servers write 1, and Prometheus 3 stores 1.0.

    >>> at_most(0.25), at_most(1.0)
    ('le=~"0\\\\.25(\\\\.0)?"', 'le=~"1(\\\\.0)?"')
    """
    written = f"{bound:g}".replace(".", "\\\\.")
    return f'le=~"{written}(\\\\.0)?"'


def bound_for(latency_p99_ms: float | None) -> float:
    """The bucket of the latency histogram that stands for a declared limit, in seconds: the first that is not below it.

    >>> bound_for(20), bound_for(None), bound_for(60_000)
    (0.025, 0.25, 5.0)
    """
    wanted = _DEFAULT_BOUND_S if latency_p99_ms is None else latency_p99_ms / 1000
    return next((bound for bound in LATENCY_BOUNDS_S if bound >= wanted), LATENCY_BOUNDS_S[-1])
