"""Champion and challenger side by side: rows, labels, and a difference that may be looked at as often as one likes."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.serving.test_routing import divided, posted, rollout, rows_of

from modelyard.problem import Problem, Task
from modelyard.problem.schema import Costs
from modelyard.rollout import Strategy, label_metric
from modelyard.serving.app import ServingApp
from modelyard.serving.endpoint import ActiveModel, activate
from modelyard.serving.prediction_log import read_predictions, record_feedback
from modelyard.serving.routing.beside import Beside
from modelyard.serving.routing.outcomes import Outcomes

BEGAN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def candidate(other_package: Path) -> ActiveModel:
    """The new version."""
    return activate(other_package)


def test_both_are_counted_with_and_without_labels(app: ServingApp, row: dict[str, Any], candidate: ActiveModel) -> None:
    """Labels of half of the rows: each version has its rows, its labelled ones, and the share that came true."""
    divided(app, rollout(candidate, Strategy.AB, key="customer"), candidate)
    answers = posted(app, rows_of(row, 200))["predictions"]
    feedback = [{"id": answer["id"], "label": "Yes", "at": "2026-01-02T00:00:00Z"} for answer in answers[:100]]
    record_feedback(app.settings.log_folder, feedback)
    outcomes = Outcomes(app.settings.log_folder, Costs(), ("No", "Yes"))
    rows, champion_rows, figure = outcomes.compared("accuracy", candidate.digest, BEGAN)
    log = read_predictions(app.settings.log_folder)
    known = log.filter(pl.col("id").is_in([item["id"] for item in feedback]))
    mine, other = (known.filter(pl.col("role") == role) for role in ("canary", "baseline"))

    assert (rows, champion_rows) == ((log["role"] == "canary").sum(), (log["role"] == "baseline").sum())
    assert (figure.samples, figure.other_samples) == (mine.height, other.height)
    assert mine.height + other.height == 100
    assert figure.value == pytest.approx((mine["label"] == "Yes").mean())
    assert outcomes.compared("accuracy", candidate.digest, dt.datetime(2099, 1, 1, tzinfo=dt.UTC))[:2] == (0, 0)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (None, None, "nothing can be said yet"),
        (0.01, 0.1, "better"),
        (-0.1, -0.01, "worse"),
        (-0.1, 0.1, "no difference for certain"),
    ],
)
def test_what_is_said_of_a_difference(low: float | None, high: float | None, said: str) -> None:
    """The whole interval decides, not its middle."""
    difference = None if low is None else 0.05
    beside = Beside("accuracy", 10, 10, 5, 5, 0.8, 0.7, difference, low, high, 0.05)

    assert beside.verdict == said
    assert Beside.from_dict(beside.to_dict()) == beside


def test_the_metric_is_that_of_the_comparison() -> None:
    """Money where there are costs, else accuracy or the error; what the project file names wins."""
    base = {"data": {"source": "t.csv", "target": "y"}}
    priced = Problem.model_validate({**base, "costs": {"true_positive": 1, "false_positive": -1}})
    named = Problem.model_validate({**base, "deploy": {"strategy": {"ab": {"metric": "brier"}}}})

    assert label_metric(Problem.model_validate(base), Task.BINARY) == "accuracy"
    assert label_metric(Problem.model_validate(base), Task.REGRESSION) == "absolute_error"
    assert (label_metric(priced, Task.BINARY), label_metric(named, Task.BINARY)) == ("money", "brier")
