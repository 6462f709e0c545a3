"""How old each row is, and what that makes of it: kept or not, and its weight."""

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError
from modelyard.retraining.windows.records import WindowKind, WindowPolicy

__all__ = ["ages", "kept", "weights"]

Array = npt.NDArray[np.float64]


def ages(moments: pl.Series, policy: WindowPolicy) -> Array:
    """How far each row lies behind the last one, in the unit of the policy: seconds, or later rows.

    Rows of one moment are of one age; a row without a moment is the oldest.

    Raises
    ------
    ConfigError
        If the window is a span of time and the column holds no dates.

    Examples
    --------
    >>> ages(pl.Series([3, 9, 9, 5]), WindowPolicy(WindowKind.SLIDING, rows=2)).tolist()
    [3.0, 0.0, 0.0, 2.0]
    """
    if policy.span_s is None:
        rank = moments.rank("max").fill_null(0).to_numpy()
        return np.asarray(len(moments) - rank, dtype=np.float64)
    if not moments.dtype.is_temporal():
        raise ConfigError(
            "a window of time needs a time column with dates",
            where="retraining.window",
            got=f"column {moments.name!r} of type {moments.dtype}",
            cure="Write a number of rows, such as {sliding: 5000}",
        )
    at = moments.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    behind = (np.nanmax(at) - at) / 1e6
    return np.asarray(np.where(np.isnan(at), np.nanmax(behind), behind), dtype=np.float64)


def kept(age: Array, policy: WindowPolicy) -> npt.NDArray[np.bool_]:
    """Which rows train: all, or those younger than a sliding window is long."""
    if policy.kind is not WindowKind.SLIDING:
        return np.ones(len(age), dtype=np.bool_)
    return age < policy.length


def weights(age: Array, policy: WindowPolicy) -> Array | None:
    """How much each row counts; None if all count alike.

    A row loses half of its weight in each half-life (exponential forgetting).

    >>> weights(np.array([0.0, 10.0, 20.0]), WindowPolicy(WindowKind.WEIGHTED, rows=10)).tolist()
    [1.0, 0.5, 0.25]
    """
    if policy.kind is not WindowKind.WEIGHTED:
        return None
    return np.asarray(0.5 ** (age / policy.length), dtype=np.float64)
