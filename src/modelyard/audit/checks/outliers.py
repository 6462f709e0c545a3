"""Values far from the others, on a scale that forgives skew."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind

__all__ = ["outliers", "robust_distance"]

_FAR = 7.0
_MOST_SHARE = 0.01
_MIN_DISTINCT = 20


def outliers(context: AuditContext) -> Iterator[Finding]:
    """Numeric features and targets with values whose robust distance is above 7, if at most 1 % of the rows have one."""
    numeric = [column.name for column in context.features_of(ColumnKind.NUMERIC)]
    if not context.task.is_classification:
        numeric.append(context.roles.target)
    for name in numeric:
        values = context.frame[name].cast(pl.Float64, strict=False).drop_nulls().to_numpy()
        values = values[np.isfinite(values)]
        if len(np.unique(values)) < _MIN_DISTINCT:
            continue
        distance = robust_distance(values)
        far = distance > _FAR
        if not far.any() or far.mean() > _MOST_SHARE:
            continue
        extreme = float(values[distance.argmax()])
        yield Finding(
            id="outliers",
            severity=Severity.INFO,
            subject=name,
            message=f"{int(far.sum()):,} values ({far.mean():.2%}) lie far from the others, the farthest at {extreme:.6g}.",
            why="A slip of the pen bends linear models and averages; a rare real case is worth keeping.",
            action="Look at these rows: correct errors at the source, keep real cases.",
            evidence={"rows": int(far.sum()), "extreme": extreme, "distance": float(distance.max())},
            row="D7",
        )


def robust_distance(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance from the median in robust standard deviations of its own side, after an ``asinh`` that tames tails.

    Each side has its own median absolute deviation (the double MAD of Rosenmai, 2013), so a skewed column is not all
    outliers; the ``asinh`` of the distance in quartile ranges grows like a logarithm, so a long tail is not either.
    Zero everywhere if half of the values are equal.
    """
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], method="nearest")
    with np.errstate(over="ignore"):
        spread = high - low
    if not np.isfinite(spread) or spread <= 0:
        return np.zeros(len(values))
    bent = np.arcsinh((values - middle) / spread)
    below, above = np.abs(bent[bent <= 0]), bent[bent >= 0]
    scales = [1.4826 * float(np.median(side)) for side in (below, above)]
    if min(scales) <= 0:
        return np.zeros(len(values))
    distance: npt.NDArray[np.float64] = np.where(bent < 0, -bent / scales[0], bent / scales[1])
    return distance
