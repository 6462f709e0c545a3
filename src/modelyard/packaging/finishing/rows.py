"""What packages share that answer row by row, whether the model learnt with a target or without."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data import Column, ColumnKind, Contract, ReferenceProfile, build_profile
from modelyard.packaging.finishing.files import Content
from modelyard.packaging.finishing.needs import requirements_of, types_of
from modelyard.packaging.golden import GoldenSet, Parity, largest_difference
from modelyard.packaging.mlflow_files import mlflow_files
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import Predictor, SkopsTrust
from modelyard.packaging.scorer import Scorer
from modelyard.packaging.suite import suite_files

__all__ = ["LABEL", "SCORE", "logged_scores", "prove_rows", "reference_of", "scoring_files"]

SCORE = "score"
"""Name of the model's score in the reference profile, as the prediction log calls it."""

LABEL = "label"
"""Name of the decided label, where it says more than the score; likewise."""

_TABLE_ROWS = 20_000

Matrix = npt.NDArray[np.float64]


def scoring_files(
    plan: ScoringPlan,
    predictor: Predictor,
    columns: Sequence[Column],
    contract: Contract,
    golden: GoldenSet,
    reference: ReferenceProfile,
    created_at: dt.datetime,
) -> dict[str, Content]:
    """The files of every package that answers row by row: path within the package to content."""
    model: Mapping[str, Content] = {f"model/{name}": content for name, content in predictor.to_files().items()}
    tests: Mapping[str, Content] = {f"tests/{name}": text for name, text in suite_files(contract, plan).items()}
    requirements = requirements_of(plan, predictor)
    return {
        **model,
        "plan.json": plan.to_dict(),
        "contract.json": contract.to_dict(),
        "golden.json": golden.to_dict(),
        "reference.json": reference.to_dict(),
        **tests,
        **mlflow_files(plan, columns, contract, requirements=requirements, created_at=created_at),
    }


def prove_rows(
    place: Path, predictor: Predictor, rows: pl.DataFrame, predict: Callable[[pl.DataFrame], Matrix]
) -> tuple[Parity, Parity]:
    """Agreement of the scorer that lies in a folder with the model itself: on the golden rows, and on a table.

    Parameters
    ----------
    predictor
        As it was written; whoever builds has just written its types, and knows them.
    rows
        The table; at most 20,000 of its rows are scored.
    predict
        What the model itself says of the rows of a table.
    """
    scorer = Scorer.load(place, SkopsTrust(types_of(predictor)))
    rows = rows.head(_TABLE_ROWS)
    difference, tolerance = largest_difference(scorer.score_frame(rows), predict(rows)), scorer.golden.tolerance
    return scorer.verify_golden(), Parity(rows.height, difference, tolerance, ok=difference <= tolerance)


def reference_of(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    predictions: Matrix,
    classes: tuple[str, ...],
    *,
    minimum_tolerance: float,
    moments: pl.Series | None = None,
    predicted_at: pl.Series | None = None,
) -> ReferenceProfile:
    """Features of the training rows, and scores and decided labels as they usually are.

    Parameters
    ----------
    frame, columns, moments
        The training rows, the features among their columns, and when each row was.
    predictions, classes, predicted_at
        One number, or one for each class, of every row that was predicted, and when that row was.
    minimum_tolerance
        As :func:`modelyard.data.build_profile` has it.
    """
    features = build_profile(frame, columns, time=moments, minimum_tolerance=minimum_tolerance)
    decided = _decisions(predictions, classes)
    if LABEL in {column.name for column in columns}:
        decided = decided.select([])  # one name cannot stand for a feature and for what was decided
    kinds = [Column(name, ColumnKind.CATEGORY, "String", nullable=False) for name in decided.columns]
    score = {SCORE: logged_scores(predictions)}
    said = build_profile(decided, kinds, time=predicted_at, extra=score, minimum_tolerance=minimum_tolerance)
    return ReferenceProfile(features.rows, features.features + said.features)


def logged_scores(predictions: Matrix) -> Matrix:
    """Scores as the prediction log holds them: of several classes, the highest probability."""
    return predictions if predictions.ndim == 1 else predictions.max(axis=1)


def _decisions(predictions: Matrix, classes: tuple[str, ...]) -> pl.DataFrame:
    """The decided label of several classes; of two, the score says it all."""
    if predictions.ndim == 1:
        return pl.DataFrame()
    return pl.DataFrame({LABEL: [classes[place] for place in predictions.argmax(axis=1).tolist()]})
