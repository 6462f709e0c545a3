"""Nearest neighbours (Cover and Hart, 1967): the mean of the rows that are most alike."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from modelyard.features import EncodingStyle
from modelyard.features.exact.distances import nearest_means
from modelyard.problem import Task
from modelyard.training.families.family import Dimension, FitData, Fitted
from modelyard.training.families.promises import Latency, Promises

__all__ = ["NearestNeighbours", "NeighboursEstimator"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class NearestNeighbours:
    """Plain means over the nearest training rows; rows equally far as the last neighbour count too.

    Parameters
    ----------
    most_rows
        The model holds all its rows and compares with each of them; beyond this, one answer takes milliseconds.
    """

    name: str = "nearest_neighbours"
    style: EncodingStyle = EncodingStyle.DISTANCE
    complexity: int = 2
    most_rows: int | None = 20_000
    promises: ClassVar[Promises] = Promises(Latency.SLOW)

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """Enough neighbours for a probability in steps of a twentieth."""
        return {"neighbours": 20}

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """How many neighbours."""
        return {"neighbours": Dimension(3, 200, whole=True, log=True)}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Few, and many."""
        return ({"neighbours": 7}, {"neighbours": 60})

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Keep the rows; there is nothing to draw, so the seed plays no role.

        The shares of the classes count as one neighbour more, so that no probability is 0 or 1 because of a few rows.
        """
        neighbours, answers = int(params["neighbours"]), data.target[:, np.newaxis]
        if data.task.is_classification:
            found = np.eye(int(data.target.max()) + 1)[data.target.astype(np.intp)]
            answers = (neighbours * found + found.mean(axis=0)) / (neighbours + 1)
        return Fitted(NeighboursEstimator(np.array(data.matrix), answers, neighbours))


@dataclasses.dataclass(frozen=True)
class NeighboursEstimator:
    """The training rows, and their answers: smoothed class shares, or values.

    Parameters
    ----------
    known
        Shape (rows, features).
    answers
        Shape (rows, classes), or (rows, 1).
    neighbours
        How many count.
    """

    known: Array
    answers: Array
    neighbours: int

    def predict(self, matrix: Array) -> Array:
        """Values, shape (rows,)."""
        return nearest_means(matrix, self.known, self.answers, self.neighbours)[:, 0]

    def predict_proba(self, matrix: Array) -> Array:
        """Shares of the classes, shape (rows, classes)."""
        return nearest_means(matrix, self.known, self.answers, self.neighbours)
