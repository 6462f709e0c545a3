"""What small disturbances of the input do to predictions: noise, a missing field, an unseen category, an extreme value.

No truth is needed: a prediction is compared with the one of the same row as it was.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import DataError, derive_seed
from modelyard.data.schema import ColumnKind
from modelyard.evaluation.records import Disturbance, Robustness
from modelyard.problem import Task
from modelyard.training.metrics import decide_labels
from modelyard.training.model import FittedModel

__all__ = ["disturb"]

Array = npt.NDArray[np.float64]

_MOST_ROWS = 300
_NOISE = 0.1
_MOVED = 0.5
_UNSEEN = "a value never seen"


@dataclasses.dataclass(frozen=True)
class _Before:
    """The rows as they were, with their predictions and decisions; ``spread`` is that of the predictions."""

    frame: pl.DataFrame
    prediction: Array
    decided: Array
    threshold: float
    spread: float


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
    part = frame[kept]
    prediction = model.predict(part)
    spread = float(np.std(prediction)) if model.task is Task.REGRESSION else 0.0
    decided = prediction if model.task is Task.REGRESSION else decide_labels(prediction, threshold)
    before = _Before(part, prediction, decided, threshold, spread)
    found = [
        _answered(model, before, kind, column, changes)
        for kind, column, changes in _disturbances(model, part, training, seed)
    ]
    return Robustness(part.height, tuple(found))


def _disturbances(
    model: FittedModel, frame: pl.DataFrame, training: pl.DataFrame, seed: int
) -> Iterator[tuple[str, str, list[list[pl.Series]]]]:
    """Kind, column (empty for all numbers together) and the alternatives, each the columns that change."""
    noise: list[pl.Series] = []
    for column in model.encoder.columns_:
        values = frame[column.name]
        if column.kind is ColumnKind.NUMERIC:
            usual = training[column.name].cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()
            if len(usual) and np.ptp(usual) > 0:
                noise.append(_noisy(values, float(usual.std()), derive_seed(seed, "noise", column.name)))
                yield "noise", column.name, [[noise[-1]]]
                yield "extreme", column.name, [[_constant(values, end)] for end in _ends(usual)]
        elif column.kind is ColumnKind.CATEGORY:
            unseen = pl.Series(values.name, [_UNSEEN] * len(values), dtype=pl.String)
            yield "unseen", column.name, [[unseen]]
        yield "missing", column.name, [[pl.Series(values.name, [None] * len(values), dtype=values.dtype)]]
    if len(noise) > 1:
        yield "noise", "", [noise]


def _noisy(values: pl.Series, spread: float, seed: int) -> pl.Series:
    drawn = np.random.default_rng(seed).normal(0, _NOISE * spread, len(values))
    moved = values.cast(pl.Float64) + pl.Series(drawn)
    return (moved.round() if values.dtype.is_integer() else moved).alias(values.name)


def _ends(usual: Array) -> tuple[float, float]:
    low, high = float(usual.min()), float(usual.max())
    return 2 * low - high, 2 * high - low


def _constant(values: pl.Series, value: float) -> pl.Series:
    return pl.Series(values.name, np.full(len(values), value))


def _answered(
    model: FittedModel, before: _Before, kind: str, column: str, alternatives: list[list[pl.Series]]
) -> Disturbance:
    """How many predictions turn; of several alternatives the worst. A refusal is an answer too."""
    worst = Disturbance(kind, column, 0.0, 0.0)
    for changes in alternatives:
        try:
            after = model.predict(before.frame.with_columns(changes))
        except DataError as error:
            return Disturbance(kind, column, None, None, note=f"refused: {error}")
        found = Disturbance(kind, column, _turned(model.task, before, after), _change(before, after))
        worst = max(worst, found, key=lambda item: (item.turned or 0.0, item.change or 0.0))
    return worst


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
