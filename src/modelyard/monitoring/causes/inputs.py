"""How far the inputs moved: how well one column tells a row of now from a row of training, and how usual each row is."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.monitoring.causes.case import Moved

__all__ = ["domain_auc", "effective_rows", "usualness"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MOST_COLUMNS = 3
_FARTHEST = 10.0
_CROWDED = 0.5


def domain_auc(before: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """The area under the ROC curve of the best guess, from one column's bin alone, whether a row is of now.

    The bins are taken in the order of the ratio of their shares, which is the best order there is (Neyman and Pearson
    1933). From counts alone, so no row of training is needed; 0.5 says nothing, 1 tells all.

    >>> domain_auc([500, 500], [500, 500]), round(domain_auc([900, 100], [100, 900]), 2)
    (0.5, 0.9)
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(now, dtype=np.float64)
    if first.sum() == 0 or second.sum() == 0:
        return 0.5
    p, q = first / first.sum(), second / second.sum()
    order = np.argsort((q + 1e-9) / (p + 1e-9), kind="stable")
    p, q = p[order], q[order]
    return float((q * (np.cumsum(p) - p / 2)).sum())


def usualness(moved: Sequence[Moved], bins: Mapping[str, Ints], rows: int) -> Floats:
    """For each row, how many times as common it was in training as it is now, by the three columns that moved most.

    Weighted so, rows of now look like those of training (Shimodaira 2000). At most 10; rows that were less than a tenth
    as common in training are unlike it, and weigh nothing. Neither do rows of a number's outermost bin that were less than half as
    common: how far out they lie is not known, and more of them mostly means farther.
    """
    weight = np.ones(rows)
    known = [one for one in moved if one.reference.name in bins and not one.is_score]
    for one in sorted(known, key=lambda one: -one.result.psi)[:_MOST_COLUMNS]:
        before = np.asarray(one.reference.counts, dtype=np.float64) + 0.5
        now = np.bincount(bins[one.reference.name], minlength=len(before)) + 0.5
        ratio = (before / before.sum()) / (now / now.sum())
        if not one.reference.is_counted_by_category:
            outermost = [0, len(one.reference.edges)]
            ratio[outermost] = np.where(ratio[outermost] < _CROWDED, 0.0, ratio[outermost])
        weight *= ratio[bins[one.reference.name]]
    return np.where(weight < 1 / _FARTHEST, 0.0, np.minimum(weight, _FARTHEST))


def effective_rows(weight: Floats) -> float:
    """How many equal rows weigh as much (Kish 1965)."""
    return float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
