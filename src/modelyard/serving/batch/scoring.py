"""One piece of a batch: rows are checked, good ones scored, bad ones set aside with their reasons."""

import dataclasses
import json

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.conformal import level_name
from modelyard.core import DataError
from modelyard.packaging import Scorer
from modelyard.problem import Task

__all__ = ["ScoredPiece", "score_piece"]

_BLOCK_ROWS = 64
"""Rows are scored in multiples of it: the last few of an odd number of rows go another way through the linear algebra,
and would come out with other last bits than the same rows in the middle of a larger piece."""


@dataclasses.dataclass(frozen=True)
class ScoredPiece:
    """What came of a piece.

    Parameters
    ----------
    good
        Rows with their predictions.
    bad
        Rows that were set aside: ``row``, ``reasons``, ``record``.
    flagged
        How many of the former have values unlike the training data.
    """

    good: pl.DataFrame
    bad: pl.DataFrame
    flagged: int


def score_piece(scorer: Scorer, chunk: pl.DataFrame, first: int, *, uncertainty: bool = False) -> ScoredPiece:
    """Check and score one piece, whose first row has the number ``first`` in the source.

    A row's scores do not depend on the piece it is in, to the last bit.

    Raises
    ------
    DataError
        If a column that training always had is missing.
    """
    violations = scorer.contract.check_frame(chunk)
    _refuse_missing_columns(violations)
    chunk = chunk.with_row_index("__row", offset=0)
    reasons = _by_row(violations.filter("rejects"), with_values=True)
    flags = _by_row(violations.filter(~pl.col("rejects") & pl.col("row").is_not_null()), with_values=False)
    whole = "; ".join(f"{name}: missing" for name in violations.filter(pl.col("row").is_null())["column"])
    bad = chunk.join(reasons, left_on="__row", right_on="row", how="inner", maintain_order="left")
    good = chunk.join(reasons, left_on="__row", right_on="row", how="anti", maintain_order="left")
    good = good.join(flags, left_on="__row", right_on="row", how="left", maintain_order="left")
    marks = good["reasons"]
    good = good.drop("__row", "reasons")
    predicted = good.with_columns(
        *_predictions(scorer, good, uncertainty=uncertainty),
        _flags(marks, whole).alias("prediction_flags"),
    )
    return ScoredPiece(predicted, _set_aside(bad, first), len(good) if whole else len(marks) - marks.null_count())


def _predictions(scorer: Scorer, rows: pl.DataFrame, *, uncertainty: bool) -> list[pl.Series]:
    """Score, label and, for several classes, probabilities, as columns; how sure they are, if asked."""
    is_classifier = scorer.form is not Task.REGRESSION
    label_type = pl.String if is_classifier else pl.Float64
    width = len(scorer.classes) if scorer.form is Task.MULTICLASS else 0
    scores: npt.NDArray[np.float64] = np.empty((0, width) if width else 0)
    labels: list[str | float] = []
    conformed = scorer.contract.conformed(rows) if len(rows) else rows
    if len(rows):
        scores = _scores(scorer, conformed)
        labels = scorer.decide(scores)
    top = scores.max(axis=1, initial=0.0) if width else scores
    columns = [pl.Series("prediction_score", top, dtype=pl.Float64)]
    columns += [
        pl.Series(f"prediction_probability.{name}", scores[:, number], dtype=pl.Float64)
        for number, name in enumerate(scorer.classes if width else ())
    ]
    texts = [str(label) for label in labels] if is_classifier else labels
    columns.append(pl.Series("prediction_label", texts, dtype=label_type))
    columns += [said.rename(f"prediction_{said.name}") for said in scorer.remarks(conformed, scores)]
    return [*columns, *_regions(scorer, scores)] if uncertainty else columns


def _scores(scorer: Scorer, rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Scores of a table, filled up to whole blocks with its last row while they are computed."""
    lacking = -len(rows) % _BLOCK_ROWS
    filled = pl.concat([rows, *[rows.tail(1)] * lacking]) if lacking else rows
    return scorer.score_frame(filled)[: len(rows)]


def _regions(scorer: Scorer, scores: npt.NDArray[np.float64]) -> list[pl.Series]:
    """Ends of intervals, sets of classes as JSON lists, quantiles: a column each."""
    said, columns = scorer.describe(scores), []
    if "prediction_interval" in said:
        pairs = (("prediction_low", 0), ("prediction_high", 1))
        ends = said["prediction_interval"]
        columns += [pl.Series(name, [end[place] for end in ends], dtype=pl.Float64) for name, place in pairs]
    if "prediction_set" in said:
        sets = [json.dumps(names, ensure_ascii=False) for names in said["prediction_set"]]
        columns.append(pl.Series("prediction_set", sets, dtype=pl.String))
    rule = scorer.conformal.quantiles if scorer.conformal else None
    for level in map(level_name, rule.levels if rule else ()):
        values = [row[level] for row in said["prediction_quantiles"]]
        columns.append(pl.Series(f"prediction_quantile.{level}", values, dtype=pl.Float64))
    return columns


def _refuse_missing_columns(violations: pl.DataFrame) -> None:
    """A column that is absent from the whole file, though training always had it, is a mistake of the file."""
    absent = violations.filter(pl.col("row").is_null() & pl.col("rejects"))
    if len(absent):
        first = absent.row(0, named=True)
        names = ", ".join(map(repr, absent["column"]))
        raise DataError(
            f"columns that the model needs are not there: {names}",
            got=first["got"],
            cure="Name the columns as they were called in training",
        )


def _by_row(violations: pl.DataFrame, *, with_values: bool) -> pl.DataFrame:
    """One line of text a row: what its violations are."""
    text = pl.format("{}: {}", "column", "rule")
    if with_values:
        text = pl.format("{}: {} (got {}, expected {})", "column", "rule", "got", "expected")
    return (
        violations.select(pl.col("row").cast(pl.UInt32), text.alias("reasons"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("reasons").str.join("; "))
    )


def _flags(marks: pl.Series, whole: str) -> pl.Series:
    """Flags by row, with those that hold for the whole file."""
    if not whole:
        return marks
    return pl.Series([f"{whole}; {text}" if text else whole for text in marks], dtype=pl.String)


def _set_aside(bad: pl.DataFrame, first: int) -> pl.DataFrame:
    """The quarantine's columns: number in the file, reasons, and the row as JSON."""
    cells = bad.drop("__row", "reasons")
    return pl.DataFrame(
        {
            "row": bad["__row"].cast(pl.Int64) + first,
            "reasons": bad["reasons"].cast(pl.String),
            "record": pl.Series(cells.write_ndjson().rstrip("\n").split("\n") if len(cells) else [], dtype=pl.String),
        }
    )
