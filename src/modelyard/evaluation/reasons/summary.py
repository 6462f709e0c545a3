"""Contributions over many rows: which columns move predictions, which way, and how that depends on their value."""

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.schema import Column, ColumnKind, category_text
from modelyard.evaluation.explanations import affordable_rows, attribute, how_explained
from modelyard.evaluation.reasons.methods import Attribution
from modelyard.evaluation.reasons.records import ColumnEffect, Dependence, ReasonSummary
from modelyard.problem import Task
from modelyard.training.model import FittedModel

__all__ = ["ordered_values", "rank_correlation", "summarise"]

Array = npt.NDArray[np.float64]
_MOST_ROWS = 500
_COLUMNS_BY_VALUE = 4
_POINTS = 200
_LEVELS = 12
_CLEAR_TREND = 0.5
_ORDERED = (ColumnKind.NUMERIC, ColumnKind.DATE, ColumnKind.BOOLEAN)


def summarise(model: FittedModel, frame: pl.DataFrame, background: pl.DataFrame, *, seed: int) -> ReasonSummary | None:
    """Contributions of all columns over held-out rows; None if the model reads no column, or there is no row.

    Of several classes, the decided one of each row is explained; sizes then tell how much a column counts, and no
    direction is said.

    Parameters
    ----------
    frame
        Rows that the model did not learn from; at most 500 of them are used, fewer where contributions are sampled.
    background
        Training rows: what an average row is.
    """
    columns = model.encoder.columns_
    if not columns or frame.height == 0:
        return None
    rows = min(affordable_rows(model, _MOST_ROWS), frame.height)
    part = frame[np.sort(np.random.default_rng(seed).choice(frame.height, rows, replace=False))]
    prediction = model.predict(part)
    several = model.task is Task.MULTICLASS
    outputs = prediction.argmax(axis=1) if several else np.zeros(rows, dtype=np.intp)
    found = attribute(model, part, background, outputs=outputs, seed=seed)
    sizes = np.abs(found.amounts).mean(axis=0)
    total = float(sizes.sum()) or 1.0
    effects = [
        _effect(column, part[column.name], found.amounts[:, at], total, directed=not several)
        for at, column in enumerate(columns)
    ]
    order = np.argsort(-sizes, kind="stable")
    shown = [] if several else [at for at in order if columns[at].kind is not ColumnKind.TEXT and sizes[at] > 0]
    return ReasonSummary(
        rows=rows,
        method=how_explained(model) if found.exact else "sampled",
        scale=found.scale,
        gap=_gap(found, prediction, outputs),
        effects=tuple(effects[at] for at in order),
        dependence=tuple(
            _dependence(columns[at], part[columns[at].name], found.amounts[:, at]) for at in shown[:_COLUMNS_BY_VALUE]
        ),
    )


def ordered_values(column: Column, values: pl.Series) -> Array | None:
    """The values as numbers, NaN where missing, if the column has an order; dates are days since 1970, yes is 1."""
    if column.kind not in _ORDERED:
        return None
    if values.dtype.is_temporal():
        values = values.cast(pl.Date).to_physical()
    numbers = values.cast(pl.Float64, strict=False)
    if column.kind is ColumnKind.BOOLEAN and numbers.null_count() > values.null_count():
        numbers = values.cast(pl.String).rank("dense").cast(pl.Float64) - 1  # yes and no, in the order of the alphabet
    return np.asarray(numbers.fill_null(np.nan).to_numpy(), dtype=np.float64)


def rank_correlation(first: Array, second: Array) -> float:
    """Spearman's correlation of the pairs that are known; 0 if one of the two does not vary.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    1.0
    """
    known = np.isfinite(first) & np.isfinite(second)
    one, other = (pl.Series(part[known]).rank().to_numpy() for part in (first, second))
    if known.sum() < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return round(float(np.corrcoef(one, other)[0, 1]), 12)


def _effect(column: Column, values: pl.Series, amounts: Array, total: float, *, directed: bool) -> ColumnEffect:
    size = float(np.abs(amounts).mean())
    numbers = ordered_values(column, values) if directed else None
    if not directed or column.kind is ColumnKind.TEXT or size == 0:
        return ColumnEffect(column.name, size, size / total, None, "")
    if numbers is None:
        return ColumnEffect(column.name, size, size / total, None, _by_level(values, amounts))
    trend = rank_correlation(numbers, amounts)
    words = "no single direction"
    if abs(trend) >= _CLEAR_TREND:
        words = f"higher values {'raise' if trend > 0 else 'lower'} it"
    return ColumnEffect(column.name, size, size / total, trend, words)


def _by_level(values: pl.Series, amounts: Array) -> str:
    """Which value raises the prediction most and which lowers it most, of those that are not rare."""
    levels = _levels(values, amounts).filter(pl.col("rows") >= max(2, len(amounts) // 50))
    if levels.height < 2:
        return "no single direction"
    ranked = levels.sort("amount")["level"].to_list()
    return f"{ranked[-1]} raises it most, {ranked[0]} lowers it most"


def _levels(values: pl.Series, amounts: Array) -> pl.DataFrame:
    """Mean contribution by value, the commonest first."""
    named = pl.DataFrame({"level": category_text(values).fill_null("(missing)"), "amount": amounts})
    grouped = named.group_by("level", maintain_order=True).agg(pl.col("amount").mean(), pl.len().alias("rows"))
    return grouped.sort(["rows", "level"], descending=[True, False])


def _dependence(column: Column, values: pl.Series, amounts: Array) -> Dependence:
    numbers = ordered_values(column, values)
    if numbers is None:
        levels = _levels(values, amounts).head(_LEVELS)
        return Dependence(column.name, (), tuple(levels["amount"]), tuple(levels["level"]), tuple(levels["rows"]))
    known = np.flatnonzero(np.isfinite(numbers))
    kept = (
        known[np.linspace(0, len(known) - 1, min(_POINTS, len(known))).round().astype(np.intp)] if len(known) else known
    )
    return Dependence(column.name, tuple(numbers[kept].tolist()), tuple(amounts[kept].tolist()))


def _gap(found: Attribution, prediction: Array, outputs: npt.NDArray[np.intp]) -> float | None:
    """How far predictions are from what the contributions add up to."""
    added = found.base + found.amounts.sum(axis=1)
    if prediction.ndim == 2:
        if found.scale != "probability":
            return None
        prediction = prediction[np.arange(len(prediction)), outputs]
    if found.scale == "log-odds":
        added = 0.5 * (1 + np.tanh(added / 2))  # the logistic function, without overflow
    return float(np.abs(added - prediction).max())
