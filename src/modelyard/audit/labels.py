"""Labels that are probably wrong, by confident learning on probabilities of rows held out.

After Northcutt, Jiang and Chuang (Journal of Artificial Intelligence Research 70, 2021, section 3): a class's threshold
is the mean probability of that class among the rows that have it; a row counts as another class if that class's
probability reaches its threshold and is the highest to do so. Rows are ranked by the margin of the suggested class.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["confident_suspects"]

Matrix = npt.NDArray[np.float64]


def confident_suspects(
    probabilities: Matrix, labels: npt.NDArray[np.int64], *, least_margin: float
) -> list[tuple[int, int, float]]:
    """Rows that probably have another label: (row, suggested class, margin), the largest margin first.

    Parameters
    ----------
    probabilities
        Held-out probabilities, shape (rows, classes).
    labels
        The class of each row, from 0.
    least_margin
        How far the suggested class must lie above the given one, 0 to 1.

    >>> sure = np.array([[0.99, 0.01]] * 5 + [[0.01, 0.99]] * 5)
    >>> confident_suspects(sure, np.array([0, 0, 0, 0, 1] + [1] * 5), least_margin=0.8)
    [(4, 0, 0.98)]
    """
    rows, classes = probabilities.shape
    own = probabilities[np.arange(rows), labels]
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    thresholds = np.bincount(labels, weights=own, minlength=classes) / counts
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    confident[:, np.bincount(labels, minlength=classes) == 0] = -1.0
    suggested = confident.argmax(axis=1)
    margin = probabilities[np.arange(rows), suggested] - own
    chosen = np.flatnonzero((confident.max(axis=1) >= 0) & (suggested != labels) & (margin >= least_margin))
    ranked = chosen[np.argsort(-margin[chosen], kind="stable")]
    return [(int(row), int(suggested[row]), float(margin[row])) for row in ranked]
