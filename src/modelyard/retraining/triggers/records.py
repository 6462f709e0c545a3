"""What was pulled, what holds it back, and what came of it; each with its reason in words."""

import dataclasses

from modelyard.core import Record
from modelyard.retraining.records import Decision

__all__ = ["Attempt", "Due", "Held", "Pulled"]


@dataclasses.dataclass(frozen=True)
class Pulled(Record):
    """A trigger that says: now.

    Parameters
    ----------
    trigger
        ``schedule``, ``performance``, ``drift`` or ``new_labels``.
    because
        Why, in one sentence with its numbers.
    """

    trigger: str
    because: str


@dataclasses.dataclass(frozen=True)
class Held(Record):
    """A guard that says: not now.

    Parameters
    ----------
    guard
        ``data``, ``quality``, ``cause``, ``cooldown``, ``rollout``, ``challenger`` or ``case``.
    because
        Why, in one sentence.
    """

    guard: str
    because: str


@dataclasses.dataclass(frozen=True)
class Due(Record):
    """Whether it is time.

    Parameters
    ----------
    pulled
        Triggers that say now, in the order of the project file's section.
    held_by
        Guards that hold them back; empty if no trigger was pulled, since nothing has to be held back then.
    """

    pulled: tuple[Pulled, ...]
    held_by: tuple[Held, ...]

    @property
    def is_due(self) -> bool:
        """True if a trigger was pulled and no guard holds it back."""
        return bool(self.pulled) and not self.held_by

    @property
    def because(self) -> str:
        """The sentences of the triggers."""
        return " ".join(item.because for item in self.pulled)

    @property
    def sentence(self) -> str:
        """All of it for people."""
        if not self.pulled:
            return "No trigger was pulled."
        if self.is_due:
            return f"Due. {self.because}"
        return f"Pulled, but held back. {self.because} {' '.join(item.because for item in self.held_by)}"


@dataclasses.dataclass(frozen=True)
class Attempt(Record):
    """What came of asking whether to retrain.

    Parameters
    ----------
    due
        What was pulled, and what held it back.
    decision
        Of the retraining; None if it was not due.
    """

    due: Due
    decision: Decision | None
