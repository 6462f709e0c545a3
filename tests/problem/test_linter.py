"""Findings about the question itself."""

from typing import Any

import pytest

from modelyard.problem import Problem, lint_problem

COMPLETE: dict[str, Any] = {
    "objective": "Call the customers who are about to leave, within the call centre's capacity.",
    "task": "binary",
    "data": {"source": "t.csv", "target": "y", "collection": "billing system, 2024"},
    "costs": {"true_positive": 80, "volume_per_year": 1000},
    "existing_system": {"constant": 0},
    "constraints": {"latency_p99_ms": 10},
    "owner": "ada",
}


def _ids(values: dict[str, Any], shares: dict[str, float] | None = None) -> set[str]:
    return {finding.id for finding in lint_problem(Problem.model_validate(values), class_shares=shares)}


def test_a_complete_problem_has_no_findings() -> None:
    """Nothing is said when there is nothing to say."""
    assert _ids(COMPLETE) == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"objective": ""}, "objective"),
        ({"objective": "word " * 60}, "objective"),
        ({"owner": ""}, "owner"),
        ({"costs": {}}, "costs"),
        ({"costs": {"true_positive": 80}}, "costs-volume"),
        ({"existing_system": {}}, "existing-system"),
        ({"constraints": {}}, "constraints"),
        ({"metrics": {"primary": "rmse"}}, "metric-undefined"),
        ({"data": {"source": "t.csv", "target": "y"}}, "collection"),
    ],
)
def test_each_gap_is_one_finding(change: dict[str, Any], expected: str) -> None:
    """Leaving one thing out gives exactly the finding that names it."""
    assert _ids({**COMPLETE, **change}) == {expected}


def test_accuracy_on_imbalanced_classes_is_a_finding() -> None:
    """P4: accuracy hides a rare class."""
    values = {**COMPLETE, "metrics": {"primary": "accuracy"}}

    assert _ids(values, {"no": 0.9, "yes": 0.1}) == {"metric-hides-imbalance"}
    assert _ids(values, {"no": 0.6, "yes": 0.4}) == set()


def test_roc_auc_with_rare_positives_points_to_pr_auc() -> None:
    """P4: ROC AUC tells less than PR AUC when positives are rare."""
    assert _ids(COMPLETE, {"no": 0.95, "yes": 0.05}) == {"metric-rank-imbalance"}


@pytest.mark.parametrize(
    ("gap", "expected"), [(None, {"series-gap"}), ("23h", {"series-gap"}), ("1d", set()), ("1mo", set())]
)
def test_a_gap_shorter_than_the_horizon_is_a_finding(gap: str | None, expected: set[str]) -> None:
    """D3: targets of the last rows before a part are not known when its first rows are asked for."""
    series = {"horizon": "24h", "columns": {"y": {"lags": ["24h"]}}}
    data = {**COMPLETE["data"], "time": "at", "series": series}

    assert _ids({**COMPLETE, "data": data, "split": {"gap": gap}}) == expected


def test_r2_alone_is_a_finding() -> None:
    """P4: R² says nothing in the target's unit."""
    values = {**COMPLETE, "task": "regression", "costs": {"per_unit_error": -1, "volume_per_year": 9}}

    assert _ids({**values, "metrics": {"primary": "r2"}}) == {"metric-r2-alone"}
    assert _ids({**values, "metrics": {"primary": "r2", "guardrails": {"mae": "<= 3"}}}) == set()


def test_directions_of_several_classes_are_a_finding() -> None:
    """T2: two classes and values have an order, several classes have none."""
    features = {"monotone": {"age": "increasing"}}

    assert "directions-without-order" not in _ids({**COMPLETE, "features": features})
    assert "directions-without-order" in _ids({**COMPLETE, "features": features, "task": "multiclass"})
