"""How far the choice depends on the rows that happened to be there: the stability of a selection over folds."""

import collections
import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from modelyard.core import Record
from modelyard.features.selection.choosing import Selection

__all__ = ["SelectionReport", "Stability", "selection_report", "stability"]

_NORMAL_95 = 1.959963984540054


@dataclasses.dataclass(frozen=True)
class Stability(Record):
    """Agreement of several choices: 1 if they are equal, 0 if they agree as choices by lot would.

    Parameters
    ----------
    value
        At most 1; below 0 for choices that avoid one another.
    low, high
        95 % interval.
    """

    value: float
    low: float
    high: float


def stability(chosen: Sequence[Sequence[str]], candidates: Sequence[str]) -> Stability | None:
    """The stability of choices among the same candidates (Nogueira, Sechidis and Brown, 2018, JMLR 18:174, eq. 4).

    With ``p`` the share of choices that hold a candidate and ``k`` the mean size of a choice, among ``d`` candidates
    and ``m`` choices: ``1 - mean(m/(m-1) · p(1-p)) / (k/d · (1-k/d))``. The interval is their theorem 7. It takes
    choices as independent; those of folds share rows, so that it is rather too short.

    Returns
    -------
    Stability or None
        None if there are fewer than two choices, or nothing or everything is chosen each time.

    Examples
    --------
    >>> stability([["a", "b"], ["a", "b"], ["a", "b"]], ["a", "b", "c", "d"])
    Stability(value=1.0, low=1.0, high=1.0)
    """
    held = np.array([[name in set(choice) for name in candidates] for choice in chosen], dtype=np.float64)
    choices, size = len(chosen), len(candidates)
    if choices < 2 or size == 0 or held.mean() in (0.0, 1.0):
        return None
    shares, sizes = held.mean(axis=0), held.sum(axis=1)
    mean = float(sizes.mean()) / size
    by_lot = mean * (1 - mean)
    value = 1 - float((choices / (choices - 1) * shares * (1 - shares)).mean()) / by_lot
    each = (held @ shares) / size - sizes * float(sizes.mean()) / size**2
    each += value / 2 * (2 * mean * sizes / size - sizes / size - mean + 1)
    each /= by_lot
    variance = 4 / choices**2 * float(((each - each.mean()) ** 2).sum())
    reach = _NORMAL_95 * math.sqrt(variance)
    return Stability(value, value - reach, min(value + reach, 1.0))


@dataclasses.dataclass(frozen=True)
class SelectionReport(Record):
    """What selection did in a run, for the winner's family.

    Parameters
    ----------
    cap
        How many columns the final model might keep.
    kept
        The columns of the final model, most telling first.
    left_out
        The columns that it does without, in the table's order.
    folds
        How many folds chose, each from its own training rows.
    times
        In how many of the folds each column was chosen.
    stability
        Over the folds; None if nothing or everything was chosen each time.
    """

    cap: int
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    folds: int
    times: Mapping[str, int]
    stability: Stability | None

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        total = len(self.kept) + len(self.left_out)
        said = f"{len(self.kept)} of {total} columns kept (at most {self.cap})"
        if self.stability is None:
            return f"{said}, the same in all {self.folds} folds."
        found = self.stability
        return f"{said}; stability over {self.folds} folds {found.value:.2f} ({found.low:.2f} to {found.high:.2f})."


def selection_report(folds: Sequence[Selection | None], final: Selection | None) -> SelectionReport | None:
    """Put the choices of the folds and of the final fit together; None if the final fit did not choose.

    A fold whose rows allowed all its columns made no choice, and is not counted.
    """
    if final is None:
        return None
    made = [fold for fold in folds if fold is not None]
    times = collections.Counter(name for fold in made for name in fold.chosen)
    candidates = list(dict.fromkeys([*final.candidates, *(name for fold in made for name in fold.candidates)]))
    return SelectionReport(
        cap=final.cap,
        kept=final.chosen,
        left_out=tuple(name for name in final.candidates if name not in set(final.chosen)),
        folds=len(made),
        times={name: times[name] for name in candidates},
        stability=stability([fold.chosen for fold in made], candidates),
    )
