"""How much a column says about the target, measured on rows held out.

A number is cut into at most 50 quantile bins, a category into its levels, and a gap is a bin of its own. A held-out
row is predicted by the mean target of its bin in the other folds, drawn towards the overall mean by five
pseudo-rows (the m-estimate of Cestnik, ECAI 1990). That finds any shape of relation, needs no model, and cannot
reward a column that merely names rows. The score is ROC AUC for classes and R² for numbers.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data import ColumnKind
from modelyard.problem import Task

__all__ = [
    "Binned",
    "bin_values",
    "chance_score",
    "cross_fitted",
    "joint_predictions",
    "joint_score",
    "score_name",
    "score_of",
    "some_rows",
    "strength",
]

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

MAX_BINS = 50
PSEUDO_ROWS = 5.0
_JOINT_ROWS = 20_000
_JOINT_TREES = 60


@dataclasses.dataclass(frozen=True)
class Binned:
    """A column as bin numbers from 0 to ``size - 1``; missing values have the last bin."""

    codes: Codes
    size: int


def bin_values(values: pl.Series, kind: ColumnKind) -> Binned:
    """Cut a column into bins, by its kind."""
    if kind in (ColumnKind.NUMERIC, ColumnKind.DATE) and (values.dtype.is_numeric() or values.dtype.is_temporal()):
        return _bin_numbers(values.to_physical().cast(pl.Float64).to_numpy())
    ranks = values.cast(pl.String).rank("dense").cast(pl.Int64)
    levels = int(ranks.max() or 0)  # type: ignore[arg-type]  # an integer or None
    return Binned((ranks.fill_null(levels + 1) - 1).to_numpy(), levels + 1)


def _bin_numbers(values: Matrix) -> Binned:
    """Quantile bins, or one bin per value where there are few."""
    gaps = np.isnan(values)
    present = np.unique(values[~gaps])
    if len(present) <= MAX_BINS:
        inner = present[1:]
    else:
        inner = np.unique(np.quantile(values[~gaps], np.linspace(0, 1, MAX_BINS + 1)[1:-1], method="nearest"))
    codes = np.where(gaps, len(inner) + 1, np.searchsorted(inner, values, side="right"))
    return Binned(codes.astype(np.int64), len(inner) + 2)


def cross_fitted(binned: Binned, target: Matrix, folds: Codes) -> Matrix:
    """Predictions of held-out rows by the means of their bins in the other folds.

    Parameters
    ----------
    binned
        The column.
    target
        Shape (rows, outputs): one column of values or of 0 and 1 per class.
    folds
        Fold of each row, from 0.

    Returns
    -------
    numpy.ndarray
        Shape of ``target``.
    """
    parts = int(folds.max()) + 1
    cells = binned.codes * parts + folds
    shape = (binned.size, parts)
    counts = np.bincount(cells, minlength=binned.size * parts).reshape(shape)
    others = counts.sum(axis=1, keepdims=True) - counts
    prediction = np.empty_like(target)
    for output in range(target.shape[1]):
        sums = np.bincount(cells, weights=target[:, output], minlength=binned.size * parts).reshape(shape)
        rest = sums.sum(axis=1, keepdims=True) - sums
        overall = rest.sum(axis=0) / np.maximum(others.sum(axis=0), 1)
        means = (rest + PSEUDO_ROWS * overall) / (others + PSEUDO_ROWS)
        prediction[:, output] = means[binned.codes, folds]
    return prediction


def score_of(target: Matrix, prediction: Matrix, task: Task) -> float:
    """ROC AUC (mean over classes, one against the rest) or R²; never below chance, which is 0.5 or 0."""
    if task is Task.REGRESSION:
        spread = float(np.sum((target - target.mean()) ** 2))
        error = float(np.sum((target - prediction) ** 2))
        return max(1.0 - error / spread, 0.0) if spread > 0 else 0.0
    areas = [_area(target[:, output], prediction[:, output]) for output in range(target.shape[1])]
    known = [area for area in areas if area is not None]
    return max(sum(known) / len(known), 0.5) if known else 0.5


def _area(truth: Matrix, prediction: Matrix) -> float | None:
    """Area under the ROC curve by the ranks of the positives; None if only one class is there."""
    positives = float(truth.sum())
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return None
    _, place, counts = np.unique(prediction, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[place][truth == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def joint_score(columns: list[Binned], target: Matrix, folds: Codes, task: Task, *, seed: int) -> float:
    """How well several columns together predict held-out rows, by gradient-boosted trees on their bins.

    At most 20,000 rows are used; a small model suffices to compare a column with all the others. One thread, so that audits in parallel do not get in one another's way.
    Imports LightGBM.
    """
    rows = some_rows(len(folds), _JOINT_ROWS, seed)
    prediction = joint_predictions(columns, target, folds, task, rows=rows, seed=seed)
    return chance_score(task) if prediction is None else score_of(target[rows], prediction, task)


def joint_predictions(
    columns: list[Binned], target: Matrix, folds: Codes, task: Task, *, rows: Codes, seed: int
) -> Matrix | None:
    """Predictions of the given rows, each by trees that learnt from the other folds; None if nothing can be learnt.

    Imports LightGBM.
    """
    if not columns:
        return None
    from lightgbm import LGBMClassifier, LGBMRegressor

    matrix = np.column_stack([column.codes[rows] for column in columns]).astype(np.float64)
    truth, fold = target[rows], folds[rows]
    classes = truth.shape[1] if truth.shape[1] > 1 else 2
    trees = max(10, _JOINT_TREES * 2 // classes)
    answer = truth.argmax(axis=1) if truth.shape[1] > 1 else truth[:, 0]
    prediction = np.full(truth.shape, np.nan)
    kind = LGBMRegressor if task is Task.REGRESSION else LGBMClassifier
    for part in np.unique(fold):
        held, learnt = fold == part, fold != part
        if len(np.unique(answer[learnt])) < 2:
            return None
        model = kind(n_estimators=trees, num_leaves=15, random_state=seed, n_jobs=1, verbosity=-1)
        model.fit(matrix[learnt], answer[learnt])
        prediction[held] = _outputs(model, matrix[held], task, truth.shape[1])
    return prediction


def _outputs(estimator: Any, matrix: Matrix, task: Task, outputs: int) -> Matrix:
    """Predictions of a scikit-learn model, one column per output; absent classes have probability 0."""
    if task is Task.REGRESSION:
        return np.asarray(estimator.predict(matrix), dtype=np.float64)[:, np.newaxis]
    probabilities = np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    if outputs == 1:
        return probabilities[:, 1:]
    full = np.zeros((len(matrix), outputs))
    full[:, estimator.classes_.astype(int)] = probabilities
    return full


def some_rows(rows: int, most: int, seed: int) -> Codes:
    """All rows, or a random choice of ``most`` of them, in order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def chance_score(task: Task) -> float:
    """The score of knowing nothing: 0 for R², 0.5 for ROC AUC."""
    return 0.0 if task is Task.REGRESSION else 0.5


def strength(score: float, task: Task) -> float:
    """A score as a share of the way from chance to perfect, 0 to 1: R² itself, or 2·AUC − 1."""
    return score if task is Task.REGRESSION else 2 * score - 1


def score_name(task: Task) -> str:
    """What the score is called in a sentence."""
    return "R²" if task is Task.REGRESSION else "ROC AUC"
