"""What each column is worth to the model: the loss when its values are shuffled (Breiman, 2001, section 10)."""

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Progress, ProgressEvent, derive_seed, silent
from modelyard.evaluation.reasons.mixing import Mixture
from modelyard.evaluation.records import Importance
from modelyard.problem import metric_spec
from modelyard.training.metrics import score
from modelyard.training.model import FittedModel

__all__ = ["permutation_importance"]

Array = npt.NDArray[np.float64]
_MOST_ROWS = 2000


def permutation_importance(
    model: FittedModel,
    frame: pl.DataFrame,
    truth: Array,
    *,
    metric: str,
    seed: int,
    repeats: int = 5,
    threshold: float = 0.5,
    progress: Progress = silent,
) -> tuple[Importance, ...]:
    """The drop of ``metric`` for every column that the model reads, the largest first.

    A column whose information another column repeats can be shuffled without much loss: low importance does not mean
    that the column says nothing.

    Parameters
    ----------
    frame, truth
        Rows that the model did not learn from; beyond 2,000 a random 2,000 of them.
    metric
        Drops are losses of quality, also for metrics where less is better: above 0 means the column helps.
    repeats
        Shuffles of each column.
    """
    frame, truth = _thinned(frame, truth, seed)
    sign = 1.0 if metric_spec(metric).greater_is_better else -1.0
    intact = score(metric, truth, model.predict(frame), threshold=threshold)
    mixture, found = Mixture(model, frame), []
    for index, column in enumerate(mixture.columns, start=1):
        predictions = mixture.shuffled(column, [_order(frame, seed, column, repeat) for repeat in range(repeats)])
        drops = [sign * (intact - score(metric, truth, part, threshold=threshold)) for part in predictions]
        if np.isfinite(drops).all():
            found.append(Importance(column, float(np.mean(drops)), float(np.std(drops, ddof=1))))
        progress(ProgressEvent("importance", index, len(mixture.columns), column))
    return tuple(sorted(found, key=lambda importance: -importance.drop))


def _thinned(frame: pl.DataFrame, truth: Array, seed: int) -> tuple[pl.DataFrame, Array]:
    if frame.height <= _MOST_ROWS:
        return frame, truth
    kept = np.sort(np.random.default_rng(seed).choice(frame.height, _MOST_ROWS, replace=False))
    return frame[kept], truth[kept]


def _order(frame: pl.DataFrame, seed: int, column: str, repeat: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(derive_seed(seed, column, repeat)).permutation(frame.height)
