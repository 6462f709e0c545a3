"""A blend is explained by its members where their contributions add up, and by nobody where they do not."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.evaluation.reasons.blends import blend_contributions, blend_kinds, can_explain_blend
from modelyard.evaluation.reasons.methods import Encoded
from modelyard.problem import Task
from modelyard.training.blending import BlendEstimator, Calibration, Member

Array = npt.NDArray[np.float64]
WIDTH = 4


@functools.cache
def rows() -> tuple[Array, Array]:
    """Two copies of the same features, and a target above 0."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(200, WIDTH))
    target = np.exp(matrix[:, 0] * matrix[:, 1] / 4 + matrix[:, 2] / 4)
    return np.hstack([matrix, matrix]), target


def estimator(kind: str, task: Task) -> Any:
    """Fitted on one copy."""
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
    from sklearn.neighbors import KNeighborsRegressor

    made = {
        "boosted": (LGBMRegressor, LGBMClassifier),
        "forest": (RandomForestRegressor, RandomForestClassifier),
        "linear": (Ridge, LogisticRegression),
        "counts": (PoissonRegressor, None),
        "neighbours": (KNeighborsRegressor, None),
    }[kind][task.is_classification]
    settings: dict[str, Any] = {
        "boosted": {"n_estimators": 8, "n_jobs": 1, "verbosity": -1},
        "forest": {"n_estimators": 4, "max_depth": 4, "random_state": 0},
    }.get(kind, {})
    matrix, target = rows()
    classes = {Task.REGRESSION: target, Task.BINARY: target > 1, Task.MULTICLASS: np.digitize(target, [0.9, 1.1])}
    return made(**settings).fit(matrix[:, :WIDTH], classes[task])


def blended(kinds: list[str], task: Task, calibration: Calibration | None = None) -> BlendEstimator:
    """Members that read one copy each, the first with a quarter of the say."""
    weights = [1.0] if len(kinds) == 1 else [0.25, 0.75]
    members = [
        Member(f"{kind}-2", estimator(kind, task), place * WIDTH, (place + 1) * WIDTH, weight)
        for place, (kind, weight) in enumerate(zip(kinds, weights, strict=True))
    ]
    return BlendEstimator(members, calibration)


def encoded(output: int = 0, copies: int = 2) -> Encoded:
    """Nine rows, all explained for one output."""
    matrix = rows()[0][:, : copies * WIDTH]
    return Encoded(matrix[:9], matrix[50:90], np.full(9, output))


def test_a_mean_of_values_has_the_mean_of_the_contributions() -> None:
    """Base and amounts add up to the prediction within 1e-9; each member's amounts lie where its features do."""
    blend = blended(["boosted", "linear"], Task.REGRESSION)
    found = blend_contributions(blend, Task.REGRESSION, encoded())
    own = blend_contributions(blended(["boosted"], Task.REGRESSION), Task.REGRESSION, encoded(copies=1))

    assert found is not None
    assert own is not None
    assert np.allclose(found.base + found.amounts.sum(axis=1), blend.predict(rows()[0][:9]), rtol=0, atol=1e-9)
    assert np.allclose(found.amounts[:, :WIDTH], own.amounts / 4, rtol=0, atol=1e-12)
    assert (found.scale, found.exact) == ("value", True)
    assert blend_kinds(blend) == ("trees", "linear models")


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_a_mean_of_forests_is_explained_in_probabilities(task: Task) -> None:
    """Forests explain the probabilities that they answer with, so the mean of these is explained."""
    blend = blended(["forest", "forest"], task)
    found = blend_contributions(blend, task, encoded(output=0))
    answers = blend.predict_proba(rows()[0][:9])[:, 1 if task is Task.BINARY else 0]

    assert found is not None
    assert np.allclose(found.base + found.amounts.sum(axis=1), answers, rtol=0, atol=1e-9)
    assert found.scale == "probability"


def test_a_calibrated_model_is_explained_in_log_odds() -> None:
    """The curve stretches log odds: their logistic function is the calibrated probability."""
    blend = blended(["boosted"], Task.BINARY, Calibration(0.7, -0.4))
    found = blend_contributions(blend, Task.BINARY, encoded(copies=1))

    assert found is not None
    sums = found.base + found.amounts.sum(axis=1)
    assert np.allclose(1 / (1 + np.exp(-sums)), blend.predict_proba(rows()[0][:9, :WIDTH])[:, 1], rtol=0, atol=1e-9)
    assert found.scale == "log-odds"


def test_a_calibrated_model_of_several_classes_is_explained_before_softmax() -> None:
    """Softmax of the classes' sums gives the calibrated probabilities."""
    blend = blended(["boosted"], Task.MULTICLASS, Calibration(1.6))
    parts = [blend_contributions(blend, Task.MULTICLASS, encoded(output, copies=1)) for output in range(3)]
    sums = np.stack([part.base + part.amounts.sum(axis=1) for part in parts if part is not None], axis=1)
    powers = np.exp(sums)

    assert np.allclose(
        powers / powers.sum(axis=1, keepdims=True), blend.predict_proba(rows()[0][:9, :WIDTH]), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(
    ("kinds", "task", "calibration"),
    [
        (["boosted", "linear"], Task.BINARY, None),
        (["boosted", "forest"], Task.BINARY, None),
        (["forest", "forest"], Task.BINARY, Calibration(0.7)),
        (["forest"], Task.BINARY, Calibration(0.7)),
        (["boosted", "neighbours"], Task.REGRESSION, None),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, list) else None,
)
def test_what_does_not_add_up_is_left_to_sampling(
    kinds: list[str], task: Task, calibration: Calibration | None
) -> None:
    """Log odds in a mean of probabilities, a curve over probabilities, and a member that explains nothing."""
    assert not can_explain_blend(blended(kinds, task, calibration), task)


def test_a_member_that_explains_another_number_is_found_out() -> None:
    """A linear model of logarithms has coefficients like any other; its sums are not its answers."""
    blend = blended(["boosted", "counts"], Task.REGRESSION)

    assert can_explain_blend(blend, Task.REGRESSION)
    assert blend_contributions(blend, Task.REGRESSION, encoded()) is None
