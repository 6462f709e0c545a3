"""From a fitted model to a scoring plan and a native predictor. The one place that knows training libraries' insides."""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.core import StateError
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import (
    BlendPart,
    BlendPredictor,
    ConstantPredictor,
    ForestPredictor,
    GaussianPredictor,
    KernelPredictor,
    LightGBMPredictor,
    LinearPredictor,
    Link,
    NeighboursPredictor,
    NetworkPredictor,
    Predictor,
    SkopsPredictor,
    XGBoostPredictor,
    flatten_trees,
)
from modelyard.packaging.predictors.tables import AdditivePredictor, AdditiveTables, ObliviousPredictor, oblivious_trees
from modelyard.problem import Task
from modelyard.training.model import FittedModel

__all__ = ["compile_estimator", "compile_model"]


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
        If the estimator has neither a native form nor one that skops can keep.
    MissingExtraError
        If only skops can keep it, and is not installed.
    """
    predictor = compile_estimator(model.estimator, model.task, model.family)
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


def compile_estimator(estimator: Any, task: Task, family: str) -> Predictor:
    """The predictor by the compiler of the estimator's class, or of the nearest class that it descends from.

    Where there is none the estimator itself is kept, by skops; such a package is served only with an explicit yes.

    Raises
    ------
    StateError, MissingExtraError
        As :func:`compile_model`.
    """
    for kind in type(estimator).__mro__:
        if kind.__name__ in _COMPILERS:
            return _COMPILERS[kind.__name__](estimator, task)
    return SkopsPredictor.of(estimator, is_classes=task.is_classification, family=family)


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


def _catboost(estimator: Any, task: Task) -> Predictor:
    """The tables of its oblivious trees; CatBoost's own JSON keeps every number exactly."""
    loss = str(estimator.get_all_params()["loss_function"]).partition(":")[0]
    links = _CATBOOST_CLASSES if task.is_classification else _CATBOOST_VALUES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        estimator.save_model(str(path), format="json")
        model = json.loads(path.read_bytes())
    kinds = [kind for kind in ("categorical_features", "text_features") if model["features_info"].get(kind)]
    if loss not in links or kinds or "oblivious_trees" not in model:
        raise StateError(
            "this CatBoost model has no native form, so it cannot be packaged",
            where="estimator",
            got=", ".join(
                [loss, *kinds, *(["trees that are not symmetric"] if "oblivious_trees" not in model else [])]
            ),
            cure=f"Train symmetric trees on numbers with one of {', '.join(links)}",
        )
    return ObliviousPredictor(oblivious_trees(model), links[loss])


def _forest(estimator: Any, task: Task) -> Predictor:
    """The mean of the trees' probabilities or values; of two classes, the second one's."""
    trees = [tree.tree_ for tree in estimator.estimators_]
    return ForestPredictor(flatten_trees(trees, int(estimator.n_features_in_), _tree_outputs(estimator, task)))


def _tree(estimator: Any, task: Task) -> Predictor:
    """A forest of one."""
    outputs = _tree_outputs(estimator, task)
    return ForestPredictor(flatten_trees([estimator.tree_], int(estimator.n_features_in_), outputs))


def _tree_outputs(estimator: Any, task: Task) -> list[int]:
    if not task.is_classification:
        return [0]
    known = len(estimator.classes_)
    return [1] if known == 2 else list(range(known))


def _neighbours(estimator: Any, task: Task) -> Predictor:
    """The known rows with their answers; of two classes, the second one's."""
    answers = (
        estimator.answers[:, 1:] if task.is_classification and estimator.answers.shape[1] == 2 else estimator.answers
    )
    return NeighboursPredictor(estimator.known, answers, estimator.neighbours)


def _kernel(estimator: Any, task: Task) -> Predictor:
    """Centres and weights, as they are."""
    return KernelPredictor(
        estimator.centres,
        estimator.weights,
        estimator.intercepts,
        gamma=estimator.gamma,
        is_classes=task.is_classification,
    )


def _additive(estimator: Any, task: Task) -> Predictor:
    """The tables, as they are."""
    link = Link.IDENTITY
    if task.is_classification:
        link = Link.LOGISTIC if len(estimator.intercept) == 1 else Link.SOFTMAX
    parts = {field.name: getattr(estimator, field.name) for field in dataclasses.fields(AdditiveTables)}
    return AdditivePredictor(AdditiveTables(**parts), link)


def _gaussian(estimator: Any, task: Task) -> Predictor:
    """Means, variances and priors by class."""
    del task
    with np.errstate(divide="ignore"):
        return GaussianPredictor(estimator.theta_, estimator.var_, np.log(estimator.class_prior_))


def _stochastic(estimator: Any, task: Task) -> Predictor:
    """A network without hidden layers, since its features are kept within bounds too."""
    link = Link.IDENTITY
    if task.is_classification:
        link = Link.LOGISTIC if len(estimator.offsets) == 1 else Link.AGAINST_REST
    return NetworkPredictor([estimator.weights], [estimator.offsets], bound=estimator.bound, link=link)


def _network(estimator: Any, task: Task) -> Predictor:
    """The layers; a value's centre and scale go into the last one."""
    weights, offsets, squash = list(estimator.weights), list(estimator.offsets), estimator.squash
    shape = {
        "bound": estimator.bound,
        "activation": estimator.activation,
        "squash": None if squash is None else (squash.centers, squash.factors),
    }
    if not task.is_classification:
        weights[-1] = weights[-1] * estimator.scale
        offsets[-1] = offsets[-1] * estimator.scale + estimator.center
        return NetworkPredictor(weights, offsets, link=Link.IDENTITY, **shape)
    link = Link.LOGISTIC if weights[-1].shape[1] == 1 else Link.SOFTMAX
    return NetworkPredictor(weights, offsets, link=link, **shape)


_CATBOOST_CLASSES = {"Logloss": Link.LOGISTIC, "CrossEntropy": Link.LOGISTIC, "MultiClass": Link.SOFTMAX}
_CATBOOST_VALUES = dict.fromkeys(("RMSE", "MAE", "Quantile", "Huber", "Expectile"), Link.IDENTITY)


def _blend(estimator: Any, task: Task) -> Predictor:
    """Each member by its own compiler."""
    parts = [
        BlendPart(compile_estimator(member.estimator, task, member.name), member.start, member.stop, member.weight)
        for member in estimator.members
    ]
    return BlendPredictor(parts, estimator.calibration)


_COMPILERS: dict[str, Callable[[Any, Task], Predictor]] = {
    "BlendEstimator": _blend,
    "ConstantEstimator": _constant,
    "LogisticRegression": _logistic,
    "LinearModel": _values,
    "LGBMModel": _lightgbm,
    "XGBModel": _xgboost,
    "CatBoost": _catboost,
    "ForestClassifier": _forest,
    "ForestRegressor": _forest,
    "BaseDecisionTree": _tree,
    "NeighboursEstimator": _neighbours,
    "KernelEstimator": _kernel,
    "NetworkEstimator": _network,
    "AdditiveEstimator": _additive,
    "GaussianNB": _gaussian,
    "StochasticEstimator": _stochastic,
}
