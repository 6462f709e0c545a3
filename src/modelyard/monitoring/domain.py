"""A domain classifier: whether rows of now can be told from rows of before, by all columns together.

What no single column shows, such as two that stop going together, shows here. The area under its curve on rows that it had
not learnt from is 0.5 when nothing changed, however many columns there are (Lopez-Paz and Oquab 2017, "Revisiting classifier
two-sample tests"; Rabanser, Günnemann and Lipton 2019, "Failing loudly").
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from modelyard.core import Record

__all__ = ["DomainTest", "domain_test"]

Floats = npt.NDArray[np.float64]

_MOST_ROWS = 5_000
_FEWEST_ROWS = 200
_MOST_PRODUCTS = 12
_FOLDS = 3
_CONFIDENCE = 0.95
_STEPS = 8


@dataclasses.dataclass(frozen=True)
class DomainTest(Record):
    """How well rows of one window are told from rows before it.

    Parameters
    ----------
    window
        Whose rows; those of the earlier windows in the log are the others.
    rows, rows_before
        Rows of each side that were used, at most 5,000 drawn at random.
    auc, low, high
        Area under the curve, cross-fitted, and its 95 % interval (DeLong); 0.5 is "cannot be told".
    columns
        The columns that tell most, at most three, by the weight of their own terms.
    """

    window: str
    rows: int
    rows_before: int
    auc: float
    low: float
    high: float
    columns: tuple[str, ...]

    @property
    def tells(self) -> bool:
        """True if the rows can be told apart beyond doubt, and better than 0.55."""
        return self.auc > 0.55 and self.low > 0.5


def domain_test(window: str, before: Floats, now: Floats, names: tuple[str, ...], seed: int) -> DomainTest | None:
    """Try to tell the rows of a window from earlier ones; None with fewer than 200 rows on a side.

    Parameters
    ----------
    before, now
        Columns as numbers, shape (rows, columns); missing cells are NaN.
    names
        Of the columns; those of one feature share its name.

    Notes
    -----
    Logistic regression with a ridge on each column, whether it is missing, its square, and the products of the first twelve;
    fitted on two thirds of the rows and tried on the third, three times.
    """
    from modelyard.evaluation.analytic import delong_interval

    generator = np.random.default_rng(seed)
    sides = [_drawn(side, generator) for side in (before, now)]
    if min(len(side) for side in sides) < _FEWEST_ROWS or before.shape[1] == 0:
        return None
    truth = np.repeat([0.0, 1.0], [len(side) for side in sides])
    terms = _terms(np.concatenate(sides))
    fold = generator.permutation(len(truth)) % _FOLDS
    score = np.empty(len(truth))
    weights = np.zeros(terms.shape[1])
    for number in range(_FOLDS):
        fitted = _fit(terms[fold != number], truth[fold != number])
        score[fold == number] = _ranks(terms[fold == number] @ fitted)
        weights += np.abs(fitted)
    auc, low, high = delong_interval(truth, score, _CONFIDENCE)
    low, high = (low, high) if np.isfinite(low) else (auc, auc)
    heavy = _heaviest(weights, names)
    return DomainTest(window, len(sides[1]), len(sides[0]), float(auc), float(low), float(high), heavy)


def _drawn(side: Floats, generator: np.random.Generator) -> Floats:
    """At most 5,000 rows."""
    return side if len(side) <= _MOST_ROWS else side[generator.choice(len(side), _MOST_ROWS, replace=False)]


def _terms(matrix: Floats) -> Floats:
    """Standardised columns, whether they are missing, squares and products; the first term is one."""
    known = np.isfinite(matrix)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, matrix, 0.0).sum(axis=0) / count
    centred = np.where(known, matrix - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    plain = np.clip(centred / np.where(spread > 0, spread, 1.0), -4.0, 4.0)
    first, second = np.triu_indices(min(plain.shape[1], _MOST_PRODUCTS), k=1)
    products = plain[:, first] * plain[:, second]
    rest = np.concatenate([(~known).astype(np.float64), plain**2 - 1, products], axis=1)
    return np.concatenate([np.ones((len(plain), 1)), plain, rest[:, rest.std(axis=0) > 0]], axis=1)


def _fit(terms: Floats, truth: Floats) -> Floats:
    """Logistic regression by reweighted least squares; the ridge grows with the number of terms."""
    ridge = np.full(terms.shape[1], float(terms.shape[1]))
    ridge[0] = 1e-6
    weights = np.zeros(terms.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(terms @ weights, -30.0, 30.0)))
        curvature = np.maximum(chance * (1 - chance), 1e-6)
        gradient = terms.T @ (truth - chance) - ridge * weights
        step = np.linalg.solve((terms * curvature[:, None]).T @ terms + np.diag(ridge), gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _ranks(score: Floats) -> Floats:
    """Ranks from 0 to 1 within a fold: scores of different fits are not one scale."""
    order = np.empty(len(score))
    order[np.argsort(score, kind="stable")] = np.arange(len(score))
    return order / max(len(score) - 1, 1)


def _heaviest(weights: Floats, names: tuple[str, ...]) -> tuple[str, ...]:
    """Features whose own terms weigh most."""
    own: dict[str, float] = {}
    for name, weight in zip(names, weights[1:], strict=False):
        own[name] = max(own.get(name, 0.0), float(weight))
    return tuple(sorted(own, key=lambda name: -own[name])[:3])
