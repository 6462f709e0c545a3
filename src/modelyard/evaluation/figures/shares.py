"""Metrics that count rows: their intervals have a width even where no row, or every row, is right.

A bootstrap of 200 rows without a mistake says "no mistakes, certainly". Wilson's interval says "at most 2 %".
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.analytic import share_interval

__all__ = ["share_metric_interval"]

Array = npt.NDArray[np.float64]
Hits = npt.NDArray[np.bool_]


def share_metric_interval(
    metric: str, truth: Array, label: Array, confidence: float, units: npt.NDArray[Any] | None
) -> tuple[float, float] | None:
    """The interval of a share of rows, or of what follows from shares; None for other metrics.

    Accuracy, precision and recall are shares. F1 is ``2 j / (1 + j)``, where j is the share of hits among the rows that
    are positive or called so. Balanced accuracy is a mean of recalls, whose intervals are joined by the method of
    variance estimates recovery (Zou and Donner, 2008).

    Parameters
    ----------
    truth, label
        Codes of the true and of the decided class.
    units
        Labels of rows that belong together.
    """
    if metric == "balanced_accuracy":
        return _of_mean_recall(truth, label, confidence, units)
    counted = _counted(metric, truth, label)
    if counted is None or not counted[1].any():
        return None
    hit, among = counted
    low, high = share_interval(hit[among], confidence, None if units is None else units[among])
    return (2 * low / (1 + low), 2 * high / (1 + high)) if metric == "f1" else (low, high)


def _counted(metric: str, truth: Array, label: Array) -> tuple[Hits, Hits] | None:
    """Which rows are hits, and among which rows they are counted."""
    if metric == "accuracy":
        return truth == label, np.ones(len(truth), dtype=bool)
    if metric not in ("precision", "recall", "f1"):
        return None
    positive, called = truth == 1, label == 1
    among = {"precision": called, "recall": positive, "f1": positive | called}[metric]
    return positive & called, among


def _of_mean_recall(
    truth: Array, label: Array, confidence: float, units: npt.NDArray[Any] | None
) -> tuple[float, float] | None:
    classes = np.unique(truth)
    if len(classes) < 2:
        return None
    below = above = mean = 0.0
    for code in classes:
        members = truth == code
        hit = label[members] == code
        low, high = share_interval(hit, confidence, None if units is None else units[members])
        recall = float(hit.mean())
        mean += recall / len(classes)
        below += ((recall - low) / len(classes)) ** 2
        above += ((high - recall) / len(classes)) ** 2
    return max(0.0, mean - math.sqrt(below)), min(1.0, mean + math.sqrt(above))
