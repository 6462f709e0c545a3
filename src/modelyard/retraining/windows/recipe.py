"""One configuration that is fitted again and again, without any search."""

import dataclasses

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.problem import Problem
from modelyard.training.families.family import Family
from modelyard.training.families.registry import family_named
from modelyard.training.model import FittedModel, Learning
from modelyard.training.records import BLEND, Candidate, TrainingRun
from modelyard.training.search.refit import fit_alone

__all__ = ["WEIGHT", "Recipe", "configuration", "with_weight"]

Array = npt.NDArray[np.float64]

WEIGHT = "forgetting_weight"
"""Column that says how much a row counts after forgetting, times what ``data.weight`` says."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is learnt, and by which configuration of which family."""

    learning: Learning
    candidate: Candidate
    family: Family
    seed: int

    @property
    def takes_weights(self) -> bool:
        """True if its family lets rows count less."""
        return self.family.promises.sample_weights

    def fit(self, frame: pl.DataFrame, truth: Array, weight: Array | None = None) -> FittedModel:
        """The configuration on these rows, by the same code as the winner of a search is fitted."""
        learning = self.learning
        if weight is not None:
            frame = with_weight(frame, weight, learning.weight)
            learning = dataclasses.replace(learning, weight=WEIGHT)
        return fit_alone(learning, frame, truth, self.candidate, self.family, seed=self.seed)


def with_weight(frame: pl.DataFrame, weight: Array, declared: str | None) -> pl.DataFrame:
    """The rows with their weight after forgetting, times the declared one."""
    given = pl.Series(WEIGHT, weight)
    return frame.with_columns((given * frame[declared]).alias(WEIGHT) if declared is not None else given)


def configuration(run: TrainingRun, problem: Problem) -> tuple[Candidate, Family] | None:
    """The run's winner, of a blend the member that counts most; None if it is no model (a naive answer, today's system)."""
    won = run.candidate(run.winner)
    if won.family == BLEND:
        won = run.candidate(max(won.members, key=lambda name: won.members[name]))
    family = family_named(won.family, problem)
    return None if family is None else (won, family)
