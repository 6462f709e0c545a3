"""Every metric by name, computed for many weightings of the same rows at once.

A bootstrap sample is a vector of how often each row was drawn. So each metric here takes a matrix of weights, one
sample a row, and gives one score a sample: rows are sorted once, not once per sample. :func:`score` is the case of
one sample in which every row counts once, and equals scikit-learn's figure.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from modelyard.core import ConfigError
from modelyard.problem.metrics import MetricInput, metric_spec
from modelyard.problem.task import Task
from modelyard.training.custom_metrics import custom_scores

__all__ = ["decide_labels", "score", "score_weighted"]

Array = npt.NDArray[np.float64]


def score(name: str, truth: Array, prediction: Array, *, threshold: float = 0.5) -> float:
    """The metric ``name`` of ``prediction`` against ``truth``.

    Parameters
    ----------
    name
        One of :data:`modelyard.problem.metrics.METRICS`, or a metric of one's own that was declared.
    truth
        Shape (n,): 0/1 for binary, class codes 0…k-1 for multiclass, values for regression.
    prediction
        Shape (n,): probability of the positive class, or values; shape (n, k): probabilities of the classes.
    threshold
        Binary only: a row is called positive if its probability is at or above it.

    Returns
    -------
    float
        NaN where the metric is undefined: no rows, a prediction that is not finite, a ranking of one class only, the
        precision of a model that calls nothing positive, R² of a constant, MAPE with a true value of 0.

    Raises
    ------
    ConfigError
        If the metric is unknown, not defined for predictions of this shape, or one of one's own that gives no number.

    Examples
    --------
    >>> score("roc_auc", np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.1, 0.9]))
    0.5
    """
    weights = np.ones((1, len(truth)), dtype=np.float64)
    return float(score_weighted(name, truth, prediction, weights, threshold=threshold)[0])


def score_weighted(name: str, truth: Array, prediction: Array, weights: Array, *, threshold: float = 0.5) -> Array:
    """The metric ``name`` under each of many weightings of the rows.

    Parameters
    ----------
    weights
        Shape (samples, n), not negative: how often each row counts in each sample.

    Returns
    -------
    NDArray
        Shape (samples,); NaN where the metric is undefined in that sample. The other parameters and what is raised
        are those of :func:`score`.
    """
    spec = metric_spec(name)
    _check_shape(name, prediction)
    if len(truth) == 0 or not np.isfinite(prediction).all():
        return np.full(len(weights), np.nan)
    truth = np.asarray(truth, dtype=np.float64)
    prediction = np.asarray(prediction, dtype=np.float64)
    if spec.input is MetricInput.LABEL:
        prediction = decide_labels(prediction, threshold)
    if spec.path:
        return custom_scores(spec, truth, prediction, np.asarray(weights, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _METRICS[name](truth, prediction, np.asarray(weights, dtype=np.float64))


def decide_labels(prediction: Array, threshold: float = 0.5) -> Array:
    """Probabilities as labels: 1 at or above ``threshold`` (binary), else the code of the likeliest class.

    >>> decide_labels(np.array([0.2, 0.5]), 0.5).tolist()
    [0.0, 1.0]
    """
    if prediction.ndim == 2:
        return np.asarray(prediction.argmax(axis=1), dtype=np.float64)
    return np.where(prediction >= threshold, 1.0, 0.0)


def _check_shape(name: str, prediction: Array) -> None:
    """Binary metrics need one probability a row, and metrics of more classes need one column a class."""
    tasks = metric_spec(name).tasks
    if prediction.ndim == 2 and Task.MULTICLASS not in tasks:
        got, need = f"probabilities of {prediction.shape[1]} classes", "one number a row"
    elif prediction.ndim == 1 and tasks == (Task.MULTICLASS,):
        got, need = "one number a row", "one column a class"
    else:
        return
    raise ConfigError(
        f"the metric {name!r} needs {need}",
        where="metrics",
        got=got,
        cure="Choose a metric that is defined for this task",
    )


def _mean(values: Array, weights: Array) -> Array:
    """Weighted mean of one value a row."""
    return np.asarray(weights @ values / weights.sum(axis=1))


# --- of probabilities -------------------------------------------------------------------------------------------


def _ranked_sums(truth: Array, prediction: Array, weights: Array) -> tuple[Array, Array]:
    """Weight of positives and of negatives at each distinct prediction, highest prediction first."""
    order = np.argsort(-prediction, kind="stable")
    ranked = prediction[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    everything = np.take(weights, order, axis=1)
    positive = everything * truth[order]
    if len(starts) < len(order):  # else no two predictions are equal, and there is nothing to add up
        positive = np.add.reduceat(positive, starts, axis=1)
        everything = np.add.reduceat(everything, starts, axis=1)
    return positive, everything - positive


def _binary_roc_auc(truth: Array, prediction: Array, weights: Array) -> Array:
    """Chance that a positive ranks above a negative, ties counting half (Mann and Whitney, 1947)."""
    positive, negative = _ranked_sums(truth, prediction, weights)
    above = np.cumsum(positive, axis=1)
    ordered = np.einsum("ij,ij->i", above, negative) - np.einsum("ij,ij->i", positive, negative) / 2
    return np.asarray(ordered / (above[:, -1] * negative.sum(axis=1)))


def _roc_auc(truth: Array, prediction: Array, weights: Array) -> Array:
    """For more than two classes: each against the rest, averaged over the classes seen in the sample."""
    if prediction.ndim == 1:
        return _binary_roc_auc(truth, prediction, weights)
    classes = range(prediction.shape[1])
    return _mean_of_defined([_binary_roc_auc((truth == k) * 1.0, prediction[:, k], weights) for k in classes])


def _pr_auc(truth: Array, prediction: Array, weights: Array) -> Array:
    """Average precision: precision at each distinct threshold, weighted by the recall gained there."""
    positive, negative = _ranked_sums(truth, prediction, weights)
    hits, false_alarms = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    precision = np.divide(hits, hits + false_alarms, out=np.zeros_like(hits), where=hits > 0)
    return np.asarray((positive * precision).sum(axis=1) / positive.sum(axis=1))


def _log_loss(truth: Array, prediction: Array, weights: Array) -> Array:
    smallest = np.finfo(np.float64).eps
    if prediction.ndim == 1:
        of_truth = np.where(truth == 1, prediction, 1 - prediction)
    else:
        of_truth = prediction[np.arange(len(truth)), truth.astype(np.intp)]
    return _mean(-np.log(np.clip(of_truth, smallest, 1 - smallest)), weights)


def _brier(truth: Array, prediction: Array, weights: Array) -> Array:
    """Mean squared distance; for more than two classes summed over them, so between 0 and 2 (Brier, 1950)."""
    if prediction.ndim == 1:
        return _mean((prediction - truth) ** 2, weights)
    return _mean(((prediction - np.eye(prediction.shape[1])[truth.astype(np.intp)]) ** 2).sum(axis=1), weights)


# --- of labels --------------------------------------------------------------------------------------------------


def _confusion(truth: Array, label: Array, weights: Array) -> Array:
    """Weighted counts, shape (samples, classes, classes): true class by decided class."""
    classes = max(2, int(max(truth.max(), label.max())) + 1)
    cells = (truth * classes + label).astype(np.intp)
    indicator = np.zeros((len(truth), classes * classes))
    indicator[np.arange(len(truth)), cells] = 1.0
    return np.asarray(weights @ indicator).reshape(len(weights), classes, classes)


def _mean_of_defined(columns: list[Array]) -> Array:
    """Mean over the columns that are not NaN; NaN if none is."""
    values = np.stack(columns, axis=1)
    defined = np.isfinite(values)
    return np.asarray(np.where(defined, values, 0.0).sum(axis=1) / defined.sum(axis=1))


def _accuracy(truth: Array, label: Array, weights: Array) -> Array:
    return _mean((truth == label) * 1.0, weights)


def _balanced_accuracy(truth: Array, label: Array, weights: Array) -> Array:
    """Mean recall of the classes seen in the sample; undefined if it holds one class only."""
    counts = _confusion(truth, label, weights)
    totals = counts.sum(axis=2)
    recalls = np.diagonal(counts, axis1=1, axis2=2) / totals
    return np.where((totals > 0).sum(axis=1) > 1, _mean_of_defined(list(recalls.T)), np.nan)


def _precision(truth: Array, label: Array, weights: Array) -> Array:
    counts = _confusion(truth, label, weights)
    return np.asarray(counts[:, 1, 1] / counts[:, :, 1].sum(axis=1))


def _recall(truth: Array, label: Array, weights: Array) -> Array:
    counts = _confusion(truth, label, weights)
    return np.asarray(counts[:, 1, 1] / counts[:, 1, :].sum(axis=1))


def _f1_by_class(truth: Array, label: Array, weights: Array) -> Array:
    """2·TP / (2·TP + FP + FN) of each class; NaN for a class neither true nor decided."""
    counts = _confusion(truth, label, weights)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return np.asarray(2 * hits / (counts.sum(axis=1) + counts.sum(axis=2)))


def _f1(truth: Array, label: Array, weights: Array) -> Array:
    return np.where(weights @ truth > 0, _f1_by_class(truth, label, weights)[:, 1], np.nan)


def _f1_macro(truth: Array, label: Array, weights: Array) -> Array:
    return _mean_of_defined(list(_f1_by_class(truth, label, weights).T))


def _mcc(truth: Array, label: Array, weights: Array) -> Array:
    """Correlation of true and decided class (Gorodkin, 2004); 0 if one class is decided for all."""
    counts = _confusion(truth, label, weights)
    total = counts.sum(axis=(1, 2))
    true, decided = counts.sum(axis=2), counts.sum(axis=1)
    covariance = np.trace(counts, axis1=1, axis2=2) * total - (true * decided).sum(axis=1)
    spread_true = total**2 - (true**2).sum(axis=1)
    spread_decided = total**2 - (decided**2).sum(axis=1)
    ratio = covariance / np.sqrt(spread_true * spread_decided)
    return np.where(spread_true > 0, np.where(spread_decided > 0, ratio, 0.0), np.nan)


# --- of values --------------------------------------------------------------------------------------------------


def _rmse(truth: Array, value: Array, weights: Array) -> Array:
    return np.asarray(np.sqrt(_mean((truth - value) ** 2, weights)))


def _mae(truth: Array, value: Array, weights: Array) -> Array:
    return _mean(np.abs(truth - value), weights)


def _median_ae(truth: Array, value: Array, weights: Array) -> Array:
    """The error that half of the weight does not exceed; the mean of the two middle ones if it falls between."""
    errors = np.abs(truth - value)
    order = np.argsort(errors)
    reached = np.cumsum(weights[:, order], axis=1)
    half = reached[:, -1:] / 2
    lower, upper = (reached >= half).argmax(axis=1), (reached > half).argmax(axis=1)
    return np.where(half[:, 0] > 0, (errors[order][lower] + errors[order][upper]) / 2, np.nan)


def _mape(truth: Array, value: Array, weights: Array) -> Array:
    if (truth == 0).any():
        return np.full(len(weights), np.nan)
    return _mean(np.abs((truth - value) / truth), weights)


def _r2(truth: Array, value: Array, weights: Array) -> Array:
    centre = truth - truth.mean()  # a shift changes nothing, and keeps the difference of squares below exact
    spread = _mean(centre**2, weights) - _mean(centre, weights) ** 2
    scale = np.abs(truth).max() ** 2
    residual = _mean((truth - value) ** 2, weights)
    return np.where(spread > 1e-14 * scale, 1 - residual / spread, np.nan)


_METRICS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "roc_auc": _roc_auc,
    "pr_auc": _pr_auc,
    "log_loss": _log_loss,
    "brier": _brier,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "mcc": _mcc,
    "rmse": _rmse,
    "mae": _mae,
    "median_ae": _median_ae,
    "mape": _mape,
    "r2": _r2,
}
