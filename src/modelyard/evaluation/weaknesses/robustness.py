"""What small disturbances of the input do to predictions: noise, a missing field, an unseen category, an extreme value.

No truth is needed: a prediction is compared with the one of the same row as it was.
"""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, derive_seed
from modelyard.data.schema import ColumnKind, category_text
from modelyard.evaluation.records import Disturbance, Robustness
from modelyard.problem import Task
from modelyard.training.metrics import decide_labels
from modelyard.training.model import FittedModel

__all__ = ["disturb"]

Array = npt.NDArray[np.float64]

_MOST_ROWS = 300
_NOISE = 0.1
_MOVED = 0.5
_TABLES_AT_ONCE = 20
_UNSEEN = "a value never seen"


@dataclasses.dataclass(frozen=True)
class _Before:
    """Predictions and decisions of the rows as they were; ``spread`` is that of the predictions."""

    prediction: Array
    decided: Array
    threshold: float
    spread: float


class _Try(NamedTuple):
    """One disturbance: its kind, its column, and the columns that change."""

    kind: str
    column: str
    changes: list[pl.Series]


def disturb(
    model: FittedModel, frame: pl.DataFrame, training: pl.DataFrame, *, threshold: float, seed: int
) -> Robustness:
    """Disturb one column at a time, and all numbers together by noise, and count what turns.

    Noise is normal, with a tenth of the column's standard deviation, rounded for whole numbers. Extremes lie one range
    of the training rows beyond its ends; of the two the worse is told.

    Parameters
    ----------
    frame
        Rows to disturb; beyond 300 a random 300 of them.
    training
        The rows that say what is usual in a column.
    """
    kept = np.sort(np.random.default_rng(seed).choice(frame.height, min(_MOST_ROWS, frame.height), replace=False))
    part = _steady(model, frame[kept])
    prediction = model.predict(part)
    spread = float(np.std(prediction)) if model.task is Task.REGRESSION else 0.0
    decided = prediction if model.task is Task.REGRESSION else decide_labels(prediction, threshold)
    before = _Before(prediction, decided, threshold, spread)
    tried = list(_disturbances(model, part, training, seed))
    found: dict[tuple[str, str], Disturbance] = {}
    for (kind, column, _), after in zip(tried, _predictions(model, part, tried), strict=True):
        answer = _answered(model.task, before, after, kind, column)
        found[kind, column] = max(found.get((kind, column), answer), answer, key=_harm)
    return Robustness(part.height, tuple(found.values()))


def _steady(model: FittedModel, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in types that hold their disturbed values too, so that many tables can be predicted at once."""
    changes = []
    for column in model.encoder.columns_:
        values = frame[column.name]
        if column.kind is ColumnKind.NUMERIC:
            changes.append(values.cast(pl.Int64 if values.dtype.is_integer() else pl.Float64))
        elif column.kind is ColumnKind.CATEGORY:
            changes.append(category_text(values).alias(column.name))
    return frame.with_columns(changes)


def _disturbances(model: FittedModel, frame: pl.DataFrame, training: pl.DataFrame, seed: int) -> Iterator[_Try]:
    """What is tried; of several of one kind and column the worst counts. All numbers together have no column."""
    noise: list[pl.Series] = []
    for column in model.encoder.columns_:
        values = frame[column.name]
        if column.kind is ColumnKind.NUMERIC:
            usual = training[column.name].cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()
            if len(usual) and np.ptp(usual) > 0:
                noise.append(_noisy(values, float(usual.std()), derive_seed(seed, "noise", column.name)))
                yield _Try("noise", column.name, [noise[-1]])
                yield from (_Try("extreme", column.name, [_constant(values, end)]) for end in _ends(usual))
        elif column.kind is ColumnKind.CATEGORY:
            yield _Try("unseen", column.name, [_constant(values, _UNSEEN)])
        yield _Try("missing", column.name, [_constant(values, None)])
    if len(noise) > 1:
        yield _Try("noise", "", noise)


def _predictions(model: FittedModel, frame: pl.DataFrame, tried: list[_Try]) -> Iterator[Array | str]:
    """The predictions under each disturbance, or why the rows were refused."""
    for start in range(0, len(tried), _TABLES_AT_ONCE):
        tables = [frame.with_columns(item.changes) for item in tried[start : start + _TABLES_AT_ONCE]]
        try:
            yield from np.split(model.predict(pl.concat(tables)), len(tables))
        except DataError:
            yield from (_predicted(model, table) for table in tables)


def _predicted(model: FittedModel, table: pl.DataFrame) -> Array | str:
    try:
        return model.predict(table)
    except DataError as error:
        return f"refused: {error}"


def _noisy(values: pl.Series, spread: float, seed: int) -> pl.Series:
    moved = values.cast(pl.Float64) + np.random.default_rng(seed).normal(0, _NOISE * spread, len(values))
    return (moved.round() if values.dtype.is_integer() else moved).cast(values.dtype)


def _ends(usual: Array) -> tuple[float, float]:
    low, high = float(usual.min()), float(usual.max())
    return 2 * low - high, 2 * high - low


def _constant(values: pl.Series, value: float | str | None) -> pl.Series:
    return pl.Series(values.name, [value] * len(values)).cast(values.dtype)


def _answered(task: Task, before: _Before, after: Array | str, kind: str, column: str) -> Disturbance:
    """How many predictions turn. A refusal is an answer too."""
    if isinstance(after, str):
        return Disturbance(kind, column, None, None, note=after)
    return Disturbance(kind, column, _turned(task, before, after), _change(before, after))


def _harm(item: Disturbance) -> tuple[float, float]:
    return item.turned or 0.0, item.change or 0.0


def _turned(task: Task, before: _Before, after: Array) -> float:
    """Share of rows with another decision, or with a value moved by more than half the predictions' spread."""
    if task is Task.REGRESSION:
        turned = np.abs(after - before.prediction) > _MOVED * before.spread
    else:
        turned = decide_labels(after, before.threshold) != before.decided
    lost = ~np.isfinite(after if after.ndim == 1 else after.sum(axis=1))
    return float((turned | lost).mean())


def _change(before: _Before, after: Array) -> float | None:
    """Mean absolute change of a probability or a value; of several classes, the probability that moves."""
    moved = np.abs(after - before.prediction)
    mean = float((moved.sum(axis=1) / 2 if moved.ndim == 2 else moved).mean())
    return mean if np.isfinite(mean) else None
