"""What a family promises; a project that needs what a family does not promise leaves it out, with the reason."""

import dataclasses
import enum
import math

from modelyard.core import Record
from modelyard.problem import Task

__all__ = ["Latency", "Promises"]

_TREES = 300
"""Boosted trees that keep the class's bound; walking one took 0.1 to 0.5 microseconds."""


class Latency(enum.StrEnum):
    """How long the packaged model takes for one encoded row of some twenty features.

    ``fast``: up to a tenth of a millisecond; ``moderate``: up to a millisecond; ``slow``: more, or growing with the
    number of training rows. Of boosted trees it is what three hundred take; see :meth:`Promises.most_ms`.
    """

    FAST = "fast"
    MODERATE = "moderate"
    SLOW = "slow"

    @property
    def most_ms(self) -> float:
        """The bound of the class, in milliseconds; infinite for slow ones.

        >>> Latency.FAST.most_ms, Latency.SLOW.most_ms
        (0.1, inf)
        """
        return {Latency.FAST: 0.1, Latency.MODERATE: 1.0, Latency.SLOW: math.inf}[self]


@dataclasses.dataclass(frozen=True)
class Promises(Record):
    """What a family keeps, whatever the data; ``tests/contracts/test_family.py`` holds it to its word.

    Parameters
    ----------
    latency
        See :class:`Latency`.
    tasks
        What it can learn.
    sample_weights
        A row of weight 2 counts as two rows, one of weight 0 as none; where rows are drawn at random in fitting, on
        average.
    monotone
        Predictions never fall (or never rise) in the features that ``FitData.monotone`` names. Several classes have no
        such order.
    incremental
        It keeps :class:`~modelyard.training.families.family.Updatable`.
    varies
        Another seed makes another model, so that the mean of several errs less than one. Not of those that are means of many
        already.
    native_categories
        Categories need no numbers of their own: codes without an order are split as sets.
    boosted
        Each round adds a tree, of several classes one for each, and a row walks through all of them.
    """

    latency: Latency
    tasks: tuple[Task, ...] = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)
    sample_weights: bool = False
    monotone: bool = False
    incremental: bool = False
    varies: bool = False
    native_categories: bool = False
    boosted: bool = False

    def most_ms(self, trees: int) -> float:
        """What the packaged model is taken to need for one encoded row, in milliseconds, if it is made of so many trees.

        >>> promises = Promises(Latency.FAST, boosted=True)
        >>> promises.most_ms(trees=100), promises.most_ms(trees=1_500)
        (0.1, 0.5)
        """
        return self.latency.most_ms * (max(1.0, trees / _TREES) if self.boosted else 1.0)
