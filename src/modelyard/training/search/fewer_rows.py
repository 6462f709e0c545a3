"""Fewer rows for the winner, where fitting it on all of them would outlast the budget."""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.training.curves.subsets import arrival, take
from modelyard.training.families.family import Family
from modelyard.training.folds import Fold, RowKeys
from modelyard.training.planning import Clock
from modelyard.training.preparation import Setup
from modelyard.training.records import Candidate
from modelyard.training.search.cross_validation import CrossValidation
from modelyard.training.target import encode_target

__all__ = ["affordable_share", "compared_share", "encoding_cost", "refit_cost", "some_rows"]

_STEPS = 100
"""Shares are whole percents, so that they can be said in words."""


def compared_share(setup: Setup) -> float:
    """Share of the training part that candidates were compared on; the winner learns from no less."""
    folds = setup.plan.folds
    seen = np.unique(np.concatenate([rows for fold in folds for rows in (fold.train, fold.held)]))
    return len(seen) / len(setup.truth)


def refit_cost(candidate: Candidate, validation: CrossValidation, setup: Setup) -> float:
    """Seconds on one core that fitting a candidate on the whole training part takes, by what its folds took."""
    learnt = float(np.mean([len(fold.train) for fold in setup.plan.folds]))
    fit_s = validation.fit_s.get(candidate.name, candidate.fit_seconds / validation.folds)
    return fit_s * len(setup.truth) / learnt


def encoding_cost(families: Iterable[Family], validation: CrossValidation, setup: Setup) -> float:
    """Seconds that encoding the whole training part for these families takes, once for each style; no worker shares it."""
    styles = {family.style for family in families}
    return sum(validation.encoding(style).learnt_row_s for style in styles) * len(setup.truth)


def affordable_share(
    members: list[tuple[Candidate, Family]], validation: CrossValidation, setup: Setup, clock: Clock
) -> float:
    """Share of the rows, in whole percents, that the winner is fitted on; 1 if all can be, or if there is no budget.

    Less than 1 only where candidates were compared on fewer rows than there are, for the same reason; never less than
    those.

    Parameters
    ----------
    members
        Of the winner: one for each fit.
    """
    compared = compared_share(setup)
    if compared == 1.0 or not members:
        return 1.0
    fits_s = sum(refit_cost(candidate, validation, setup) for candidate, _ in members)
    encoding_s = encoding_cost((family for _, family in members), validation, setup)
    share = clock.refit_share(fits_s, encoding_s)
    return min(1.0, max(math.floor(share * _STEPS), math.ceil(compared * _STEPS)) / _STEPS)


def some_rows(frame: pl.DataFrame, setup: Setup, share: float) -> pl.DataFrame:
    """That share of a table's rows, by the rule of the folds: in time the latest, whole groups, each class in its share."""
    if share == 1.0:
        return frame
    truth = encode_target(frame[setup.problem.data.target], setup.problem.task, setup.classes)
    keys = RowKeys.of(frame, setup.problem, setup.plan.strategy, truth)
    nothing: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
    order = arrival(keys, Fold(np.arange(len(truth)), nothing), derive_seed(setup.seed, "fewer rows"))
    return frame[take(order, share)]
