"""From predictions to the bytes of a table, with the column names of batch scoring."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import polars as pl

from modelyard.serving.formats import Prediction
from modelyard.serving.tables.forms import TableForm

__all__ = ["answer_frame", "write_body"]


def answer_frame(answers: Sequence[Prediction], classes: Sequence[str]) -> pl.DataFrame:
    """A row for each prediction: id, score, label and flags; probabilities by class; how sure it is, if asked."""
    first = answers[0]
    label = pl.String if classes else pl.Float64
    columns = {
        "prediction_id": _series((answer.id for answer in answers), pl.String),
        "prediction_score": _series((answer.score for answer in answers), pl.Float64),
        "prediction_label": _series((answer.label for answer in answers), label),
        "prediction_flags": _series(map(_flags, answers), pl.String),
    }
    if first.probabilities is not msgspec.UNSET:
        shares: list[Any] = [answer.probabilities for answer in answers]
        for name in classes:
            columns[f"prediction_probability.{name}"] = _series((row[name] for row in shares), pl.Float64)
    return pl.DataFrame(columns | _how_sure(answers))


def _how_sure(answers: Sequence[Prediction]) -> dict[str, pl.Series]:
    """Ends of intervals, sets of classes as JSON lists, quantiles: what the answers have of them."""
    columns: dict[str, pl.Series] = {}
    told: list[Any] = [answer.prediction_interval for answer in answers]
    if told[0] is not msgspec.UNSET:
        columns["prediction_low"] = _series((ends[0] for ends in told), pl.Float64)
        columns["prediction_high"] = _series((ends[1] for ends in told), pl.Float64)
    told = [answer.prediction_set for answer in answers]
    if told[0] is not msgspec.UNSET:
        columns["prediction_set"] = _series((msgspec.json.encode(names).decode() for names in told), pl.String)
    told = [answer.prediction_quantiles for answer in answers]
    for level in told[0] if told[0] is not msgspec.UNSET else ():
        columns[f"prediction_quantile.{level}"] = _series((values[level] for values in told), pl.Float64)
    return columns


def _series(values: Iterable[Any], kind: type[pl.DataType]) -> pl.Series:
    return pl.Series(list(values), dtype=kind)


def write_body(frame: pl.DataFrame, form: TableForm) -> bytes:
    """The table in a form; text as every Arrow implementation knows it."""
    stream = io.BytesIO()
    if form is TableForm.PARQUET:
        frame.write_parquet(stream)
    elif form is TableForm.ARROW_FILE:
        frame.write_ipc(stream, compat_level=pl.CompatLevel.oldest())
    else:
        frame.write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
    return stream.getvalue()


def _flags(answer: Prediction) -> str | None:
    return "; ".join(f"{flag.field}: {flag.rule}" for flag in answer.flags) or None
