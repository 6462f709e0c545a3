"""Whether an expected figure may be believed: it lies exactly when it matters most.

A broken column makes a model surer, and a changed relation leaves its probabilities as they were; the expected figure stays
high, or rises, while the real one falls. So a figure goes with a word: broken, if quality or labels speak against it; held, if
labels bear it out; unchecked, if nothing is known.
"""

import dataclasses
import datetime as dt
import enum
from collections.abc import Sequence

from modelyard.monitoring.expected.promise import Promise
from modelyard.monitoring.performance import PerformanceWindow
from modelyard.monitoring.quality import QualityResult
from modelyard.report import format_number

__all__ = ["Assumption", "Checked", "contradictions"]

_SURE = 4.0
_RELEVANT = 0.5
_MOST_FAULTS = 3


class Assumption(enum.StrEnum):
    """Whether outcomes still fall as the model says."""

    HELD = "held"
    UNCHECKED = "unchecked"
    BROKEN = "broken"


@dataclasses.dataclass(frozen=True)
class Checked:
    """A labelled window, and what its own predictions had promised for the same rows.

    Parameters
    ----------
    window
        The realised performance.
    promise
        None where nothing could be promised.
    drop
        The share of the reference that counts as a loss; half of it is a difference that matters.
    """

    window: PerformanceWindow
    promise: Promise | None
    drop: float

    @property
    def agrees(self) -> bool | None:
        """True if the labels bear the promise out, False if not, None if that cannot be said.

        They contradict if the realised metric is more than four standard deviations of chance from the promise, and
        further than half of the loss that counts.
        """
        value, reference = self.window.value, self.window.reference
        if value is None or self.promise is None:
            return None
        away = abs(value - self.promise.value)
        matters = _RELEVANT * self.drop * abs(reference if reference is not None else self.promise.value)
        return not (away > _SURE * self.promise.spread and away > matters)


def contradictions(
    window: str, end: dt.datetime, quality: Sequence[QualityResult], checked: Sequence[Checked]
) -> tuple[Assumption, tuple[str, ...]]:
    """The word for one window, and what speaks against it.

    Parameters
    ----------
    window, end
        The window; the latest labels of rows up to its end count.
    quality
        All alarms of quality: any in this window breaks the assumption, a score outside the range of training too.
    checked
        Labelled windows in the order of time.
    """
    faults = [f"{one.feature}: {one.signal.value.replace('-', ' ')}" for one in quality if one.window == window]
    against = faults[:_MOST_FAULTS]
    if len(faults) > _MOST_FAULTS:
        against.append(f"{len(faults) - _MOST_FAULTS} more faults")
    known = [one for one in checked if one.window.start <= end and one.agrees is not None]
    last = known[-1] if known else None
    if last is not None and last.agrees is False and last.promise is not None:
        against.append(
            f"labels of {last.window.name} gave {format_number(last.window.value)} where "
            f"{format_number(last.promise.value)} was promised"
        )
    if against:
        return Assumption.BROKEN, tuple(against)
    return (Assumption.HELD if last is not None else Assumption.UNCHECKED), ()
