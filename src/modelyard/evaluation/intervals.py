"""Bootstrap intervals: how much a figure would move if other rows had been drawn.

A sample is a vector of how often each row was drawn, so a statistic is computed for many samples at once (see
:mod:`modelyard.training.metrics`). Rows that belong together, a patient's or an hour's, are drawn together.
Intervals are bias-corrected and accelerated (BCa: Efron, 1987, "Better bootstrap confidence intervals"); those of means of
losses are studentised, and those of shares of rows come from a formula, where that covers better.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modelyard.evaluation.figures import MeanFigure, correlation_interval, mean_figure, share_metric_interval
from modelyard.training.metrics import decide_labels, score, score_weighted

__all__ = [
    "BootstrapSamples",
    "Interval",
    "MeasuredMetric",
    "bootstrap",
    "bootstrap_interval",
    "metric_intervals",
    "time_blocks",
]

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Weights, shape (samples, rows), to figures, shape (samples, figures)."""

_MOST_REPEATS, _FEWEST_REPEATS = 1000, 400
_CELLS_AT_ONCE = 4_000_000
_JACKKNIFE_BLOCKS = 200
_NORMAL = NormalDist()
_FEW_UNITS = 15
_WIDEST = 4.0
"""Standard deviations beyond which a sample of a thousand has no percentiles."""


class MeasuredMetric(NamedTuple):
    """A metric of one system's predictions; the threshold is for metrics of labels."""

    metric: str
    prediction: Array
    threshold: float = 0.5


class Interval(NamedTuple):
    """A figure and the ends of its interval; NaN where it is undefined."""

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class BootstrapSamples:
    """Figures of the rows as they are, of bootstrap samples, and with parts of the rows left out.

    Parameters
    ----------
    point
        Shape (figures,).
    values
        Shape (samples, figures).
    jackknife
        Shape (blocks, figures): the figures without one block of rows, for the acceleration.
    """

    point: Array
    values: Array
    jackknife: Array

    def interval(self, figure: int, confidence: float) -> Interval:
        """The BCa interval of one figure.

        Samples in which the figure is undefined are left out; if that is more than half of them, the ends are NaN.
        """
        point = float(self.point[figure])
        known = self._known(figure)
        if not math.isfinite(point) or known is None:
            return Interval(point, math.nan, math.nan)
        bias, acceleration = self._correction(figure, known)
        tails = ((1 - confidence) / 2, (1 + confidence) / 2)
        low, high = np.quantile(known, [_corrected(tail, bias, acceleration) for tail in tails])
        return Interval(point, float(low), float(high))

    def studentised_interval(self, figure: int, error: int, confidence: float) -> tuple[float, float]:
        """Ends by the distances of the samples' figures, each in its own standard errors (column ``error``).

        NaN where that is undefined for the rows, or for more than half of the samples.
        """
        point, spread = float(self.point[figure]), float(self.point[error])
        with np.errstate(divide="ignore", invalid="ignore"):
            distances = (self.values[:, figure] - point) / self.values[:, error]
        known = distances[np.isfinite(distances)]
        if not math.isfinite(point) or not math.isfinite(spread) or len(known) * 2 <= len(distances):
            return math.nan, math.nan
        high, low = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
        return point - float(low) * spread, point - float(high) * spread

    def percentile_interval(self, figure: int, confidence: float) -> tuple[float, float]:
        """Plain percentiles, for figures that are places (such as a threshold) and jump from row to row."""
        known = self._known(figure)
        if known is None:
            return math.nan, math.nan
        low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)

    def p_value(self, figure: int) -> float:
        """Two-sided probability of 0, the confidence at which :meth:`interval` just touches it; NaN if unknown."""
        known = self._known(figure)
        if known is None or not math.isfinite(float(self.point[figure])):
            return math.nan
        if np.ptp(known) == 0:
            return 1.0 if known[0] == 0 else 1 / (len(known) + 1)
        bias, acceleration = self._correction(figure, known)
        share = (float((known < 0).sum()) + 0.5 * float((known == 0).sum()) + 0.5) / (len(known) + 1)
        distance = _NORMAL.inv_cdf(share) - bias
        return 2 * _NORMAL.cdf(-abs(distance / (1 + acceleration * distance) - bias))

    def _known(self, figure: int) -> Array | None:
        values = self.values[:, figure]
        known = values[np.isfinite(values)]
        return known if len(known) * 2 > len(values) else None

    def _correction(self, figure: int, known: Array) -> tuple[float, float]:
        """Bias ``z0`` and acceleration ``a`` (Efron, 1987, equations 4.1 and 7.3 by the jackknife)."""
        point = self.point[figure]
        below = float((known < point).mean()) + 0.5 * float((known == point).mean())
        edge = 0.5 / len(known)
        bias = _NORMAL.inv_cdf(min(max(below, edge), 1 - edge))
        left_out = self.jackknife[:, figure]
        left_out = left_out[np.isfinite(left_out)]
        spread = left_out.mean() - left_out if len(left_out) > 1 else np.zeros(1)
        squares = float((spread**2).sum())
        return bias, float((spread**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def _corrected(tail: float, bias: float, acceleration: float) -> float:
    """The percentile to read in place of ``tail``."""
    shifted = bias + _NORMAL.inv_cdf(tail)
    return _NORMAL.cdf(bias + shifted / (1 - acceleration * shifted))


def bootstrap(
    statistic: Statistic,
    rows: int,
    *,
    seed: int,
    groups: npt.NDArray[Any] | None = None,
    repeats: int | None = None,
) -> BootstrapSamples:
    """Compute ``statistic`` on the rows, on samples of them, and with blocks of them left out.

    Parameters
    ----------
    statistic
        Gets weights of shape (samples, rows), returns figures of shape (samples, figures); NaN where undefined.
    rows
        Number of rows, at least 1.
    groups
        Labels of shape (rows,); rows of one label are drawn and left out together (cluster bootstrap: Davison and
        Hinkley, 1997, section 3.8).
    repeats
        Number of samples; by default 1,000, and fewer, at least 400, above 5,000 rows.
    """
    codes = None if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    units = rows if codes is None else int(codes.max()) + 1

    def of_rows(weights: Array) -> Array:
        return np.asfortranarray(weights) if codes is None else np.asarray(weights[:, codes])

    wanted = repeats or min(_MOST_REPEATS, max(_FEWEST_REPEATS, 5_000_000 // max(rows, 1)))
    generator = np.random.default_rng(seed)
    values = [statistic(of_rows(weights)) for weights in _draws(generator, units, wanted, rows)]
    left_out = [statistic(of_rows(weights)) for weights in _omissions(generator, units, rows)]
    point = statistic(np.ones((1, rows)))[0]
    return BootstrapSamples(point, np.concatenate(values), np.concatenate(left_out))


def _draws(generator: np.random.Generator, units: int, repeats: int, rows: int) -> Iterator[Array]:
    """How often each unit is drawn with replacement, in portions that fit into memory."""
    portion = max(1, _CELLS_AT_ONCE // rows)
    for start in range(0, repeats, portion):
        samples = min(portion, repeats - start)
        drawn = generator.integers(0, units, (samples, units)) + np.arange(samples)[:, np.newaxis] * units
        yield np.bincount(drawn.ravel(), minlength=samples * units).reshape(samples, units).astype(np.float64)


def _omissions(generator: np.random.Generator, units: int, rows: int) -> Iterator[Array]:
    """Weights that leave out one random block of units at a time; each unit is in one of at most 200 blocks."""
    blocks = min(units, _JACKKNIFE_BLOCKS)
    block_of_unit = generator.permutation(units) % blocks
    portion = max(1, _CELLS_AT_ONCE // rows)
    for start in range(0, blocks, portion):
        chosen = np.arange(start, min(start + portion, blocks))
        yield (block_of_unit[np.newaxis, :] != chosen[:, np.newaxis]).astype(np.float64)


def bootstrap_interval(
    metric: str,
    truth: Array,
    prediction: Array,
    *,
    confidence: float,
    seed: int,
    groups: npt.NDArray[Any] | None = None,
    repeats: int | None = None,
    threshold: float = 0.5,
) -> Interval:
    """A metric and its interval.

    Parameters
    ----------
    metric, truth, prediction, threshold
        As in :func:`modelyard.training.metrics.score`.
    confidence
        Between 0 and 1, such as 0.95.
    groups
        Rows of one label are drawn together; :func:`time_blocks` makes labels for rows in time order.

    Returns
    -------
    Interval
        ``(value, low, high)``; NaN where undefined.
    """
    wanted = [MeasuredMetric(metric, prediction, threshold)]
    return metric_intervals(wanted, truth, confidence=confidence, seed=seed, groups=groups, repeats=repeats)[0]


def metric_intervals(
    wanted: Sequence[MeasuredMetric],
    truth: Array,
    *,
    confidence: float,
    seed: int,
    groups: npt.NDArray[Any] | None = None,
    repeats: int | None = None,
) -> list[Interval]:
    """Metrics of the same rows with their intervals, all from the same samples.

    Shares of rows (accuracy, precision, recall, F1, balanced accuracy) have Wilson's interval or what follows from it,
    means of losses (log loss, Brier score, RMSE, MAE, MAPE, R²) a studentised one on a logarithmic scale, Matthews'
    correlation one by the cells of its table (rows that belong together aside), the others that of :meth:`BootstrapSamples.interval`. The parameters are those of :func:`bootstrap_interval`.
    """
    if len(truth) == 0:
        return [Interval(math.nan, math.nan, math.nan) for _ in wanted]
    found = {
        place: _by_formula(item, truth, confidence, seed, groups)
        for place, item in enumerate(wanted)
        if item.metric in _BY_FORMULA or (item.metric == "mcc" and groups is None)
    }
    drawn = [place for place in range(len(wanted)) if place not in found]
    if drawn:
        samples = _SampledMetrics.of([wanted[place] for place in drawn], truth, seed, groups, repeats)
        found |= {place: samples.interval(number, confidence) for number, place in enumerate(drawn)}
    return [found[place] for place in range(len(wanted))]


_BY_FORMULA = ("accuracy", "precision", "recall", "f1", "balanced_accuracy")


def _by_formula(
    item: MeasuredMetric, truth: Array, confidence: float, seed: int, groups: npt.NDArray[Any] | None
) -> Interval:
    """The interval of a metric of labels from its counts."""
    value = score(item.metric, truth, item.prediction, threshold=item.threshold)
    if not math.isfinite(value):
        return Interval(value, math.nan, math.nan)
    label = decide_labels(item.prediction, item.threshold)
    if item.metric == "mcc":
        return Interval(value, *correlation_interval(value, truth, label, confidence, seed=seed))
    ends = share_metric_interval(item.metric, truth, label, confidence, groups)
    return Interval(value, *(ends or (math.nan, math.nan)))


def _student_ends(samples: BootstrapSamples, place: int, degrees: int, confidence: float) -> tuple[float, float]:
    """Ends by Student's quantile: samples of so few units often hold one of them alone, and then no spread."""
    from scipy.special import stdtrit

    point, error = float(samples.point[place]), float(samples.point[place + 1])
    if degrees < 1 or not math.isfinite(error):
        return math.nan, math.nan
    half = float(stdtrit(degrees, (1 + confidence) / 2)) * error * math.sqrt(1 + 1 / degrees)
    return point - half, point + half


def _degrees(metrics: Sequence[str], truth: Array, groups: npt.NDArray[Any] | None) -> int:
    """Degrees of freedom: units, or the rows of the rarer class where metrics rank two classes, less one."""
    units = len(truth) if groups is None else len(np.unique(groups))
    if {"roc_auc", "pr_auc"}.intersection(metrics) and truth.max() <= 1:
        units = min(units, int(truth.sum()), int(len(truth) - truth.sum()))
    return units - 1


class _SampledMetrics(NamedTuple):
    """Metrics of bootstrap samples: a column each, then for each that is a mean its logarithm and the error of that."""

    samples: BootstrapSamples
    means: list[MeanFigure | None]
    degrees: int

    @classmethod
    def of(
        cls,
        wanted: Sequence[MeasuredMetric],
        truth: Array,
        seed: int,
        groups: npt.NDArray[Any] | None,
        repeats: int | None,
    ) -> "_SampledMetrics":
        """Draw the samples."""
        means = [mean_figure(item.metric, truth, item.prediction, groups) for item in wanted]

        def statistic(weights: Array) -> Array:
            figures = [
                score_weighted(item.metric, truth, item.prediction, weights, threshold=item.threshold)
                for item in wanted
            ]
            with np.errstate(divide="ignore", invalid="ignore"):
                logarithms = [column for mean in means if mean is not None for column in mean.logarithms(weights)]
            return np.column_stack([*figures, *logarithms])

        samples = bootstrap(statistic, len(truth), seed=seed, groups=groups, repeats=repeats)
        return cls(samples, means, _degrees([item.metric for item in wanted], truth, groups))

    def expanded(self, confidence: float) -> float:
        """The confidence to read percentiles at, which are a little narrow for few rows (Hesterberg, 2015, "What teachers
        should know about the bootstrap", section 4.4, the expanded percentile interval).
        """
        if self.degrees < 1:
            return confidence
        from scipy.special import stdtrit

        wider = float(stdtrit(self.degrees, (1 + confidence) / 2)) * math.sqrt(1 + 1 / self.degrees)
        return 2 * _NORMAL.cdf(min(wider, _WIDEST)) - 1

    def interval(self, number: int, confidence: float) -> Interval:
        """Studentised for a mean, unless that is undefined, such as without any loss; BCa for the others."""
        mean = self.means[number]
        if mean is None:
            return self.samples.interval(number, self.expanded(confidence))
        plain = self.samples.interval(number, confidence)
        place = len(self.means) + 2 * sum(other is not None for other in self.means[:number])
        if len(mean.first) < _FEW_UNITS:
            ends = _student_ends(self.samples, place, len(mean.first) - 1, confidence)
        else:
            ends = self.samples.studentised_interval(place, place + 1, confidence)
        if not all(map(math.isfinite, ends)):
            return plain
        low, high = sorted(mean.from_logarithm(end) for end in ends)
        return Interval(plain.value, low, high)


def time_blocks(moments: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Labels of blocks of neighbouring rows in time, each about ``n^(1/3)`` rows long, for the block bootstrap.

    Errors of neighbouring hours resemble each other; drawing rows one by one would make intervals too narrow. The
    length is of the order that is best for variances (Künsch, 1989; Hall, Horowitz and Jing, 1995). Rows of one
    moment stay in one block.

    >>> time_blocks([3, 1, 2, 4, 5, 6, 7, 8]).tolist()
    [1, 0, 0, 1, 2, 2, 3, 3]
    """
    _, position = np.unique(np.asarray(moments), return_inverse=True)
    position = position.reshape(-1)
    rows = len(position)
    if rows == 0:
        return position
    per_moment = np.bincount(position)
    first_row = np.cumsum(per_moment) - per_moment
    length = max(1, round(rows ** (1 / 3)))
    return np.asarray(first_row[position] // length, dtype=np.intp)
