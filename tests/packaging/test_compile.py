"""Compiling: what has a native form, and what is refused."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from modelyard.core import StateError
from modelyard.packaging.compile import compile_model
from modelyard.packaging.golden import largest_difference
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import (
    AdditivePredictor,
    ForestPredictor,
    KernelPredictor,
    LightGBMPredictor,
    LinearPredictor,
    NeighboursPredictor,
    NetworkPredictor,
    ObliviousPredictor,
    XGBoostPredictor,
)
from modelyard.problem import Task


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("linear", LinearPredictor),
        ("lightgbm", LightGBMPredictor),
        ("xgboost", XGBoostPredictor),
        ("forest", ForestPredictor),
        ("tree", ForestPredictor),
        ("neighbours", NeighboursPredictor),
        ("kernel", KernelPredictor),
        ("network", NetworkPredictor),
        ("realmlp", NetworkPredictor),
        ("catboost", ObliviousPredictor),
        ("additive", AdditivePredictor),
        ("stochastic", NetworkPredictor),
    ],
)
def test_each_family_has_its_native_form(fit_family: Any, family: str, kind: type) -> None:
    """Every family that can win compiles to its own predictor."""
    plan, predictor = compile_model(fit_family("churn", family).model, 0.3)

    assert isinstance(predictor, kind)
    assert isinstance(plan, ScoringPlan)
    assert (plan.predictor, plan.threshold, plan.classes) == (predictor.kind, 0.3, ("No", "Yes"))
    assert plan.present == ()


def test_a_threshold_is_for_two_classes_only(fit_family: Any) -> None:
    """Several classes, and values, have no threshold."""
    assert compile_model(fit_family("contract", "linear").model, 0.3)[0].threshold is None
    assert compile_model(fit_family("bike", "linear").model, 0.3)[0].threshold is None


@pytest.mark.parametrize(
    "family",
    [
        "linear",
        "lightgbm",
        "xgboost",
        "forest",
        "tree",
        "neighbours",
        "kernel",
        "network",
        "catboost",
        "stochastic",
        "additive",
    ],
)
def test_classes_that_training_lacked_keep_their_place(fit_family: Any, family: str) -> None:
    """A model that saw two of three classes gives the third one probability 0, as the pipeline does."""
    from modelyard.packaging import Scorer

    fitted = fit_family("churn", family)
    model = dataclasses.replace(fitted.model, task=Task.MULTICLASS, classes=("a", "b", "c"), present=(0, 2))
    plan, predictor = compile_model(model, None)
    old = fitted.scorer
    scorer = Scorer(old.manifest, plan, predictor, contract=old.contract, profile=old.profile, golden=old.golden)

    expected = model.predict(fitted.held_out)

    assert plan.present == (0, 2)
    assert expected.shape == (fitted.held_out.height, 3)
    assert largest_difference(scorer.score_frame(fitted.held_out), expected) <= predictor.tolerance


def test_what_has_no_native_form_is_kept_by_skops(fit_family: Any) -> None:
    """A k-nearest-neighbours estimator answers as itself; its package needs an operator's yes (see test_skops.py)."""
    from sklearn.neighbors import KNeighborsClassifier

    fitted = fit_family("churn", "linear")
    matrix = fitted.model.encoder.transform(fitted.held_out)
    known = KNeighborsClassifier().fit(matrix, np.arange(len(matrix)) % 2)
    plan, predictor = compile_model(dataclasses.replace(fitted.model, estimator=known, family="knn"), 0.5)

    assert plan.predictor == predictor.kind == "skops"
    np.testing.assert_array_equal(predictor.predict_matrix(matrix), known.predict_proba(matrix)[:, 1:])


def test_an_objective_of_ones_own_is_refused(fit_family: Any) -> None:
    """LightGBM with a callable objective gives raw sums, so it is refused rather than packaged wrongly."""
    from lightgbm import LGBMClassifier

    def objective(truth: Any, raw: Any) -> tuple[Any, Any]:
        share = 1 / (1 + np.exp(-raw))
        return share - truth, share * (1 - share)

    matrix = np.random.default_rng(0).normal(size=(100, 2))
    estimator = LGBMClassifier(objective=objective, n_estimators=2, verbosity=-1).fit(matrix, matrix[:, 0] > 0)
    model = dataclasses.replace(fit_family("churn", "lightgbm").model, estimator=estimator)

    with pytest.raises(StateError, match="objective of one's own"):
        compile_model(model, 0.5)
