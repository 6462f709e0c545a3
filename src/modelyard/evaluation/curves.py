"""The pictures' points, JSON-ready: ROC, PR, calibration, gain, score histograms; residuals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.analytic import wilson_interval
from modelyard.problem import Task
from modelyard.training.metrics import score

__all__ = ["calibration_error", "curves_of"]

Array = npt.NDArray[np.float64]
_MOST_POINTS = 200
_MOST_CLASSES = 10
_BINS = 10
_HISTOGRAM_BINS = 30
_CONFIDENCE = 0.95


def curves_of(task: Task, truth: Array, prediction: Array, classes: Sequence[str]) -> dict[str, Any]:
    """The points of every picture that the task has.

    Returns
    -------
    dict
        Binary: ``roc``, ``pr``, ``calibration``, ``gain``, ``histogram``. Multiclass: ``roc`` by class (of the ten
        most frequent), ``calibration`` of the decided class. Regression: ``residuals`` and their ``histogram``,
        ``calibration`` by predicted size. No curve has more than 200 points.
    """
    if len(truth) == 0:
        return {}
    if task is Task.REGRESSION:
        return _regression(truth, prediction)
    if task is Task.MULTICLASS:
        return _multiclass(truth, prediction, classes)
    return {
        "roc": _roc(truth, prediction),
        "pr": _precision_recall(truth, prediction),
        "calibration": _calibration(truth, prediction),
        "gain": _gain(truth, prediction),
        "histogram": _histogram({str(name): prediction[truth == code] for code, name in enumerate(classes)}),
    }


def _thinned(columns: dict[str, Array]) -> dict[str, list[float]]:
    """At most 200 points, the first and the last among them."""
    length = len(next(iter(columns.values())))
    kept = np.unique(np.linspace(0, length - 1, min(length, _MOST_POINTS)).round().astype(int))
    return {name: [float(value) for value in values[kept]] for name, values in columns.items()}


def _steps(truth: Array, prediction: Array) -> tuple[Array, Array, Array]:
    """Distinct scores from high to low, and positives and negatives at or above each."""
    order = np.argsort(-prediction, kind="stable")
    ranked, hits = prediction[order], np.cumsum(truth[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    return ranked[last], hits[last], (last + 1) - hits[last]


def _roc(truth: Array, prediction: Array) -> dict[str, Any] | None:
    positives, negatives = truth.sum(), (1 - truth).sum()
    if not positives or not negatives:
        return None
    thresholds, hits, alarms = _steps(truth, prediction)
    points = {
        "false_positive_rate": np.append(0.0, alarms / negatives),
        "true_positive_rate": np.append(0.0, hits / positives),
        "threshold": np.append(1.0, thresholds),
    }
    return {**_thinned(points), "area": score("roc_auc", truth, prediction)}


def _precision_recall(truth: Array, prediction: Array) -> dict[str, Any] | None:
    positives = truth.sum()
    if not positives:
        return None
    thresholds, hits, alarms = _steps(truth, prediction)
    points = {"recall": hits / positives, "precision": hits / (hits + alarms), "threshold": thresholds}
    return {**_thinned(points), "base_rate": float(truth.mean())}


def _gain(truth: Array, prediction: Array) -> dict[str, Any] | None:
    """Share of all positives found among the share of rows with the highest scores."""
    positives = truth.sum()
    if not positives:
        return None
    _, hits, alarms = _steps(truth, prediction)
    points = {
        "share_of_rows": np.append(0.0, (hits + alarms) / len(truth)),
        "share_of_positives": np.append(0.0, hits / positives),
    }
    return _thinned(points)


def _bins(prediction: Array) -> list[npt.NDArray[np.intp]]:
    """Row positions in at most ten bins of about equal size; equal predictions share one bin."""
    distinct, inverse, counts = np.unique(prediction, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    bin_of_value = np.minimum((before + counts / 2) * _BINS // len(prediction), _BINS - 1).astype(int)
    bins = bin_of_value[inverse.reshape(-1)]
    return [np.flatnonzero(bins == index) for index in range(_BINS) if len(distinct) and (bins == index).any()]


def _calibration(truth: Array, prediction: Array) -> dict[str, Any]:
    """Predicted and observed share by bin, with Wilson's 95 % interval (Wilson, 1927) of the observed one."""
    rows: dict[str, list[float]] = {"predicted": [], "observed": [], "low": [], "high": [], "rows": []}
    for members in _bins(prediction):
        size, share = len(members), float(truth[members].mean())
        low, high = wilson_interval(share * size, size, _CONFIDENCE)
        for name, value in zip(rows, (float(prediction[members].mean()), share, low, high, float(size)), strict=True):
            rows[name].append(value)
    return {**rows, "error": calibration_error(truth, prediction)}


def calibration_error(truth: Array, prediction: Array) -> float:
    """Mean distance of predicted and observed share over ten bins of equal size, weighted by rows (ECE).

    >>> calibration_error(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.5, 0.5, 0.5, 0.5]))
    0.0
    """
    gaps = [(len(rows), abs(float(prediction[rows].mean() - truth[rows].mean()))) for rows in _bins(prediction)]
    return sum(size * gap for size, gap in gaps) / max(sum(size for size, _ in gaps), 1)


def _histogram(groups: dict[str, Array]) -> dict[str, Any]:
    """Counts by group over common bins: the whole unit interval for probabilities, else the middle 99 %."""
    values = np.concatenate(list(groups.values()))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    else:
        low, high = (float(end) for end in np.quantile(values, [0.005, 0.995]))
    edges = np.linspace(low, high if high > low else low + 1.0, _HISTOGRAM_BINS + 1)
    counts = {name: np.histogram(np.clip(part, edges[0], edges[-1]), edges)[0] for name, part in groups.items()}
    return {
        "edges": [float(edge) for edge in edges],
        "counts": {name: [int(count) for count in part] for name, part in counts.items()},
    }


def _multiclass(truth: Array, prediction: Array, classes: Sequence[str]) -> dict[str, Any]:
    frequent = np.argsort(-np.bincount(truth.astype(int), minlength=len(classes)), kind="stable")[:_MOST_CLASSES]
    curves = {classes[code]: _roc((truth == code) * 1.0, prediction[:, code]) for code in sorted(frequent)}
    decided = prediction.argmax(axis=1)
    right = (decided == truth) * 1.0
    return {"roc": curves, "calibration": _calibration(right, prediction.max(axis=1))}


def _regression(truth: Array, prediction: Array) -> dict[str, Any]:
    residual = truth - prediction
    order = np.argsort(prediction, kind="stable")
    points = _thinned({"predicted": prediction[order], "actual": truth[order], "residual": residual[order]})
    bins: dict[str, list[float]] = {"predicted": [], "actual": [], "mean_absolute_error": [], "rows": []}
    for members in _bins(prediction):
        figures = (prediction[members].mean(), truth[members].mean(), np.abs(residual[members]).mean(), len(members))
        for name, value in zip(bins, figures, strict=True):
            bins[name].append(float(value))
    return {"residuals": points, "calibration": bins, "histogram": _histogram({"residual": residual})}
