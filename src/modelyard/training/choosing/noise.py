"""How sure a difference between candidates is: a paired bootstrap within folds."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import Record, derive_seed
from modelyard.problem import metric_spec
from modelyard.training.choosing.draws import Counts, poisson_counts
from modelyard.training.folds import FoldPlan, RowKeys
from modelyard.training.metrics import score_weighted

__all__ = ["Evidence", "Gain", "clusters_of"]

Array = npt.NDArray[np.float64]

_REPEATS = 300
_BLOCKS = 30
_CELLS_AT_ONCE = 4_000_000
_CELLS_KEPT = 100_000_000
_ERROR_RATE = 0.05


@dataclasses.dataclass(frozen=True)
class Gain(Record):
    """By how much one candidate is better than another.

    Parameters
    ----------
    mean
        Mean difference over folds in the primary metric; positive if the first is better, whatever its direction.
    standard_error
        Standard deviation of that mean if other rows had been held out.
    """

    mean: float
    standard_error: float


class Evidence:
    """What out-of-fold predictions say about differences.

    Within each fold, held-out rows are drawn again with replacement (as Poisson weights, the same for all candidates),
    whole groups or stretches of time where the folds keep those together. What candidates have in common — that one
    fold is harder than another — cancels out, unlike in the standard deviation of fold scores.

    Parameters
    ----------
    metric
        The primary metric.
    truth
        Encoded target of the training part.
    plan, keys
        The folds, and the keys by which they were made.
    predictions
        Gives the out-of-fold predictions of a candidate, by its name.
    seed
        Of the bootstrap.
    """

    def __init__(
        self,
        metric: str,
        truth: Array,
        plan: FoldPlan,
        keys: RowKeys,
        predictions: Callable[[str], Array],
        *,
        seed: int,
    ) -> None:
        self._metric = metric
        self._sign = 1.0 if metric_spec(metric).greater_is_better else -1.0
        self._truth = truth
        self._plan = plan
        self._keys = keys
        self._predictions = predictions
        self._seed = seed
        self._scores: dict[str, Array] = {}
        self._drawn: dict[int, list[Counts]] = {}

    def gain(self, first: str, second: str) -> Gain:
        """The gain of ``first`` over ``second``, judged on the same rows."""
        mean, draws = self._difference(first, second)
        return Gain(mean, float(draws.std(ddof=1)))

    def beats(self, name: str, reference: str, among: Sequence[str]) -> bool:
        """True if ``name``, picked as the best of ``among``, gains more over ``reference`` than luck explains.

        Clear cases are decided without the many draws of :meth:`chance_bound`: it lies between the bound for a single
        candidate and Bonferroni's for as many independent ones.
        """
        gain = self.gain(name, reference)
        unit = self._shared_learning * gain.standard_error
        if gain.mean <= _normal_bound(1) * unit:
            return False
        if gain.mean > _normal_bound(len(among)) * unit:
            return True
        return gain.mean > self.chance_bound(among, reference) * gain.standard_error

    def chance_bound(self, names: Sequence[str], reference: str) -> float:
        """How many standard errors the luckiest of ``names`` gains over ``reference`` in one search of twenty.

        The 95 % quantile of the largest deviation among all of them, which takes into account how alike they are
        (White's reality check, 2000, with studentised differences as in Hansen, 2005), widened because the folds'
        models learnt from much the same rows: an accident of the sample helps them all.
        """
        largest = np.full(_REPEATS, -np.inf)
        for name in names:
            mean, draws = self._difference(name, reference)
            spread = float(draws.std(ddof=1))
            if spread > 0:
                largest = np.maximum(largest, (draws - mean) / spread)
        if not np.isfinite(largest).all():
            return 0.0
        return self._shared_learning * float(np.quantile(largest, 1 - _ERROR_RATE))

    @property
    def _shared_learning(self) -> float:
        """By how much the error of a mean over folds exceeds what drawing held-out rows shows.

        The corrected variance of Nadeau and Bengio (2003, section 3): 1/k becomes 1/k + held/learnt; 1.5 for five
        equal folds. Measured on shuffled targets, the uncorrected bound lets one search in five pass, not one in twenty.
        Folds in time need none: every model is tested on rows that no earlier model has met, so that under pure chance
        the scores are differences of a martingale, whose variances add up.
        """
        if self._plan.strategy == "time":
            return 1.0
        folds = self._plan.folds
        held = sum(len(fold.held) for fold in folds)
        learnt = sum(len(fold.train) for fold in folds) / len(folds)
        return math.sqrt(1 + held / learnt)

    def scores(self, name: str) -> Array:
        """Scores of a candidate, shape (folds, 1 + repeats): on the rows as they are, then on each draw of them."""
        return self._sampled(name)

    def _difference(self, first: str, second: str) -> tuple[float, Array]:
        """The mean difference over folds, as measured, and under each draw of rows."""
        difference = self._sign * (self._sampled(first) - self._sampled(second)).mean(axis=0)
        return float(difference[0]), difference[1:]

    def _sampled(self, name: str) -> Array:
        """Scores of a candidate, shape (folds, 1 + repeats): on the rows as they are, then on each draw."""
        if name not in self._scores:
            folds = range(len(self._plan.folds))
            self._scores[name] = np.stack([self._sampled_fold(fold, self._predictions(name)) for fold in folds])
        return self._scores[name]

    def _sampled_fold(self, index: int, predictions: Array) -> Array:
        held = self._plan.folds[index].held
        truth, answers = self._truth[held], predictions[held]
        clusters = clusters_of(self._keys.take(held))
        count = int(clusters.max()) + 1
        measured = score_weighted(self._metric, truth, answers, np.ones((1, len(held))))
        each_alone = count == len(held) and bool((clusters == np.arange(count)).all())
        parts = [measured]
        for drawn in self._draws(index, count, max(1, _CELLS_AT_ONCE // len(held))):
            weights = drawn if each_alone else drawn[:, clusters]
            parts.append(score_weighted(self._metric, truth, answers, weights.astype(np.float64)))
        scores = np.concatenate(parts)
        # A draw without one of the classes says nothing; it counts as no deviation.
        return np.where(np.isfinite(scores), scores, measured)

    def _draws(self, index: int, count: int, step: int) -> Iterator[Counts]:
        """How often each of ``count`` clusters of a fold counts, so many draws at a time; kept for other candidates."""
        if index in self._drawn:
            yield from self._drawn[index]
            return
        # Seeded by the fold alone: all candidates meet the same draws.
        generator = np.random.default_rng(derive_seed(self._seed, "noise", index))
        made = []
        for start in range(0, _REPEATS, step):
            made.append(poisson_counts(generator, min(step, _REPEATS - start), count))
            yield made[-1]
            if _REPEATS * len(self._truth) > _CELLS_KEPT:
                made.clear()
        if made:
            self._drawn[index] = made


def _normal_bound(tried: int) -> float:
    """The one-sided 5 % bound for the best of ``tried`` independent candidates, in standard errors."""
    return statistics.NormalDist().inv_cdf(1 - _ERROR_RATE / tried)


def clusters_of(keys: RowKeys) -> npt.NDArray[np.int64]:
    """Which rows are drawn together, as dense codes."""
    if keys.strategy == "group":
        return np.unique(keys.keys, return_inverse=True)[1].astype(np.int64)
    rows = len(keys.classes)
    if keys.strategy == "time":
        earlier = np.searchsorted(np.sort(keys.keys), keys.keys)
        return np.unique(earlier * min(_BLOCKS, rows) // rows, return_inverse=True)[1].astype(np.int64)
    return np.arange(rows)
