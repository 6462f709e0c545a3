"""All that is said of the winner's reasons, put together."""

import dataclasses
from collections.abc import Sequence

import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.reasons.records import Reasons
from modelyard.evaluation.reasons.summary import summarise
from modelyard.evaluation.records import Importance, RowExplanation
from modelyard.evaluation.systems import JudgedRows
from modelyard.training.model import FittedModel

__all__ = ["Seen", "give_reasons"]


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the evaluation has seen of the winner so far: held-out rows, columns by importance, and single rows."""

    rows: JudgedRows
    importance: Sequence[Importance]
    explanations: Sequence[RowExplanation]


def give_reasons(model: FittedModel, seen: Seen, training: pl.DataFrame, *, seed: int) -> Reasons:
    """What the winner has learnt, seen as a whole.

    Parameters
    ----------
    model
        The winner as fitted on ``training``.
    """
    summary = summarise(model, seen.rows.frame, training, seed=derive_seed(seed, "summary"))
    return Reasons(summary)
