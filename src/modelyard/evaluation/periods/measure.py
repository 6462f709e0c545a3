"""Periods of the judged rows, the primary metric in each, and a line through them."""

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.intervals import bootstrap, bootstrap_interval
from modelyard.evaluation.periods.records import Period, Stability
from modelyard.evaluation.segments import mostly_chance
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.problem import Problem, metric_spec
from modelyard.training.metrics import score_weighted

__all__ = ["measure_stability"]

Array = npt.NDArray[np.float64]
Members = npt.NDArray[np.intp]

_FEWEST_ROWS, _FEWEST_PERIODS, _MOST_PERIODS, _MOST_PARTS = 50, 3, 24, 8
_REPEATS = 400
_UNITS = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
_NAMES = {"day": "%Y-%m-%d", "week": "week of %Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def measure_stability(problem: Problem, rows: JudgedRows, *, confidence: float, seed: int) -> Stability | None:
    """The winner's primary metric by period; None without a time column, or with too few rows for three periods.

    A period is the shortest unit of the calendar of which there are at most 24 with 50 rows as a rule; where none fits,
    or time is a number, parts of equal size.

    Parameters
    ----------
    confidence
        Of each interval, on its own.
    """
    time = problem.data.time
    if time is None or time not in rows.frame.columns:
        return None
    unit, names = _periods(rows.frame[time])
    if len(names) < _FEWEST_PERIODS:
        return None
    spec = metric_spec(problem.primary_metric)
    periods = tuple(_measured(problem, rows, item, confidence, derive_seed(seed, item[0])) for item in names)
    members = [found for _, found in names]
    sizes = np.array([len(found) for found in members], dtype=np.float64)
    sign = 1.0 if spec.greater_is_better else -1.0

    def statistic(weights: Array) -> Array:
        scores = [
            score_weighted(
                spec.name,
                rows.truth[found],
                rows.predictions[WINNER][found],
                weights[:, found],
                threshold=rows.threshold,
            )
            for found in members
        ]
        return sign * _slopes(np.column_stack(scores), sizes)[:, np.newaxis]

    samples = bootstrap(
        statistic, len(rows.truth), seed=derive_seed(seed, "trend"), groups=rows.units, repeats=_REPEATS
    )
    trend, low, high = (_known(end) for end in samples.interval(0, confidence))
    p_value = _known(samples.p_value(0))
    return Stability(time, unit, rows.part, spec.name, periods, trend, low, high, p_value)


def _periods(time: pl.Series) -> tuple[str, list[tuple[str, Members]]]:
    """The unit, and each period with its name and rows, in order; missing moments are left out."""
    if isinstance(time.dtype, pl.Datetime | pl.Date):
        for unit, length in _UNITS.items():
            starts = time.dt.truncate(length)
            counts = starts.drop_nulls().value_counts()["count"].to_numpy()
            if _FEWEST_PERIODS <= len(counts) <= _MOST_PERIODS and np.median(counts) >= _FEWEST_ROWS:
                known = starts.drop_nulls().unique().sort()
                return unit, [(_name(start, unit), _places(starts == start)) for start in known]
    ranks = time.rank("dense").fill_null(0).to_numpy().astype(np.intp)
    rows = np.flatnonzero(ranks)
    parts = min(_MOST_PARTS, len(rows) // _FEWEST_ROWS)
    if parts < _FEWEST_PERIODS:
        return "part", []
    edges = np.quantile(ranks[rows], np.linspace(0, 1, parts + 1)[1:-1], method="nearest")
    place = np.searchsorted(edges, ranks[rows], side="left")
    kept = [(f"part {number + 1} of {parts}", rows[place == number]) for number in range(parts)]
    return "part", [(name, found) for name, found in kept if len(found)]


def _places(mask: pl.Series) -> Members:
    return np.flatnonzero(mask.fill_null(value=False).to_numpy())


def _name(start: object, unit: str) -> str:
    if unit == "quarter":
        return f"{start:%Y} Q{(start.month + 2) // 3}"  # type: ignore[attr-defined]  # a date or a moment
    return format(start, _NAMES[unit])


def _measured(problem: Problem, rows: JudgedRows, item: tuple[str, Members], confidence: float, seed: int) -> Period:
    name, found = item
    truth = rows.truth[found]
    value, low, high = bootstrap_interval(
        problem.primary_metric,
        truth,
        rows.predictions[WINNER][found],
        confidence=confidence,
        seed=seed,
        groups=None if rows.units is None else rows.units[found],
        repeats=_REPEATS,
        threshold=rows.threshold,
    )
    note = mostly_chance(problem.primary_metric, problem.task, truth)
    return Period(name, len(found), _known(value), _known(low), _known(high), note)


def _slopes(scores: Array, sizes: Array) -> Array:
    """Slope of the line through each row of scores, periods weighing by their rows; undefined ones are left out."""
    known = np.isfinite(scores)
    weights = np.where(known, sizes, 0.0)
    scores = np.where(known, scores, 0.0)
    place = np.arange(scores.shape[1], dtype=np.float64)
    whole = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = place - (weights * place).sum(axis=1, keepdims=True) / whole
        slopes = (weights * centred * scores).sum(axis=1) / (weights * centred**2).sum(axis=1)
    return np.where(known.sum(axis=1) >= _FEWEST_PERIODS, slopes, math.nan)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
