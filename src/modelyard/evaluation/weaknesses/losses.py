"""How wrong each single row is: what mistakes and slices are ranked by."""

import numpy as np
import numpy.typing as npt

from modelyard.problem import MetricInput, Task, metric_spec
from modelyard.training.metrics import decide_labels

__all__ = ["metric_losses", "row_losses"]

Array = npt.NDArray[np.float64]


def row_losses(task: Task, truth: Array, prediction: Array) -> Array:
    """The probability that was given to the wrong classes, or the absolute error of a value.

    >>> row_losses(Task.BINARY, np.array([1.0, 0.0]), np.array([0.25, 0.25])).tolist()
    [0.75, 0.25]
    """
    if task is Task.MULTICLASS:
        return np.asarray(1 - prediction[np.arange(len(truth)), truth.astype(np.intp)])
    return np.asarray(np.abs(truth - prediction))


def metric_losses(metric: str, task: Task, truth: Array, prediction: Array, threshold: float) -> Array:
    """How much each row speaks against the model by ``metric``; only their order is meant to be used.

    Metrics of labels count wrong decisions. Rankings of two classes count the share of the rows of the other class that
    lie on the wrong side of the row, among all rows (the parts of the Mann-Whitney statistic), so that a row is judged
    by its place in the whole. MAPE is relative; the others use :func:`row_losses`.
    """
    if metric_spec(metric).input is MetricInput.LABEL:
        return np.asarray(decide_labels(prediction, threshold) != truth, dtype=np.float64)
    if metric in ("roc_auc", "pr_auc") and task is Task.BINARY:
        return _misplaced(truth, prediction)
    losses = row_losses(task, truth, prediction)
    return np.asarray(losses / np.maximum(np.abs(truth), 1e-12)) if metric == "mape" else losses


def _misplaced(truth: Array, prediction: Array) -> Array:
    """Share of negatives above each positive, and of positives below each negative; ties count half."""
    losses = np.zeros(len(truth))
    for own, sign in ((truth == 1, 1.0), (truth == 0, -1.0)):
        others = np.sort(sign * prediction[~own])
        left = np.searchsorted(others, sign * prediction[own], side="left")
        right = np.searchsorted(others, sign * prediction[own], side="right")
        losses[own] = 1 - (left + right) / 2 / max(len(others), 1)
    return losses
