"""The models that judge columns: one for families that add features up, one for families of trees."""

import dataclasses
import functools
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["BoostedJudge", "Judge", "Judgement", "LinearJudge"]

Matrix = npt.NDArray[np.float64]

_LEAST_CHANCE = 1e-6


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What a fitted model says.

    Parameters
    ----------
    uses
        One mark for each feature: True if the model makes use of it.
    loss
        The mean loss of the model's answers: log loss, or squared error.
    """

    uses: npt.NDArray[np.bool_]
    loss: Callable[[Matrix, Matrix], float]


class Judge(Protocol):
    """A model that can be asked which features it uses, and how much it misses them."""

    def fit(self, matrix: Matrix, target: Matrix) -> Judgement:
        """Learn from rows, in one thread; equal rows give an equal judgement."""


@dataclasses.dataclass(frozen=True)
class LinearJudge:
    """Ridge or logistic regression with a penalty that many features for few rows need.

    Parameters
    ----------
    classes
        0 if the target is a number.
    """

    classes: int

    def fit(self, matrix: Matrix, target: Matrix) -> Judgement:
        """Every feature with a weight is used."""
        from sklearn.linear_model import LogisticRegression, Ridge

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a judge that has nearly converged still tells columns apart
            if self.classes:
                model = LogisticRegression(C=0.1, max_iter=300).fit(matrix, target)
            else:
                model = Ridge(alpha=10.0).fit(matrix, target)
        uses: npt.NDArray[np.bool_] = np.any(np.atleast_2d(model.coef_), axis=0)
        return Judgement(uses, _loss_of(model, self.classes))


@dataclasses.dataclass(frozen=True)
class BoostedJudge:
    """A hundred small boosted trees.

    Parameters
    ----------
    classes
        0 if the target is a number.
    """

    classes: int

    def fit(self, matrix: Matrix, target: Matrix) -> Judgement:
        """A feature is used if a tree splits by it."""
        from lightgbm import LGBMClassifier, LGBMRegressor

        model = (LGBMClassifier if self.classes else LGBMRegressor)(
            n_estimators=100,
            learning_rate=0.05,
            num_leaves=8,
            min_child_samples=max(5, min(20, len(target) // 20)),
            colsample_bytree=0.5,
            reg_lambda=1.0,
            random_state=0,
            deterministic=True,
            force_col_wise=True,
            n_jobs=1,
            verbosity=-1,
        ).fit(matrix, target)
        return Judgement(model.feature_importances_ > 0, _loss_of(model, self.classes))


def _loss_of(model: Any, classes: int) -> Callable[[Matrix, Matrix], float]:
    return functools.partial(_log_loss if classes else _squared_error, model)


def _squared_error(model: Any, matrix: Matrix, target: Matrix) -> float:
    return float(np.mean((np.asarray(_quietly(model.predict, matrix)) - target) ** 2))


def _log_loss(model: Any, matrix: Matrix, target: Matrix) -> float:
    """Mean of -log P(the class that was); a class that the model never saw had the least chance."""
    chances = np.asarray(_quietly(model.predict_proba, matrix))
    places = np.searchsorted(model.classes_, target)
    known = np.isin(target, model.classes_)
    given = np.where(known, chances[np.arange(len(target)), np.where(known, places, 0)], 0.0)
    return float(-np.log(np.maximum(given, _LEAST_CHANCE)).mean())


def _quietly(predict: Callable[[Matrix], Any], matrix: Matrix) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn misses names of features that the judge never had
        return predict(matrix)
