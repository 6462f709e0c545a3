"""How many rows lie below each quantile, overall and by segment, and what its misses cost."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from modelyard.conformal import pinball_losses
from modelyard.evaluation.analytic import share_interval
from modelyard.evaluation.intervals import MeasuredMetric, metric_intervals
from modelyard.evaluation.quantiles.records import BelowShare, LevelLoss, Quantiles
from modelyard.evaluation.segments import few_rows, segment_members
from modelyard.evaluation.systems import WINNER, JudgedRows

__all__ = ["measure_quantiles"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def measure_quantiles(
    asked: Quantiles | None, rows: JudgedRows, columns: Sequence[str], *, confidence: float, seed: int
) -> Quantiles | None:
    """The same quantiles with their shares and losses on ``rows``.

    Parameters
    ----------
    asked
        With a rule; without one, or None, there is nothing to measure.
    columns
        Segments; absent columns are passed over.
    confidence
        Of the shares of all levels together, and of those of all segments and levels together; of each loss by itself.
    """
    if asked is None or asked.rule is None or not len(rows.truth):
        return asked
    values = asked.rule.values(rows.predictions[WINNER])
    levels = list(enumerate(asked.rule.levels))
    segments = segment_members(rows.frame, columns)
    each = 1 - (1 - confidence) / len(levels)
    each_part = 1 - (1 - confidence) / max(len(levels) * len(segments), 1)
    everybody = np.arange(len(rows.truth))
    return dataclasses.replace(
        asked,
        part=rows.part,
        in_sample=rows.part != "test",
        overall=tuple(_share(rows, values[:, at], level, ("", "", everybody), each) for at, level in levels),
        losses=_losses(asked, rows, values, confidence=confidence, seed=seed),
        segments=tuple(
            _share(rows, values[:, at], level, part, each_part) for part in segments for at, level in levels
        ),
    )


def _share(rows: JudgedRows, values: Array, level: float, part: tuple[str, str, Rows], confidence: float) -> BelowShare:
    """The share of some rows at or below their quantile; where truths equal it, both readings are in the interval."""
    column, value, members = part
    truth, quantile = rows.truth[members], values[members]
    units = None if rows.units is None else rows.units[members]
    low, _ = share_interval(truth < quantile, confidence, units)
    _, high = share_interval(truth <= quantile, confidence, units)
    size = len(members)
    return BelowShare(column, value, size, level, float((truth <= quantile).mean()), low, high, few_rows(size))


def _losses(
    asked: Quantiles, rows: JudgedRows, values: Array, *, confidence: float, seed: int
) -> tuple[LevelLoss, ...]:
    """Mean losses; a mean of losses is the mean absolute error of 0 against them, and has its interval."""
    levels = asked.rule.levels if asked.rule else ()
    truth = rows.truth
    losses = [pinball_losses(truth, values[:, at], level) for at, level in enumerate(levels)]
    wanted = [MeasuredMetric("mae", loss) for loss in losses]
    found = metric_intervals(wanted, np.zeros(len(truth)), confidence=confidence, seed=seed, groups=rows.units)
    plain = [
        float(pinball_losses(truth, np.full(len(truth), value), level).mean())
        for value, level in zip(asked.plain, levels, strict=True)
    ]
    return tuple(
        LevelLoss(level, item.value, _known(item.low), _known(item.high), other)
        for level, item, other in zip(levels, found, plain, strict=True)
    )


def _known(end: float) -> float | None:
    return end if math.isfinite(end) else None
