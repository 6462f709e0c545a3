"""The rules as plain data: they travel from the evaluation into the package, and answer there."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.conformal.predictive import QuantileRule
from modelyard.conformal.scale import LocalScale
from modelyard.core import Record

__all__ = ["ConformalRule", "IntervalRule", "SetRule"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class IntervalRule(Record):
    """A value's interval: the prediction, give or take a margin.

    Parameters
    ----------
    margin
        Half the width; with a scale, in units of the error to be expected there.
    scale
        Error to be expected by the size of the prediction; None for one width everywhere.
    """

    margin: float
    scale: LocalScale | None = None

    def half_width(self, predictions: Array) -> Array:
        """Half the width of the interval around each prediction."""
        if self.scale is None:
            return np.full(len(predictions), self.margin)
        return self.margin * self.scale.of(predictions)

    def ends(self, predictions: Array) -> tuple[Array, Array]:
        """Lower and upper ends.

        >>> low, high = IntervalRule(2.0).ends(np.array([5.0]))
        >>> float(low[0]), float(high[0])
        (3.0, 7.0)
        """
        half = self.half_width(predictions)
        return predictions - half, predictions + half


@dataclasses.dataclass(frozen=True)
class SetRule(Record):
    """A case's classes: all whose probability is not below the floor of that class.

    Parameters
    ----------
    floors
        By class, in the order of scores; 0 where nothing can be ruled out.
    """

    floors: tuple[float, ...]

    def members(self, probabilities: Array) -> npt.NDArray[np.bool_]:
        """Which classes are in the set of each row, shape (rows, classes).

        No set is empty: where all classes fall below their floors, the one that comes nearest to its own is kept. That
        only adds to the coverage.

        Parameters
        ----------
        probabilities
            Shape (rows,), of the second of two classes; or (rows, classes).

        Examples
        --------
        >>> SetRule((0.6, 0.2)).members(np.array([0.1, 0.3, 0.9])).tolist()
        [[True, False], [True, True], [False, True]]
        """
        shares = np.column_stack([1 - probabilities, probabilities]) if probabilities.ndim == 1 else probabilities
        distance = shares - np.array(self.floors)
        inside: npt.NDArray[np.bool_] = distance >= -1e-12
        empty = np.flatnonzero(~inside.any(axis=1))
        inside[empty, distance[empty].argmax(axis=1)] = True
        return inside


@dataclasses.dataclass(frozen=True)
class ConformalRule(Record):
    """What is said beside a prediction, and in which share of cases it is right.

    Parameters
    ----------
    coverage
        The share, such as 0.9, in which intervals and sets hold the truth; None without them.
    intervals
        For values; None for classes.
    sets
        For classes; None for values.
    quantiles
        For values, right in the shares that they name; None if none were asked for, and in packages of before.
    """

    coverage: float | None
    intervals: IntervalRule | None = None
    sets: SetRule | None = None
    quantiles: QuantileRule | None = None

    def describe(self, scores: Array, classes: tuple[str, ...]) -> dict[str, list[Any]]:
        """What is said about each row.

        ``prediction_interval``, [low, high], or ``prediction_set``, names of classes; and ``prediction_quantiles``, values
        by the names of levels.
        """
        said: dict[str, list[Any]] = {}
        if self.intervals is not None:
            low, high = self.intervals.ends(scores)
            said["prediction_interval"] = np.column_stack([low, high]).tolist()
        if self.sets is not None:
            members = self.sets.members(scores)
            said["prediction_set"] = [[classes[place] for place in np.flatnonzero(row)] for row in members]
        if self.quantiles is not None:
            said["prediction_quantiles"] = self.quantiles.describe(scores)
        return said
