"""Expected directions, held against what the model does when one column is varied and all others stay.

Each held-out row is predicted at several values of the column (individual conditional expectation: Goldstein et al.,
2015); their mean is the partial dependence (Friedman, 2001). A bootstrap over the rows says what of it may be chance.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.intervals import bootstrap
from modelyard.evaluation.reasons.records import Expectation
from modelyard.evaluation.systems import JudgedRows
from modelyard.problem import Task
from modelyard.training.model import FittedModel

__all__ = ["check_expectations"]

Array = npt.NDArray[np.float64]
_ROWS, _STEPS = 300, 11
_HARDLY = 0.05
"""Movement below this share of the predictions' standard deviation is none."""

_AGAINST = 0.2
"""A stretch goes against the expectation if it takes back this share of the whole range, beyond chance."""

_REPEATS = 400
_UNORDERED = (ColumnKind.CATEGORY, ColumnKind.TEXT, ColumnKind.IDENTIFIER)


def check_expectations(
    expected: Mapping[str, str], model: FittedModel, rows: JudgedRows, training: pl.DataFrame, *, seed: int
) -> tuple[Expectation, ...]:
    """A verdict for each expected direction.

    Parameters
    ----------
    expected
        Column to ``increasing`` or ``decreasing``: how the prediction is to move with it.
    rows
        Held-out rows; at most 300 are varied.
    training
        The rows whose 5th to 95th percentile is the way that the column is moved along.
    """
    columns = {column.name: column for column in model.encoder.columns_}
    found = []
    for name, direction in expected.items():
        reason = _unclear(model, columns.get(name))
        if reason:
            found.append(Expectation(name, direction, "unclear", None, None, None, None, 0, reason))
            continue
        found.append(_check(name, direction, model, rows, training[name], derive_seed(seed, name)))
    return tuple(found)


def _unclear(model: FittedModel, column: Column | None) -> str:
    """Why a direction cannot be checked; empty if it can."""
    if column is None:
        return "the model does not read this column"
    if model.task is Task.MULTICLASS:
        return "with several classes there is no single prediction that could move"
    return "its values have no order" if column.kind in _UNORDERED else ""


def _check(
    name: str, direction: str, model: FittedModel, rows: JudgedRows, training: pl.Series, seed: int
) -> Expectation:
    way = _way(training)
    kept = np.sort(np.random.default_rng(seed).permutation(rows.frame.height)[:_ROWS])
    if len(way) < 2:
        note = "it hardly has two values in training"
        return Expectation(name, direction, "unclear", None, None, None, None, len(kept), note)
    curves = _curves(model, rows.frame[kept], name, way)
    sign = 1.0 if direction == "increasing" else -1.0
    start, end = _stretch_against(sign * curves.mean(axis=0))

    def statistic(weights: Array) -> Array:
        mean = weights @ curves / weights.sum(axis=1, keepdims=True)
        return np.column_stack([mean[:, -1] - mean[:, 0], sign * (mean[:, start] - mean[:, end])])

    units = None if rows.units is None else rows.units[kept]
    samples = bootstrap(statistic, len(kept), seed=seed, groups=units, repeats=_REPEATS)
    change, low, high = samples.interval(0, 0.95)
    lost, surely_lost, _ = samples.interval(1, 0.95)
    curve = curves.mean(axis=0)
    moved = float(np.ptp(curve))
    steps = sign * np.diff(curve)
    against = float(-steps[steps < 0].sum() / max(np.abs(steps).sum(), 1e-300))
    verdict, note = "unclear", ""
    if moved <= _HARDLY * float(np.std(model.predict(rows.frame))):
        note = "the prediction hardly moves with it"
    elif sign * high < 0 and sign * low < 0:
        verdict = "broken"
    elif lost > _AGAINST * moved and surely_lost > 0:
        verdict, note = "broken", f"from {_said(way[start])} to {_said(way[end])} it goes the other way"
    elif sign * high > 0 and sign * low > 0:
        verdict = "kept"
    else:
        note = "what it moves is within noise"
    return Expectation(name, direction, verdict, change, *_known(low, high), against, len(kept), note)


def _known(low: float, high: float) -> tuple[float | None, float | None]:
    return (low, high) if np.isfinite(low) and np.isfinite(high) else (None, None)


def _way(training: pl.Series) -> pl.Series:
    """Up to eleven values of the column from its 5th to its 95th percentile, ascending, in its own type."""
    known = training.fill_nan(None) if training.dtype.is_float() else training
    ordered = known.drop_nulls().sort()
    if ordered.n_unique() <= _STEPS:
        return ordered.unique(maintain_order=True)
    places = np.linspace(0.05, 0.95, _STEPS) * (len(ordered) - 1)
    return ordered[places.round().astype(np.intp)].unique(maintain_order=True)


def _curves(model: FittedModel, frame: pl.DataFrame, name: str, way: pl.Series) -> Array:
    """The prediction of each row at each value, shape (rows, values)."""
    varied = pl.concat([frame.with_columns(pl.lit(value, dtype=way.dtype).alias(name)) for value in way])
    return model.predict(varied).reshape(len(way), frame.height).T


def _stretch_against(curve: Array) -> tuple[int, int]:
    """Where a curve that should rise falls furthest: the places of the top and of the bottom behind it."""
    tops = np.maximum.accumulate(curve)
    end = int(np.argmax(tops - curve))
    return int(np.argmax(curve[: end + 1])), end


def _said(value: object) -> str:
    return f"{value:,g}" if isinstance(value, int | float) else str(value)
