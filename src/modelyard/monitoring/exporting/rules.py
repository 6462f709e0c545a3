"""Recording and alert rules of one model, as Prometheus reads them."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import yaml

from modelyard.monitoring.exporting.expressions import ANSWERS, at_most, bound_for, fewest, of_model, quoted, ratio
from modelyard.problem import Problem

__all__ = ["BURNS", "ERROR_BUDGET", "SLOW_BUDGET", "Burn", "rule_file"]

ERROR_BUDGET = 0.001
"""Share of requests that may fail: 99.9 % are answered."""

SLOW_BUDGET = 0.01
"""Share of requests that may take longer than the limit: 99 % are fast enough."""

_SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21600, "1d": 86400, "3d": 259200}
_DAY_S = 86_400
_WINDOW_S = {"hour": 3_600, "day": _DAY_S, "week": 7 * _DAY_S, "month": 31 * _DAY_S}
"""How long a window lasts; a batch, or so many rows, are expected once a day."""
_SLACK_S = 3600


@dataclasses.dataclass(frozen=True)
class Burn:
    """A pace at which a month's budget is used up, seen over a long and a short window at once.

    Source: Google, The Site Reliability Workbook (2018), chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
    """

    factor: float
    long: str
    short: str
    severity: str


BURNS = (
    Burn(14.4, "1h", "5m", "error"),
    Burn(6, "6h", "30m", "error"),
    Burn(3, "1d", "2h", "warning"),
    Burn(1, "3d", "6h", "warning"),
)
"""2 % of the budget in an hour, 5 % in six, 10 % in a day, 10 % in three days."""


def rule_file(problem: Problem) -> str:
    """The rules as a YAML file; ``promtool check rules`` takes it.

    Parameters
    ----------
    problem
        Names the model and its owner, limits latency, and has the rules of alerts, of which the address of runbooks and
        the owners go into annotations.
    """
    groups = [
        {"name": f"modelyard-{problem.name}-requests", "rules": list(_recorded(problem))},
        {"name": f"modelyard-{problem.name}-serving", "rules": list(_serving(problem))},
        {"name": f"modelyard-{problem.name}-monitoring", "rules": list(_monitoring(problem))},
    ]
    head = f"# Rules for the model {problem.name}, made by `modelyard export prometheus`. Make them again rather than edit.\n"
    return head + yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=140)


def _recorded(problem: Problem) -> Iterator[dict[str, Any]]:
    """Rates of requests, failures and slow answers over each window, and the 95th percentile."""
    model = problem.name
    slow = bound_for(problem.constraints.latency_p99_ms)
    for window in _SECONDS:
        routes = f'route=~"{ANSWERS}"'
        counts = of_model(model, f"rate(modelyard_requests_total{{{routes}}}[{window}])")
        failed = of_model(model, f'rate(modelyard_requests_total{{{routes},status=~"5.."}}[{window}])')
        fast = of_model(model, f"rate(modelyard_request_duration_seconds_bucket{{{routes},{at_most(slow)}}}[{window}])")
        timed = of_model(model, f"rate(modelyard_request_duration_seconds_count{{{routes}}}[{window}])")
        asked = f"modelyard:requests:rate{window}{{model={quoted(model)}}}"
        yield {"record": f"modelyard:requests:rate{window}", "expr": counts}
        # A status that never occurred has no series, and nothing divided by something would be nothing.
        yield {"record": f"modelyard:request_errors:rate{window}", "expr": f"{failed} or 0 * {asked}"}
        yield {"record": f"modelyard:request_slow:rate{window}", "expr": f"clamp_min({timed} - {fast}, 0)"}
    bucket = f'rate(modelyard_request_duration_seconds_bucket{{route=~"{ANSWERS}"}}[30m])'
    quantile = f"histogram_quantile(0.95, {of_model(model, bucket, by='model, le')})"
    # Without requests the quantile is not a number, which would make its mean over a day one too.
    yield {"record": "modelyard:request_duration_seconds:p95_30m", "expr": f"{quantile} > 0"}


def _serving(problem: Problem) -> Iterator[dict[str, Any]]:
    """The server: budgets that burn, latency doubled, a model that may not answer, a log that takes nothing."""
    model = problem.name
    which = f"{{model={quoted(model)}}}"
    slow = bound_for(problem.constraints.latency_p99_ms)
    for burn in BURNS:
        for name, kind, budget, words in (
            ("Errors", "errors", ERROR_BUDGET, "of the requests fail"),
            ("Slow", "latency", SLOW_BUDGET, f"of the requests take longer than {slow:g} s"),
        ):
            rate = "request_errors" if kind == "errors" else "request_slow"
            limit = f"{burn.factor * budget:g}"
            expression = (
                f"({ratio(rate, burn.long, model)} > {limit}) and ({ratio(rate, burn.short, model)} > {limit}) "
                f"and ({fewest(burn.long, _SECONDS[burn.long], model)})"
            )
            summary = f"{{{{ $value | humanizePercentage }}}} {words} ({burn.long}, {burn.factor:g} times the budget)."
            yield _alert(problem, f"Modelyard{name}{burn.long}", expression, kind, burn.severity, summary, wait="2m")
    p95 = f"modelyard:request_duration_seconds:p95_30m{which}"
    doubled = f"({p95} > 2 * avg_over_time({p95}[1d] offset 1h)) and ({fewest('30m', 1800, model)})"
    yield _alert(
        problem, "ModelyardLatencyDoubled", doubled, "latency", "warning",
        "95 % of the answers take up to {{ $value | humanizeDuration }}, twice as long as over the past day.", wait="15m",
    )  # fmt: skip
    gone = f"absent(modelyard_model_info{which})"
    yield _alert(
        problem, "ModelyardServerGone", gone, "no_data", "error", "No server says that it serves the model.", wait="5m"
    )
    for gauge, name, words in (
        ("modelyard_ready", "ModelyardNotReady", "A server may not answer: its model is not verified."),
        ("modelyard_golden_ok", "ModelyardGoldenRows", "A server no longer reproduces the golden rows."),
    ):
        down = of_model(model, f"({gauge} == bool 0)", by="model, instance")
        yield _alert(problem, name, f"{down} > 0", "errors", "error", words, wait="2m")
    lost = of_model(model, "increase(modelyard_log_failures_total[10m])", by="model, instance")
    words = "The prediction log refuses records: what is not logged is not watched."
    yield _alert(problem, "ModelyardLogRefuses", f"{lost} > 0", "quality", "error", words, wait="0m")


def _monitoring(problem: Problem) -> Iterator[dict[str, Any]]:
    """The monitor: that it runs, that windows are judged, that alerts are open, that messages get out."""
    which = f"{{model={quoted(problem.name)}}}"
    stale = 2 * _WINDOW_S.get(str(problem.monitoring.window), _DAY_S) + _SLACK_S
    run = f"modelyard_monitor_run_timestamp_seconds{which}"
    old = f"(time() - max by (model) ({run}) > {stale}) or absent({run})"
    words = (
        "Monitoring has not run, or its figures do not arrive. A monitor that stopped is the commonest silent failure."
    )
    yield _alert(problem, "ModelyardMonitorStale", old, "no_data", "error", words, wait="15m")
    last = f"modelyard_monitor_last_window_timestamp_seconds{which}"
    late = f"time() - max by (model) ({last}) > {2 * stale}"
    words = "No new window was judged for {{ $value | humanizeDuration }}."
    yield _alert(problem, "ModelyardWindowsStale", late, "no_data", "warning", words, wait="15m")
    for severity in ("error", "warning"):
        open_ = (
            f"max by (model) (modelyard_alerts_open{{model={quoted(problem.name)},severity={quoted(severity)}}}) > 0"
        )
        name = f"ModelyardAlertsOpen{severity.capitalize()}"
        words = "{{ $value }} alerts are open: modelyard alerts."
        yield _alert(problem, name, open_, "other", severity, words, wait="0m")
    waits = f"max by (model) (modelyard_alert_messages_waiting{which}) > 0"
    words = "{{ $value }} messages about alerts wait for a sink that is down."
    yield _alert(problem, "ModelyardMessagesWait", waits, "other", "warning", words, wait="1h")


def _alert(
    problem: Problem, name: str, expression: str, kind: str, severity: str, summary: str, *, wait: str
) -> dict[str, Any]:
    """One alert rule with its labels and annotations."""
    plan = problem.alerts
    base = plan.runbooks
    runbook = (
        f"{base.rstrip('/')}/runbooks/{kind}.md" if base else f"runbooks/{kind}.md in the package of {problem.name}"
    )
    labels = {"severity": severity, "model": problem.name, "kind": kind}
    owner = plan.rules[kind].owner or problem.owner
    annotations = {"summary": f"{problem.name}: {summary}", "owner": owner or "nobody", "runbook_url": runbook}
    return {"alert": name, "expr": expression, "for": wait, "labels": labels, "annotations": annotations}
