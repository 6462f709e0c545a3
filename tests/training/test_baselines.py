"""The constant answer, and today's system in its three forms."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.core import ConfigError
from modelyard.problem import Problem, Task
from modelyard.training.baselines import ConstantEstimator, existing_system_scores, naive_params

FRAME = pl.DataFrame(
    {
        "tenure": [3, 30, None, 8],
        "contract": ["month", "year", "month", "year"],
        "score": [0.9, 0.1, None, 0.4],
        "decision": ["yes", "no", "yes", "no"],
        "y": ["yes", "no", "no", "yes"],
    }
)


def problem(task: str = "binary", **system: Any) -> Problem:
    """A problem whose existing system is given by keywords."""
    positive = "yes" if task == "binary" else None
    data = {"source": "t", "target": "y", "positive": positive}
    return Problem.model_validate({"task": task, "data": data, "existing_system": system})


def scores(declared: Problem, frame: pl.DataFrame = FRAME) -> list[Any]:
    """The scores as a list."""
    found = existing_system_scores(declared, frame)
    return [] if found is None else found.tolist()


@pytest.mark.parametrize(
    ("task", "metric", "statistic", "expected"),
    [
        (Task.BINARY, "roc_auc", "prior", (0.25,)),
        (Task.REGRESSION, "rmse", "mean", (0.25,)),
        (Task.REGRESSION, "mae", "median", (0.0,)),
        (Task.MULTICLASS, "log_loss", "prior", (0.75, 0.25, 0.0)),
    ],
)
def test_naive_answer(task: Task, metric: str, statistic: str, expected: tuple[float, ...]) -> None:
    """Class shares, the mean for squared errors, the median for absolute ones."""
    learnt = ConstantEstimator.learn(np.array([0.0, 0.0, 0.0, 1.0]), task, 3, statistic)

    assert naive_params(task, metric) == {"prediction": statistic}
    assert learnt.values == expected
    assert learnt.predict(np.zeros((2, 5))).shape == ((2, 3) if task is Task.MULTICLASS else (2,))


def test_nothing_declared_is_none() -> None:
    """Without an existing system there are no scores."""
    assert existing_system_scores(problem(), FRAME) is None


def test_a_score_column_is_taken_as_it_is() -> None:
    """Numbers stay; a missing answer is NaN."""
    found = scores(problem(column="score"))

    assert [found[0], found[1], found[3]] == [0.9, 0.1, 0.4]
    assert math.isnan(found[2])


def test_a_decision_column_is_compared_with_the_positive_class() -> None:
    """Labels become 1 where they name the positive class."""
    assert scores(problem(column="decision")) == [1.0, 0.0, 1.0, 0.0]


def test_a_rule_that_meets_a_gap_does_not_fire() -> None:
    """``NULL < 12`` is no yes."""
    assert scores(problem(rule="tenure < 12 AND contract = 'month'")) == [1.0, 0.0, 0.0, 0.0]


def test_a_rule_may_give_a_number() -> None:
    """CASE expressions give scores."""
    assert scores(problem(rule="CASE WHEN contract = 'month' THEN 0.7 ELSE 0.2 END")) == [0.7, 0.2, 0.7, 0.2]


@pytest.mark.parametrize(("constant", "expected"), [(0.3, 0.3), ("yes", 1.0), ("no", 0.0)])
def test_a_constant_answers_for_everybody(constant: float | str, expected: float) -> None:
    """A number is a score, a class name is a decision."""
    assert scores(problem(constant=constant)) == [expected] * 4


def test_classes_become_certainties() -> None:
    """Several classes: one column a class, 1 for the one named."""
    declared = problem("multiclass", column="decision")

    found = existing_system_scores(declared, FRAME, classes=("maybe", "no", "yes"))

    assert found is not None
    assert found.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    ("task", "system", "sentence"),
    [
        ("binary", {"column": "scor"}, "existing_system.column: .*'scor'.*Did you mean 'score'"),
        ("binary", {"rule": "tenur < 12"}, "existing_system.rule: .*'tenur'.*Did you mean 'tenure'"),
        ("binary", {"rule": "tenure <"}, "existing_system.rule: the rule cannot be read.*Write one SQL expression"),
        ("binary", {"constant": "perhaps"}, "numbers, Booleans or class names.*'perhaps'"),
        ("regression", {"column": "contract"}, "must answer with numbers.*'month'"),
        ("multiclass", {"constant": "other"}, "the classes 'no', 'yes'.*'other'"),
    ],
)
def test_unusable_systems_are_refused(task: str, system: dict[str, Any], sentence: str) -> None:
    """What is wrong, where, and the cure, for each form."""
    with pytest.raises(ConfigError, match=sentence):
        existing_system_scores(problem(task, **system), FRAME)
