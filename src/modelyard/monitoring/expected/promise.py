"""What predictions promise: outcomes drawn as the model says they fall, and the metric of these draws.

Of classes the probabilities say how outcomes fall (confidence-based performance estimation; NannyML's CBPE is its binary
case). Of values the model's errors on labelled rows do, taken from rows with a prediction of about the same size (after
NannyML's DLE, which learns the size of errors). Drawing serves every metric, one's own too.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["Promise", "class_promise", "error_promise"]

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats, Floats, Floats], Floats]
"""The metric of truth and prediction under weightings of the rows, shape (samples, rows): one figure a sample."""

_DRAWS = 100
_MOST_ROWS = 2_000
_NINETY_FIVE = 1.96
_FEWEST_ERRORS = 300
_BINS = 10


@dataclasses.dataclass(frozen=True)
class Promise:
    """The metric as it would be if outcomes fell as predicted.

    Parameters
    ----------
    value
        Its mean over 100 draws.
    spread
        Its standard deviation: what chance leaves open with so many rows.
    low, high
        The range that holds 95 % of the draws.
    """

    value: float
    spread: float
    low: float
    high: float


def class_promise(prediction: Floats, measure: Measure, seed: int) -> Promise | None:
    """The promise of probabilities; None where the metric is not defined for most draws.

    Parameters
    ----------
    prediction
        Probability of the positive class, shape (rows,), or of each class, shape (rows, classes). Of more than 2,000 rows as
        many are drawn, and the range is narrowed to all of them.
    measure
        The metric.
    """
    generator = np.random.default_rng(seed)
    kept, part = _drawn(len(prediction), generator)
    shares = prediction[kept] if prediction.ndim == 2 else np.column_stack([1 - prediction[kept], prediction[kept]])
    rows, classes = shares.shape
    ends = np.cumsum(shares, axis=1)
    ends[:, -1] = np.inf
    # Every row stands once for each class that its outcome may have, and a draw gives one of them the weight one.
    drawn = (generator.random((_DRAWS, rows, 1)) > ends[:, :-1]).sum(axis=2)
    weights = (drawn[:, :, None] == np.arange(classes)).transpose(0, 2, 1).reshape(_DRAWS, classes * rows)
    truth = np.repeat(np.arange(float(classes)), rows)
    said = np.concatenate([prediction[kept]] * classes)
    return _summary(measure(truth, said, weights.astype(np.float64)), part)


def error_promise(
    prediction: Floats, known_truth: Floats, known_prediction: Floats, measure: Measure, seed: int
) -> Promise | None:
    """The promise of a model of values, whose errors are known from other rows; None with fewer than 300 of these.

    Parameters
    ----------
    prediction
        Of the rows without labels.
    known_truth, known_prediction
        Of labelled rows. Their errors are drawn within ten groups by the size of the prediction.
    """
    if len(known_truth) < _FEWEST_ERRORS:
        return None
    generator = np.random.default_rng(seed)
    kept, part = _drawn(len(prediction), generator)
    values = prediction[kept]
    edges = np.unique(np.quantile(known_prediction, np.linspace(0, 1, _BINS + 1)[1:-1]))
    group, errors = np.searchsorted(edges, known_prediction), known_truth - known_prediction
    ordered = errors[np.argsort(group, kind="stable")]
    counts = np.bincount(group, minlength=len(edges) + 1)
    begins, place = np.cumsum(counts) - counts, np.searchsorted(edges, values)
    weight = np.ones((1, len(values)))
    draws = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        pick = begins[place] + (generator.random(len(values)) * counts[place]).astype(np.int64)
        draws[draw] = measure(values + ordered[pick], values, weight)[0]
    return _summary(draws, part)


def _drawn(rows: int, generator: np.random.Generator) -> tuple[npt.NDArray[np.int64], float]:
    """At most 2,000 rows, and their share of all."""
    if rows <= _MOST_ROWS:
        return np.arange(rows), 1.0
    return generator.choice(rows, _MOST_ROWS, replace=False), _MOST_ROWS / rows


def _summary(draws: Floats, part: float) -> Promise | None:
    """Mean and range; the spread of a metric falls with the root of the rows."""
    known = draws[np.isfinite(draws)]
    if len(known) * 2 < _DRAWS:
        return None
    centre, spread = float(known.mean()), float(known.std()) * float(np.sqrt(part))
    return Promise(centre, spread, centre - _NINETY_FIVE * spread, centre + _NINETY_FIVE * spread)
