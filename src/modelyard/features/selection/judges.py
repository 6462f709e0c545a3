"""The models that judge columns: one for families that add features up, one for families of trees."""

import dataclasses
import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["BoostedJudge", "Judge", "Judgement", "LinearJudge"]

Matrix = npt.NDArray[np.float64]

_LEAST_CHANCE = 1e-6
_MOST_STEPS, _FEWEST_STEPS = 300, 15
_MOST_WORK = 1e9
"""Products of a row, a feature and a class that one judgement may add up: about a second of one core."""


Question = Callable[[slice, Matrix], float]
"""The mean loss on rows in which the features of a slice have other values, one row for one."""


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What a fitted model says.

    Parameters
    ----------
    uses
        One mark for each feature: True if the model makes use of it.
    ask
        Takes rows and their target, and gives a question about them; the loss is log loss, or squared error.
    """

    uses: npt.NDArray[np.bool_]
    ask: Callable[[Matrix, Matrix], Question]

    def loss(self, matrix: Matrix, target: Matrix) -> float:
        """The mean loss on rows as they are."""
        return self.ask(matrix, target)(slice(0, 0), matrix[:, :0])


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
                model = LogisticRegression(C=0.1, max_iter=self._steps(matrix)).fit(matrix, target)
            else:
                model = Ridge(alpha=10.0).fit(matrix, target)
        uses: npt.NDArray[np.bool_] = np.any(np.atleast_2d(model.coef_), axis=0)
        return Judgement(uses, functools.partial(_ask_sums, model, self.classes))

    def _steps(self, matrix: Matrix) -> int:
        """How often the weights are mended: less often where one step is dear, so that many classes do not take minutes."""
        one = matrix.size * (1 if self.classes == 2 else self.classes)
        return int(min(_MOST_STEPS, max(_FEWEST_STEPS, _MOST_WORK // one)))


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
        return Judgement(model.feature_importances_ > 0, functools.partial(_ask_anew, model, self.classes))


def _ask_sums(model: Any, classes: int, matrix: Matrix, target: Matrix) -> Question:
    """Of a model that adds features up: only what the slice adds is added up again."""
    weights = np.atleast_2d(model.coef_).T
    sums = matrix @ weights + model.intercept_
    if classes and np.isin(target, model.classes_).all() and len(model.classes_) == 2:
        return _ask_sums_of_two(sums[:, 0], weights[:, 0], matrix, target == model.classes_[1])

    def loss(here: slice, values: Matrix) -> float:
        moved = sums + (values - matrix[:, here]) @ weights[here]
        return _log_loss(model.classes_, _chances(moved), target) if classes else _squared_error(moved[:, 0], target)

    return loss


def _ask_sums_of_two(sums: Matrix, weights: Matrix, matrix: Matrix, truth: npt.NDArray[np.bool_]) -> Question:
    """Of two classes the log loss is a function of the sum alone; tables of a thousand columns ask thousands of times."""
    signs, most = np.where(truth, -1.0, 1.0), -math.log(_LEAST_CHANCE)

    def loss(here: slice, values: Matrix) -> float:
        moved = sums + (values - matrix[:, here]) @ weights[here]
        return float(np.minimum(np.logaddexp(0.0, signs * moved), most).mean())

    return loss


def _ask_anew(model: Any, classes: int, matrix: Matrix, target: Matrix) -> Question:
    """Of any model: all is predicted again."""
    rows = matrix.copy()

    def loss(here: slice, values: Matrix) -> float:
        rows[:, here] = values
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn misses names of features that the judge never had
            answers = np.asarray(model.predict_proba(rows) if classes else model.predict(rows))
        rows[:, here] = matrix[:, here]
        return _log_loss(model.classes_, answers, target) if classes else _squared_error(answers, target)

    return loss


def _chances(sums: Matrix) -> Matrix:
    """Probabilities of all classes, as logistic regression gives them; of two classes the second one's sums are given."""
    both = np.hstack([np.zeros_like(sums), sums]) if sums.shape[1] == 1 else sums
    shares = np.exp(both - both.max(axis=1, keepdims=True))
    chances: Matrix = shares / shares.sum(axis=1, keepdims=True)
    return chances


def _squared_error(answers: Matrix, target: Matrix) -> float:
    return float(np.mean((answers - target) ** 2))


def _log_loss(known: Matrix, chances: Matrix, target: Matrix) -> float:
    """Mean of -log P(the class that was); a class that the model never saw had the least chance."""
    places = np.minimum(np.searchsorted(known, target), len(known) - 1)
    given = np.where(known[places] == target, chances[np.arange(len(target)), places], 0.0)
    return float(-np.log(np.maximum(given, _LEAST_CHANCE)).mean())
