"""Labelled predictions that nobody should learn from: they would teach what could not be known, or was sealed."""

import dataclasses

from modelyard.core import Record
from modelyard.retraining.records import GateResult

__all__ = ["MOST_SUSPECT_SHARE", "Suspects", "contamination_gate"]

MOST_SUSPECT_SHARE = 0.05
"""Above this share of labelled predictions something is wrong with the labels as a whole, not with single rows."""


@dataclasses.dataclass(frozen=True)
class Suspects(Record):
    """Labelled predictions that were left out, by reason.

    Parameters
    ----------
    asked
        Labelled predictions in all.
    early
        The label came before the prediction.
    contradictory
        Different labels came for one id.
    sealed
        All columns of the model are those of a row of the champion's sealed part.
    sealed_by_chance
        How many of ``asked`` would be expected to look so by chance, since rows of the training part do, too.
    foreign
        The label is none that the target has.
    """

    asked: int
    early: int = 0
    contradictory: int = 0
    sealed: int = 0
    sealed_by_chance: float = 0.0
    foreign: int = 0

    @property
    def left_out(self) -> int:
        """All of them."""
        return self.early + self.contradictory + self.sealed + self.foreign

    @property
    def share(self) -> float:
        """Of the labelled predictions, those that chance does not explain."""
        beyond_chance = max(0.0, self.sealed - self.sealed_by_chance)
        return (self.early + self.contradictory + self.foreign + beyond_chance) / max(self.asked, 1)

    @property
    def reasons(self) -> str:
        """Why, with numbers; empty if none was left out."""
        counted = (
            (self.early, "whose label came before the prediction"),
            (self.contradictory, "with contradictory labels"),
            (self.sealed, "that equal a row of the sealed part"),
            (self.foreign, "whose label is none of the target's"),
        )
        return ", ".join(f"{count:,} {why}" for count, why in counted if count)


def contamination_gate(suspects: Suspects) -> GateResult:
    """Whether the labelled predictions are fit to learn from as a whole."""
    seen = f"{suspects.left_out:,} of {suspects.asked:,} labelled predictions were left out"
    why = f": {suspects.reasons}" if suspects.reasons else ""
    chance = f" ({suspects.sealed_by_chance:.0f} expected by chance)" if suspects.sealed_by_chance >= 1 else ""
    return GateResult(
        "contamination",
        suspects.share <= MOST_SUSPECT_SHARE,
        f"{seen}{why}{chance}; at most {MOST_SUSPECT_SHARE:.0%} may look contaminated.",
    )
