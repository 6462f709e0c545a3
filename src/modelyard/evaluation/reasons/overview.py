"""All that is said of the winner's reasons, put together."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.explanations import choose_rows
from modelyard.evaluation.reasons.agreement import compare_methods, compare_models, second_opinions
from modelyard.evaluation.reasons.expectations import check_expectations
from modelyard.evaluation.reasons.proxies import find_proxies, place_columns
from modelyard.evaluation.reasons.records import Reasons
from modelyard.evaluation.reasons.summary import summarise
from modelyard.evaluation.records import Importance, RowExplanation
from modelyard.evaluation.systems import JudgedRows
from modelyard.problem import Problem
from modelyard.training.families.registry import FAMILIES
from modelyard.training.model import FittedModel
from modelyard.training.records import TrainingRun

__all__ = ["Seen", "give_reasons"]


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the evaluation has seen of the winner so far.

    Parameters
    ----------
    rows
        Held-out rows.
    importance
        Of columns, by shuffling.
    explanations
        Of single rows.
    training, truth
        Training rows with their encoded target.
    """

    rows: JudgedRows
    importance: Sequence[Importance]
    explanations: Sequence[RowExplanation]
    training: pl.DataFrame
    truth: npt.NDArray[np.float64]


def give_reasons(model: FittedModel, run: TrainingRun, problem: Problem, seen: Seen, *, seed: int) -> Reasons:
    """What the winner has learnt, seen as a whole.

    Parameters
    ----------
    model
        The winner as fitted on the training rows.
    """
    rows, training, columns = seen.rows, seen.training, model.encoder.columns_
    summary = summarise(model, rows.frame, training, seed=derive_seed(seed, "summary"))
    chosen = [position for position, _ in choose_rows(model.task, rows.truth, model.predict(rows.frame))]
    explained = list(zip(chosen, seen.explanations, strict=True))
    opinions = second_opinions(model, rows.frame, explained, training, seed=derive_seed(seed, "lime"))
    return Reasons(
        summary=summary,
        opinions=opinions,
        methods=compare_methods(seen.explanations, opinions, summary, seen.importance),
        models=compare_models(
            model, run, (training, seen.truth), rows.frame, FAMILIES, seed=derive_seed(seed, "models")
        ),
        expectations=check_expectations(problem.expect, model, rows, training, seed=derive_seed(seed, "expect")),
        proxies=find_proxies(problem.protected, columns, training, seed=derive_seed(seed, "proxies")),
        places=place_columns(columns),
    )
