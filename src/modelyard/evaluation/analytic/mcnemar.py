"""McNemar's test: whether each of two systems has its half of the rows that only one of them decides rightly.

McNemar (1947); the mid-p form of Fagerland, Lydersen and Laake (2013), "The McNemar test for binary matched-pairs
data: mid-p and asymptotic are better than exact conditional".
"""

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Discordance", "mcnemar_test"]


class Discordance(NamedTuple):
    """Rows that only one system decides rightly, and the probability of so uneven a division by chance.

    Parameters
    ----------
    gained, lost
        Rows that only the challenger, and only the champion, decides rightly.
    mid_p, exact_p
        Two-sided. With rows that belong together both are from the normal approximation over units.
    """

    gained: int
    lost: int
    mid_p: float
    exact_p: float


def mcnemar_test(
    champion_right: npt.NDArray[np.bool_],
    challenger_right: npt.NDArray[np.bool_],
    units: npt.NDArray[Any] | None = None,
) -> Discordance:
    """Compare two systems by the rows on which only one of them is right.

    Parameters
    ----------
    champion_right, challenger_right
        Whether each decides each row rightly; the same rows.
    units
        Labels of rows that belong together; their differences are summed first (Durkalski et al., 2003, "Analysis of
        clustered matched-pair data").

    Examples
    --------
    >>> champion, challenger = np.repeat([True, False], [1, 7]), np.repeat([False, True], [1, 7])
    >>> result = mcnemar_test(champion, challenger)
    >>> result.gained, result.lost, round(result.mid_p, 4), round(result.exact_p, 4)
    (7, 1, 0.0391, 0.0703)
    """
    gained = int((challenger_right & ~champion_right).sum())
    lost = int((champion_right & ~challenger_right).sum())
    if units is not None:
        code = np.unique(units, return_inverse=True)[1].reshape(-1)
        sums = np.bincount(code, challenger_right.astype(np.float64) - champion_right)
        spread = math.sqrt(float((sums**2).sum()))
        p_value = 2 * NormalDist().cdf(-abs(float(sums.sum())) / spread) if spread else 1.0
        return Discordance(gained, lost, p_value, p_value)
    total, fewer = gained + lost, min(gained, lost)
    if total == 0:
        return Discordance(0, 0, 1.0, 1.0)
    from scipy.special import bdtr

    below = float(bdtr(fewer, total, 0.5))
    at = below - (float(bdtr(fewer - 1, total, 0.5)) if fewer else 0.0)
    if gained == lost:
        return Discordance(gained, lost, 1 - at / 2, 1.0)
    return Discordance(gained, lost, 2 * below - at, min(1.0, 2 * below))
