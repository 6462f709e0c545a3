"""What a rollout's guards ask Prometheus: the figures of the pods of one version, from the metrics that they expose."""

from collections.abc import Callable, Mapping
from typing import Any

from modelyard.core import ConfigError
from modelyard.packaging import GoldenSet
from modelyard.rollout.records import GOLDEN, AnalysisRule, GuardRule
from modelyard.serving.rest import ROUTES
from modelyard.shipping.kubernetes.workload import Deployed

__all__ = ["analysis_name", "analysis_template", "not_looked_at", "watching_name"]

_ADDRESS = "http://prometheus-operated.monitoring.svc:9090"
_SHORTEST_S = 300
"""Prometheus needs some scrapes in a window to tell a rate."""

_ANSWERS = "|".join(route.operation for route in ROUTES if route.needs == "predict")
_OF_VERSION = 'on (job, instance) group_left () max by (job, instance) (modelyard_model_info{digest="{{args.digest}}"})'


def analysis_name(deployed: Deployed, rule: str) -> str:
    """The AnalysisTemplate of an analysis by name; Kubernetes allows no underscore."""
    return f"{deployed.name}-{rule.replace('_', '-').lower()}"


def watching_name(deployed: Deployed) -> str:
    """The AnalysisTemplate that is at work all the time."""
    return f"{deployed.name}-always"


def analysis_template(deployed: Deployed, rule: AnalysisRule, *, is_endless: bool = False) -> dict[str, Any]:
    """The spec of an AnalysisTemplate: one query for each guard that pods have a figure for.

    A look at too few requests is neither a success nor a failure, as in modelyard's own rollouts.

    Parameters
    ----------
    is_endless
        True for looks without end, which a rollout takes in the background.

    Raises
    ------
    ConfigError
        If there is no such guard.
    """
    guards = [guard for guard in rule.guards if guard.name in _QUERIES and _is_bounded(guard)]
    if not guards:
        raise ConfigError(
            "an analysis looks at nothing that pods tell Prometheus",
            where=f"deploy.analysis.{rule.name}",
            got=", ".join(guard.name for guard in rule.guards),
            cure=f"Bound one of {', '.join(_QUERIES)} by a threshold_range",
        )
    window = f"{max(_SHORTEST_S, rule.interval_s * rule.count):.0f}s"
    dry = [{"metricName": guard.name} for guard in guards if guard.dry_run]
    return {
        "args": [{"name": "digest"}, {"name": "prometheus", "value": _ADDRESS}],
        **({"dryRun": dry} if dry else {}),
        "metrics": [
            {
                "name": guard.name,
                "interval": f"{rule.interval_s:.0f}s",
                **({} if is_endless else {"count": rule.count}),
                "failureLimit": guard.failure_limit,
                "inconclusiveLimit": rule.inconclusive_limit,
                "successCondition": f"{_IS_THERE} && {_within(guard)}",
                "failureCondition": f"{_IS_THERE} && !({_within(guard)})",
                "provider": {
                    "prometheus": {
                        "address": "{{args.prometheus}}",
                        "query": _QUERIES[guard.name](deployed, guard, window),
                    }
                },
            }
            for guard in guards
        ],
    }


def not_looked_at(rule: AnalysisRule) -> tuple[str, ...]:
    """Guards of an analysis, or parts of them, that pods have no figure for, each in a few words."""
    whole = [guard.name for guard in rule.guards if guard.name not in _QUERIES or not _is_bounded(guard)]
    compared = [
        f"{guard.name} against the baseline"
        for guard in rule.guards
        if guard.name not in whole and guard.max_change is not None
    ]
    return (*whole, *compared)


_IS_THERE = "len(result) > 0 && !isNaN(result[0])"


def _is_bounded(guard: GuardRule) -> bool:
    return guard.low is not None or guard.high is not None


def _within(guard: GuardRule) -> str:
    """The bounds as Argo's conditions write them."""
    bounds = [] if guard.low is None else [f"result[0] >= {guard.low:g}"]
    bounds += [] if guard.high is None else [f"result[0] <= {guard.high:g}"]
    return " && ".join(bounds)


def _requests(window: str, status: str = "") -> str:
    """Requests for predictions that pods of the version answered in a window."""
    labels = f'route=~"{_ANSWERS}"{status}'
    return f"sum(increase(modelyard_requests_total{{{labels}}}[{window}]) * {_OF_VERSION})"


def _if_enough(expression: str, guard: GuardRule, window: str) -> str:
    """Nothing at all below so many requests."""
    return f"{expression} and {_requests(window)} >= {guard.min_samples}"


def _error_rate(_deployed: Deployed, guard: GuardRule, window: str) -> str:
    """A status that never occurred has no series, so there is a 0 for it."""
    failed = _requests(window, ',status=~"5.."')
    return _if_enough(f"({failed} or vector(0)) / {_requests(window)}", guard, window)


def _latency(_deployed: Deployed, guard: GuardRule, window: str) -> str:
    """From the histogram, in milliseconds."""
    buckets = f'rate(modelyard_request_duration_seconds_bucket{{route=~"{_ANSWERS}"}}[{window}])'
    return _if_enough(f"1000 * sum(histogram_quantile(0.99, sum by (le) ({buckets} * {_OF_VERSION})))", guard, window)


def _golden_rows(deployed: Deployed, _guard: GuardRule, _window: str) -> str:
    """The largest difference of any pod on rows with known answers, in tolerances of the package."""
    tolerance = GoldenSet.from_dict(deployed.package.read_json("golden.json")).tolerance
    return f"max(modelyard_parity_max_abs_difference * {_OF_VERSION}) / {tolerance:g}"


_QUERIES: Mapping[str, Callable[[Deployed, GuardRule, str], str]] = {
    "error_rate": _error_rate,
    "latency_p99_ms": _latency,
    GOLDEN: _golden_rows,
}
