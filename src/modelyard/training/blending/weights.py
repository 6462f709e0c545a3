"""Weights by greedy selection (Caruana, Niculescu-Mizil, Crew and Ksikes, 2004): the member that helps most, again and again.

Members may be taken more than once; how often is their weight. It overfits little, unlike free optimisation of weights
(Purucker and Beel, 2023), and beyond 25 rounds nothing improves (AutoGluon's experience).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.problem import metric_spec
from modelyard.problem.metrics import MetricInput
from modelyard.training.metrics import score

__all__ = ["cross_fitted", "greedy_weights", "teachers"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_ROUNDS = 25
_PATIENCE = 8
"""Rounds without a better score after which no more are tried."""

_LEAST_WEIGHT = 0.04
_MOST_ROWS = 20_000


def greedy_weights(
    predictions: Mapping[str, Array], truth: Array, parts: Sequence[Rows], metric: str
) -> dict[str, float]:
    """The members that belong together, and their weights, which sum to 1; the heaviest first.

    Parameters
    ----------
    predictions
        Out-of-fold predictions by candidate, best candidate first: of equals the earlier is taken.
    truth
        Encoded target.
    parts
        Rows that are scored together, a fold each; the scores' mean counts, as it does for candidates.
    metric
        The primary metric. A metric of labels says too little about small steps: log loss stands in for it.
    """
    parts = [_thinned(part, _MOST_ROWS // len(parts)) for part in parts]
    names, judge = list(predictions), _Judge(truth, parts, metric)
    answers = [[predictions[name][part] for part in parts] for name in names]
    counts = np.zeros(len(names), dtype=np.int64)
    best_counts, best_score, best_round = counts, -np.inf, 0
    total = [np.zeros_like(answer) for answer in answers[0]]
    for taken in range(1, _ROUNDS + 1):
        scores = [judge([(sum_ + new) / taken for sum_, new in zip(total, answer, strict=True)]) for answer in answers]
        # A member that is there already is preferred, then the better candidate.
        chosen = max(range(len(names)), key=lambda index: (scores[index], counts[index] > 0, -index))
        counts = counts + (np.arange(len(names)) == chosen)
        total = [sum_ + new for sum_, new in zip(total, answers[chosen], strict=True)]
        if scores[chosen] > best_score:
            best_counts, best_score, best_round = counts, scores[chosen], taken
        if taken - best_round >= _PATIENCE:
            break
    return _shares(names, best_counts)


def cross_fitted(
    predictions: Mapping[str, Array], truth: Array, parts: Sequence[Rows], metric: str, *, forward: bool
) -> Array:
    """The blend's predictions of each part, with weights learnt from other parts only; NaN elsewhere.

    Parameters
    ----------
    forward
        True if parts follow one another in time: only earlier ones teach then, and the first gets equal weights.
    """
    first = next(iter(predictions.values()))
    blended = np.full(first.shape, np.nan)
    for index, part in enumerate(parts):
        others = teachers(parts, index, forward=forward)
        equal = dict.fromkeys(predictions, 1 / len(predictions))
        weights = greedy_weights(predictions, truth, others, metric) if others else equal
        blended[part] = sum(weight * predictions[name][part] for name, weight in weights.items())
    return blended


def teachers(parts: Sequence[Rows], index: int, *, forward: bool) -> list[Rows]:
    """The parts from which may be learnt what is applied to the part at ``index``."""
    return [part for place, part in enumerate(parts) if place < index or (place > index and not forward)]


class _Judge:
    """Scores answers part by part; greater is better."""

    def __init__(self, truth: Array, parts: Sequence[Rows], metric: str) -> None:
        spec = metric_spec(metric)
        self._metric = "log_loss" if spec.input is MetricInput.LABEL else metric
        self._sign = 1.0 if metric_spec(self._metric).greater_is_better else -1.0
        self._truths = [truth[part] for part in parts]

    def __call__(self, answers: Sequence[Array]) -> float:
        scores = [score(self._metric, truth, answer) for truth, answer in zip(self._truths, answers, strict=True)]
        mean = self._sign * float(np.mean(scores))
        return mean if np.isfinite(mean) else -np.inf


def _thinned(part: Rows, most: int) -> Rows:
    """Every so many rows of a large part, evenly."""
    step = max(1, -(-len(part) // max(most, 1)))
    return part[::step]


def _shares(names: Sequence[str], counts: npt.NDArray[np.int64]) -> dict[str, float]:
    """Counts as shares, without the members that hardly count."""
    shares = counts / counts.sum()
    kept = np.where(shares >= _LEAST_WEIGHT, shares, 0.0)
    kept = kept / kept.sum()
    order = sorted(range(len(names)), key=lambda index: (-kept[index], index))
    return {names[index]: float(kept[index]) for index in order if kept[index] > 0}
