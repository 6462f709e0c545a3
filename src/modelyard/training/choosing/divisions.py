"""How sure a difference between candidates is that were scored on several divisions of the same rows into folds."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.problem import metric_spec
from modelyard.training.choosing.draws import poisson_counts
from modelyard.training.choosing.noise import Evidence, Gain, clusters_of
from modelyard.training.folds import FoldPlan, RowKeys
from modelyard.training.metrics import score_weighted

__all__ = ["Division", "RepeatedEvidence"]

Array = npt.NDArray[np.float64]

_DRAWS = 300
_CELLS_AT_ONCE = 4_000_000


@dataclasses.dataclass(frozen=True)
class Division:
    """One division into folds, and out-of-fold predictions on it by candidate."""

    plan: FoldPlan
    predictions: Callable[[str], Array]


class RepeatedEvidence(Evidence):
    """What several divisions say together: differences are means over divisions.

    Rows are drawn again with replacement, a row as often in every division, since it is the same row. What is left beyond that, the
    luck of the divisions themselves, is seen in the differences' own spread: its variance over the number of divisions is
    added. Against the naive baseline the first division alone decides, on which all candidates have competed.

    Parameters
    ----------
    first
        What the first division says.
    metric, truth, keys, seed
        As in :class:`~modelyard.training.choosing.noise.Evidence`.
    divisions
        Two or more, the first one first.
    """

    def __init__(
        self, first: Evidence, metric: str, truth: Array, keys: RowKeys, divisions: Sequence[Division], *, seed: int
    ) -> None:
        super().__init__(metric, truth, divisions[0].plan, keys, divisions[0].predictions, seed=seed)
        self._first = first
        self._divisions = tuple(divisions)
        self._together: dict[str, Array] = {}

    def gain(self, first: str, second: str) -> Gain:
        """The gain of ``first`` over ``second``, as a mean over divisions."""
        sign = 1.0 if metric_spec(self._metric).greater_is_better else -1.0
        difference = sign * (self._by_division(first) - self._by_division(second))
        measured, draws = difference[:, 0], difference[:, 1:].mean(axis=0)
        luck = float(measured.var(ddof=1)) / len(measured)
        return Gain(float(measured.mean()), math.sqrt(float(draws.var(ddof=1)) + luck))

    def beats(self, name: str, reference: str, among: Sequence[str]) -> bool:
        """As the first division says."""
        return self._first.beats(name, reference, among)

    def chance_bound(self, names: Sequence[str], reference: str) -> float:
        """As the first division says."""
        return self._first.chance_bound(names, reference)

    def _by_division(self, name: str) -> Array:
        """Means over folds, shape (divisions, 1 + draws): on the rows as they are, then on each draw of them."""
        if name not in self._together:
            answers = [division.predictions(name) for division in self._divisions]
            parts = [self._scored(answers, weights) for weights in self._draws_of_rows()]
            self._together[name] = np.concatenate(parts, axis=1)
        return self._together[name]

    def _draws_of_rows(self) -> Iterator[Array]:
        """How often each row was drawn, some draws at a time; the first is no draw. The same for all candidates."""
        clusters = clusters_of(self._keys)
        generator = np.random.default_rng(derive_seed(self._seed, "noise", "divisions"))
        step, count = max(1, _CELLS_AT_ONCE // len(clusters)), int(clusters.max()) + 1
        yield np.ones((1, len(clusters)))
        for start in range(0, _DRAWS, step):
            yield poisson_counts(generator, min(step, _DRAWS - start), count).astype(np.float64)[:, clusters]

    def _scored(self, answers: Sequence[Array], weights: Array) -> Array:
        """Means over folds, shape (divisions, draws)."""
        return np.stack(
            [
                np.mean([self._fold(fold.held, given, weights) for fold in division.plan.folds], axis=0)
                for division, given in zip(self._divisions, answers, strict=True)
            ]
        )

    def _fold(self, held: npt.NDArray[np.int64], answers: Array, weights: Array) -> Array:
        scores = score_weighted(self._metric, self._truth[held], answers[held], weights[:, held])
        if np.isfinite(scores).all():
            return scores
        # A draw without one of the classes says nothing; it counts as no deviation.
        measured = score_weighted(self._metric, self._truth[held], answers[held], np.ones((1, len(held))))
        return np.where(np.isfinite(scores), scores, measured)
