"""Which of two systems is better on the same rows, beyond the noise of those rows."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import DataError
from modelyard.evaluation.analytic import delong_test, mcnemar_test
from modelyard.evaluation.intervals import bootstrap
from modelyard.evaluation.records import Comparison, PairedTest
from modelyard.problem import MetricInput, metric_spec
from modelyard.training.metrics import decide_labels, score_weighted

__all__ = ["Comparison", "compare"]

Array = npt.NDArray[np.float64]


def compare(
    metric: str,
    truth: Array,
    champion: Array,
    challenger: Array,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    groups: npt.NDArray[Any] | None = None,
    thresholds: tuple[float, float] = (0.5, 0.5),
) -> Comparison:
    """Compare two systems by a paired bootstrap: both are scored on the same samples of the same rows.

    What the rows have in common cancels out, so that a paired difference is far sharper than two intervals.

    Parameters
    ----------
    metric
        Name of the metric; the difference is an improvement, so for a loss it is champion minus challenger.
    truth, champion, challenger
        As in :func:`modelyard.training.metrics.score`; the predictions of both on the same rows.
    confidence
        Of the interval on which the verdict rests.
    groups
        Rows of one label are drawn together.
    thresholds
        Of champion and challenger, for metrics of labels.

    Raises
    ------
    DataError
        If the three do not have the same rows, or there are none.
    """
    if len(truth) == 0 or not len(truth) == len(champion) == len(challenger):
        raise DataError(
            "two systems can only be compared on the same rows",
            where=f"metric {metric!r}",
            got=f"{len(truth)} true values, {len(champion)} and {len(challenger)} predictions",
            cure="Score the same, non-empty table with both",
        )
    sign = 1.0 if metric_spec(metric).greater_is_better else -1.0

    def statistic(weights: Array) -> Array:
        old = score_weighted(metric, truth, champion, weights, threshold=thresholds[0])
        new = score_weighted(metric, truth, challenger, weights, threshold=thresholds[1])
        return np.column_stack([old, new, sign * (new - old)])

    tests = _by_formula(metric, truth, (champion, challenger), thresholds, confidence, groups)
    samples = bootstrap(statistic, len(truth), seed=seed, groups=groups)
    difference, low, high = samples.interval(2, confidence)
    old, new = (float(value) if math.isfinite(value) else None for value in samples.point[:2])
    if not math.isfinite(low):
        return Comparison(metric, old, new, 0.0, 0.0, 0.0, 1.0, len(truth), "inconclusive", tests=tests)
    verdict = "better" if low > 0 else "worse" if high < 0 else "inconclusive"
    return Comparison(metric, old, new, difference, low, high, samples.p_value(2), len(truth), verdict, tests=tests)


def _by_formula(
    metric: str,
    truth: Array,
    systems: tuple[Array, Array],
    thresholds: tuple[float, float],
    confidence: float,
    groups: npt.NDArray[Any] | None,
) -> tuple[PairedTest, ...]:
    """Second opinions where there is a formula; the verdict stays the bootstrap's, which every metric has."""
    if metric == "roc_auc" and truth.max() <= 1 and systems[0].ndim == systems[1].ndim == 1:
        found = delong_test(truth, *systems, confidence, groups)
        difference, low, high, p_value = (value if math.isfinite(value) else None for value in found)
        return (PairedTest("DeLong", difference, low, high, p_value, "difference of the two areas"),)
    if metric_spec(metric).input is MetricInput.LABEL:
        right = [
            decide_labels(system, threshold) == truth for system, threshold in zip(systems, thresholds, strict=True)
        ]
        gained, lost, mid_p, _ = mcnemar_test(right[0], right[1], groups)
        note = f"right decisions: {gained:,} rows by the challenger alone, {lost:,} by the other alone"
        return (PairedTest("McNemar (mid-p)", None, None, None, mid_p, note),)
    return ()
