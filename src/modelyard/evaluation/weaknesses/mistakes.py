"""The worst mistakes, each with what led to it, and as a table to work through by hand."""

import itertools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.evaluation.explanations import RowNames, affordable_rows, explain_positions
from modelyard.evaluation.records import ErrorAnalysis, Mistake
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.evaluation.weaknesses.losses import row_losses
from modelyard.evaluation.weaknesses.traits import shared_traits
from modelyard.problem import Task
from modelyard.report import format_number
from modelyard.training.metrics import decide_labels
from modelyard.training.model import FittedModel

__all__ = ["analyse_errors", "mistakes_table"]

Array = npt.NDArray[np.float64]
_ROWS = 100
_REASONS = 5


def analyse_errors(
    model: FittedModel, rows: JudgedRows, background: pl.DataFrame, *, names: RowNames, seed: int
) -> ErrorAnalysis:
    """The 100 rows that the winner is most wrong about, and what the worst tenth of all rows have in common.

    Parameters
    ----------
    rows
        Rows that the model did not learn from.
    background
        Training rows: what an average row is.
    names
        Ids of ``rows``, and names of the classes.
    """
    prediction = rows.predictions[WINNER]
    losses = row_losses(model.task, rows.truth, prediction)
    worst = np.argsort(-losses, kind="stable")[:_ROWS]
    explained = worst[: affordable_rows(model, _ROWS)]
    found = explain_positions(
        model, rows.frame, rows.truth, prediction, background, positions=explained, names=names, seed=seed
    )
    mistakes = []
    for place, reason in itertools.zip_longest(worst, found):
        score = prediction[place]
        mistakes.append(
            Mistake(
                row_id=names.ids[place],
                actual=_named(model.task, float(rows.truth[place]), names),
                decided=_named(model.task, _decided(model.task, score, rows.threshold), names),
                prediction=float(score.max() if prediction.ndim == 2 else score),
                loss=float(losses[place]),
                contributions=reason.contributions[:_REASONS] if reason else (),
                scale=reason.scale if reason else "",
            )
        )
    columns = list(model.encoder.columns_)
    traits = shared_traits(rows.frame, columns, losses, units=rows.units, seed=derive_seed(seed, "traits"))
    return ErrorAnalysis(rows.part, len(losses), tuple(mistakes), traits)


def mistakes_table(errors: ErrorAnalysis) -> pl.DataFrame:
    """One row for each mistake, the worst first, with up to five columns that moved its prediction most."""
    text = {name: [getattr(item, name) for item in errors.mistakes] for name in ("row_id", "actual", "decided")}
    numbers = {name: [getattr(item, name) for item in errors.mistakes] for name in ("prediction", "loss")}
    reasons: dict[str, pl.Series] = {}
    for place in range(_REASONS):
        parts = [item.contributions[place] if place < len(item.contributions) else None for item in errors.mistakes]
        name = f"reason_{place + 1}"
        reasons[name] = pl.Series([part and part.feature for part in parts], dtype=pl.String)
        reasons[f"{name}_value"] = pl.Series([part and part.value for part in parts], dtype=pl.String)
        reasons[f"{name}_amount"] = pl.Series([part and part.amount for part in parts], dtype=pl.Float64)
    scale = pl.Series([item.scale for item in errors.mistakes], dtype=pl.String)
    because = pl.Series([_because(item) for item in errors.mistakes], dtype=pl.String)
    return pl.DataFrame({**text, **numbers, **reasons, "amounts_in": scale, "because": because})


def _because(mistake: Mistake) -> str | None:
    """What moved the prediction most, in words: "tenure = 1 raises it, Contract = Two year lowers it"."""
    said = [
        f"{part.feature} = {part.value} {'raises' if part.amount > 0 else 'lowers'} it"
        for part in mistake.contributions
        if part.amount
    ]
    return ", ".join(said) or None


def _decided(task: Task, score: Array, threshold: float) -> float:
    if task is Task.REGRESSION:
        return float(score)
    return float(decide_labels(np.array([score]), threshold)[0])


def _named(task: Task, value: float, names: RowNames) -> str:
    return format_number(value) if task is Task.REGRESSION else names.classes[int(value)]
