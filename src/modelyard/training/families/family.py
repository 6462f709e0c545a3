"""What a family of models has to say about itself, whatever library stands behind it."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from modelyard.core import Record
from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.training.families.promises import Promises

__all__ = ["Dimension", "Family", "FitData", "Fitted", "Updatable", "seed_31"]


@dataclasses.dataclass(frozen=True)
class Dimension(Record):
    """One parameter that tuning may choose: between two bounds, or among stated values.

    Parameters
    ----------
    low, high
        Bounds, both included.
    whole
        True for integers.
    log
        True if ratios matter rather than differences.
    choices
        The only values there are; bounds say nothing then.
    """

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False
    choices: tuple[Any, ...] = ()

    def holds(self, value: Any) -> bool:
        """True if tuning could choose this value.

        >>> Dimension(4, 128, whole=True).holds(31), Dimension(choices=("sqrt", 0.5)).holds("log2")
        (True, False)
        """
        if self.choices:
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high and (not self.whole or value == int(value))

    def values(self) -> tuple[Any, ...]:
        """All values there are; empty for a range without steps."""
        if self.choices:
            return self.choices
        return tuple(range(int(self.low), int(self.high) + 1)) if self.whole else ()

    def draw(self, generator: np.random.Generator) -> Any:
        """A value by chance: all choices, or all whole numbers or logarithms or numbers between the bounds, alike."""
        if self.choices:
            return self.choices[int(generator.integers(len(self.choices)))]
        if self.log:
            # Whole numbers reach half a step beyond their bounds, so that both ends have their share.
            ends = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
            value = math.exp(generator.uniform(math.log(ends[0]), math.log(ends[1])))
            return min(max(round(value), int(self.low)), int(self.high)) if self.whole else value
        if self.whole:
            return int(generator.integers(int(self.low), int(self.high) + 1))
        return float(generator.uniform(self.low, self.high))


@dataclasses.dataclass(frozen=True)
class FitData:
    """Rows to learn from.

    Parameters
    ----------
    task
        Binary, multiclass or regression.
    matrix
        Encoded rows, float64, shape (rows, features).
    target
        Codes 0 … k-1 without gaps, or values.
    stop
        Rows that decide when boosting stops, as a mask; all False if there are none.
    weight
        How much each row counts, above 0 in some row; None if all count alike. Only a family that promises sample
        weights is given any.
    monotone
        By feature: 1 if predictions must not fall in it, -1 if they must not rise, 0 if they may do both; None for all
        free. Only a family that promises monotone constraints is given any.
    """

    task: Task
    matrix: npt.NDArray[np.float64]
    target: npt.NDArray[np.float64]
    stop: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64] | None = None
    monotone: tuple[int, ...] | None = None

    def rows(self, kept: npt.NDArray[np.bool_]) -> "FitData":
        """The rows of a mask; none of them decides when boosting stops."""
        weight = None if self.weight is None else self.weight[kept]
        nothing = np.zeros(int(kept.sum()), dtype=bool)
        return dataclasses.replace(
            self, matrix=self.matrix[kept], target=self.target[kept], stop=nothing, weight=weight
        )


@dataclasses.dataclass(frozen=True)
class Fitted:
    """An estimator fitted on all rows given, and how many boosting rounds that took (None if not boosted)."""

    estimator: Any
    rounds: int | None = None


@runtime_checkable
class Family(Protocol):
    """A family of models.

    Duties. Instances are picklable and hold no fitted state. ``fit`` uses one thread; equal data, parameters and seed
    give an equal estimator, whichever process fits it. The libraries are imported inside ``fit``.
    """

    @property
    def name(self) -> str:
        """As the project file calls it."""

    @property
    def style(self) -> EncodingStyle:
        """How features are encoded for it."""

    @property
    def complexity(self) -> int:
        """Rank, by which the simpler of two equals is chosen: 1 linear and single trees, 2 forests, neighbours
        and kernels, 3 boosting and networks.
        """

    @property
    def promises(self) -> Promises:
        """What it keeps, whatever the data."""

    @property
    def most_rows(self) -> int | None:
        """Rows of the training part up to which it is fit for use; beyond, it is left out. None for any number."""

    def defaults(self, task: Task) -> Mapping[str, Any]:
        """The configuration that is tried first."""

    def space(self, task: Task) -> Mapping[str, Dimension]:
        """What tuning may change; empty if there is nothing to tune."""

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:
        """Proven points of the space, which tuning tries before it searches."""

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:
        """Fit on all rows of ``data``.

        Parameters
        ----------
        rounds
            Boosting (and networks, whose rounds are epochs): the number of rounds; by default it is found on the rows that ``data.stop`` marks, and the
            estimator is then fitted again on all rows.
        """


@runtime_checkable
class Updatable(Protocol):
    """A family whose estimators can go on learning from new rows; kept beside :class:`Family`."""

    def update(self, estimator: Any, data: FitData, params: Mapping[str, Any], *, seed: int) -> Fitted:
        """A new estimator that holds what ``estimator`` knows and what ``data`` adds; the old one is left as it is.

        Parameters
        ----------
        data
            New rows alone, encoded as the estimator's were, with the same codes of classes.

        Returns
        -------
        Fitted
            Its ``rounds`` are those that were added, at least one, found on the rows that ``data.stop`` marks.
        """


def seed_31(seed: int) -> int:
    """A seed that fits the signed 32 bits of the boosting libraries."""
    return seed % (2**31 - 1)
