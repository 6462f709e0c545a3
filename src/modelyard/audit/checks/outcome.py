"""Columns that are known only with the label, held against the declared time of the label."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, at_least_rows, check, declared
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind

__all__ = ["after_outcome"]

_AGREEMENT = 0.98
_LIKENESS = 0.98
_MIN_ROWS = 100
_MIN_GAPS = 30


@check(
    "D9",
    "filled-with-label",
    "measures-label-delay",
    thresholds=(
        Threshold("rows in which both are there or both are not", _AGREEMENT, "slips apart, one event fills both"),
        Threshold("rank correlation with the label's delay", _LIKENESS, "honest durations do not reach it"),
    ),
    needs=(declared("label_time"), at_least_rows(_MIN_ROWS)),
)
def after_outcome(context: AuditContext) -> Iterator[Finding]:
    """Features that appear with the label: filled exactly where the label's time is, or a measure of its delay.

    The delay is counted from the declared prediction time, else from the declared time of the rows.

    Harm: In production the outcome is still to come, and so is the column; the score is a dream.
    """
    moment = context.problem.data.label_time
    if moment is None or moment not in context.frame.columns:
        return
    known = context.frame[moment].is_not_null()
    delay = _delay(context, moment)
    for column in context.features:
        values = context.frame[column.name]
        gaps = values.null_count()
        if gaps >= _MIN_GAPS and min(int(known.sum()), int((~known).sum())) >= _MIN_GAPS:
            agreement = float((values.is_not_null() == known).mean())  # type: ignore[arg-type]  # a share
            if agreement >= _AGREEMENT:
                words = f"The column is filled in where {moment} is, and only there ({agreement:.1%} of the rows)."
                yield _late("filled-with-label", column.name, words, agreement)
        if delay is not None and column.kind is ColumnKind.NUMERIC and values.dtype.is_numeric():
            likeness = _rank_correlation(values.cast(pl.Float64), delay)
            if abs(likeness) >= _LIKENESS:
                words = f"The column measures how long the label took: rank correlation {likeness:.3f} with its delay."
                yield _late("measures-label-delay", column.name, words, likeness)


def _delay(context: AuditContext, moment: str) -> pl.Series | None:
    """Time from the prediction to the label, as numbers; None if no earlier moment is declared or types differ."""
    start = context.problem.data.prediction_time or context.roles.time
    if start is None or start not in context.frame.columns:
        return None
    begun, ended = context.frame[start], context.frame[moment]
    if not (begun.dtype.is_temporal() and ended.dtype.is_temporal()):
        return None
    seconds = [one.cast(pl.Datetime("us")).dt.epoch("s") for one in (begun, ended)]
    delay = (seconds[1] - seconds[0]).cast(pl.Float64)
    return delay if delay.drop_nulls().n_unique() > 2 else None


def _rank_correlation(left: pl.Series, right: pl.Series) -> float:
    """Spearman's correlation of the rows in which both are there; 0 for too few."""
    pairs = pl.DataFrame({"left": left, "right": right}).drop_nulls().drop_nans()
    if pairs.height < _MIN_ROWS or min(pairs["left"].n_unique(), pairs["right"].n_unique()) < 3:
        return 0.0
    ranks = pairs.select(pl.all().rank("average")).to_numpy()
    return float(np.corrcoef(ranks.T)[0, 1])


def _late(check_id: str, name: str, message: str, measure: float) -> Finding:
    """A column that comes with the label."""
    return Finding(
        id=check_id,
        severity=Severity.ERROR,
        subject=name,
        message=message,
        why="In production the outcome is still to come when the prediction is asked for, and so is this column.",
        action="Exclude the column under data.exclude, or show that it is known before.",
        evidence={"measure": measure},
        row="D9",
    )
