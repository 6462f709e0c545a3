"""From a fitted model to a scoring plan and a native predictor. The one place that knows training libraries' insides."""

from collections.abc import Callable
from typing import Any

from modelyard.core import StateError
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import (
    ConstantPredictor,
    ForestPredictor,
    LightGBMPredictor,
    LinearPredictor,
    Link,
    Predictor,
    XGBoostPredictor,
    flatten_trees,
)
from modelyard.problem import Task
from modelyard.training.model import FittedModel

__all__ = ["compile_model"]


def compile_model(model: FittedModel, threshold: float | None) -> tuple[ScoringPlan, Predictor]:
    """The plan and the predictor that answer as ``model`` does.

    Parameters
    ----------
    model
        Encoder and estimator, fitted.
    threshold
        Binary: the score from which on a row is positive; ignored for other tasks.

    Raises
    ------
    StateError
        If the estimator has no native form. Nothing is pickled instead.
    """
    predictor = _compiler_of(model)(model.estimator, model.task)
    everything = tuple(range(len(model.classes)))
    partly = model.task is Task.MULTICLASS and tuple(model.present) != everything
    own = model.encoder.own
    plan = ScoringPlan(
        task=model.task,
        classes=model.classes,
        threshold=threshold if model.task is Task.BINARY else None,
        encodings=tuple(model.encoder.encodings_),
        predictor=predictor.kind,
        present=tuple(model.present) if partly and predictor.kind != ConstantPredictor.kind else (),
        own=own.features if own is not None else (),
        own_digest=own.digest if own is not None else "",
    )
    return plan, predictor


def _compiler_of(model: FittedModel) -> Callable[[Any, Task], Predictor]:
    """The compiler of the estimator's class, or of the nearest class it descends from."""
    for kind in type(model.estimator).__mro__:
        if kind.__name__ in _COMPILERS:
            return _COMPILERS[kind.__name__]
    raise StateError(
        "this estimator has no native form, so it cannot be packaged",
        where=f"family {model.family!r}",
        got=f"{type(model.estimator).__module__}.{type(model.estimator).__name__}",
        cure="Choose a winner among the families linear, random_forest, lightgbm and xgboost",
    )


def _constant(estimator: Any, task: Task) -> Predictor:
    del task
    return ConstantPredictor(estimator.values)


def _logistic(estimator: Any, task: Task) -> Predictor:
    """Two classes: the logistic function; more: softmax, as ``LogisticRegression.predict_proba`` does."""
    del task
    link = Link.LOGISTIC if len(estimator.classes_) <= 2 else Link.SOFTMAX
    return LinearPredictor(estimator.coef_, estimator.intercept_, link)


def _values(estimator: Any, task: Task) -> Predictor:
    """A weighted sum, as ``LinearModel.predict`` does."""
    del task
    return LinearPredictor(estimator.coef_, estimator.intercept_, Link.IDENTITY)


def _lightgbm(estimator: Any, task: Task) -> Predictor:
    """The text holds the trees up to the best iteration, which are those that the estimator predicts with."""
    if callable(estimator.objective_):
        raise StateError(
            "LightGBM with an objective of one's own gives raw sums, not probabilities, so it cannot be packaged",
            where="estimator",
            got=repr(estimator.objective_),
            cure="Train with one of LightGBM's named objectives",
        )
    del task
    return LightGBMPredictor(estimator.booster_.model_to_string())


def _xgboost(estimator: Any, task: Task) -> Predictor:
    """All trees, and how many rounds to use if training was stopped early."""
    del task
    booster = estimator.get_booster()
    stopped = getattr(estimator, "early_stopping_rounds", None) is not None
    rounds = int(estimator.best_iteration) + 1 if stopped else 0
    return XGBoostPredictor(bytes(booster.save_raw(raw_format="ubj")), rounds)


def _forest(estimator: Any, task: Task) -> Predictor:
    """The mean of the trees' probabilities or values; of two classes, the second one's."""
    outputs = [0]
    if task.is_classification:
        known = len(estimator.classes_)
        outputs = [1] if known == 2 else list(range(known))
    trees = [tree.tree_ for tree in estimator.estimators_]
    return ForestPredictor(flatten_trees(trees, int(estimator.n_features_in_), outputs))


_COMPILERS: dict[str, Callable[[Any, Task], Predictor]] = {
    "ConstantEstimator": _constant,
    "LogisticRegression": _logistic,
    "LinearModel": _values,
    "LGBMModel": _lightgbm,
    "XGBModel": _xgboost,
    "ForestClassifier": _forest,
    "ForestRegressor": _forest,
}
