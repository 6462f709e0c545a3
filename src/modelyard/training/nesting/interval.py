"""An interval for the mean score of parts whose models learnt from much the same rows."""

import math
import statistics
from collections.abc import Sequence

from modelyard.training.nesting.records import OuterPart

__all__ = ["mean_interval"]

_CONFIDENCE = 0.95


def mean_interval(parts: Sequence[OuterPart], strategy: str) -> tuple[float, float, float, float]:
    """Mean, standard error, and both ends of a 95 % interval: the corrected resampled t of Nadeau and Bengio.

    The variance of scores counts ``1/k + held/learnt`` times and not ``1/k`` times, since parts share the rows learnt from
    (Nadeau and Bengio, 2003, section 3), with ``k - 1`` degrees of freedom; for k-fold cross-validation after Bouckaert and
    Frank (2004). The interval of Bates, Hastie and Tibshirani (2023) needs losses that are means over rows, which ROC AUC and
    RMSE are not, and hundreds of searches. Outer parts in time need no correction, for the reason that
    :class:`~modelyard.training.choosing.noise.Evidence` gives.

    Parameters
    ----------
    parts
        Two at least, with scores.
    strategy
        Of the folds.
    """
    from scipy.stats import t

    scores = [part.score or 0.0 for part in parts]
    shared = 0.0 if strategy == "time" else statistics.fmean(part.held / part.learnt for part in parts)
    mean = statistics.fmean(scores)
    error = math.sqrt(statistics.variance(scores) * (1 / len(scores) + shared))
    reach = float(t.ppf((1 + _CONFIDENCE) / 2, len(scores) - 1)) * error
    return mean, error, mean - reach, mean + reach
