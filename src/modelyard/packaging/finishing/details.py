"""What of a package its run, split and problem do not tell."""

import dataclasses

from modelyard.core import Clock, system_clock
from modelyard.packaging.card import DecisionNote, TestOpening

__all__ = ["BuildDetails"]


@dataclasses.dataclass(frozen=True)
class BuildDetails:
    """What the run, the split and the problem do not tell.

    Parameters
    ----------
    author
        Who builds.
    code_commit
        Commit of the user's project.
    ledger_position
        Sequence number of the ledger's last row.
    openings
        Every opening of the test part; by default the one that the evaluation knows.
    decisions
        Decisions on record, for the card.
    clock
        Gives the moment of building.
    """

    author: str = ""
    code_commit: str = ""
    ledger_position: int | None = None
    openings: tuple[TestOpening, ...] = ()
    decisions: tuple[DecisionNote, ...] = ()
    clock: Clock = system_clock
