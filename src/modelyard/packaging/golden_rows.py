"""Choosing golden rows, and asking the training pipeline what they should give."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.data import Contract
from modelyard.data.contract import ColumnContract
from modelyard.data.schema import Column, ColumnKind
from modelyard.packaging.golden import GoldenRow, GoldenSet, as_requests

__all__ = ["as_frame", "choose_rows", "edge_rows", "make_golden_set"]

_ROWS = 50
_MOST_ROWS = 80
_LEVELS_PER_COLUMN = 50
_MOST_GAPS = 50
_UNSEEN = "a category that training never saw"
_UNSEEN_WORDS = "Ünsæen wörds: 你好, \u200b🙂\n\x00 £1.50! ﬁ İ ß"
_DATES = {"distant past": "1900-01-01", "distant future": "2100-12-31"}
_FAR = 10  # spans of the training range beyond its ends


class _Predicts(Protocol):
    """The training pipeline."""

    def predict(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]: ...


def make_golden_set(
    model: _Predicts,
    rows: pl.DataFrame,
    columns: Sequence[Column],
    contract: Contract,
    *,
    tolerance: float,
    seed: int,
) -> GoldenSet:
    """Golden rows with the training pipeline's answers.

    Parameters
    ----------
    model
        The fitted model that is packaged.
    rows
        The validation part.
    columns, contract
        The features.
    tolerance
        How far answers may be from the expected ones.
    seed
        Of the choice.
    """
    chosen = choose_rows(rows, columns, seed=seed)
    requests = as_requests(chosen)
    edges = list(edge_rows(requests[0], contract))
    edge_requests = [row for _, row in edges]
    expected = [*_answers(model, chosen), *_answers(model, as_frame(edge_requests, columns))]
    origins = ["validation"] * len(requests) + [name for name, _ in edges]
    golden = zip(origins, [*requests, *edge_requests], expected, strict=True)
    return GoldenSet(tolerance, tuple(GoldenRow(origin, row, answer) for origin, row, answer in golden))


def _answers(model: _Predicts, frame: pl.DataFrame) -> list[tuple[float, ...]]:
    """One tuple a row."""
    return [tuple(answer) for answer in model.predict(frame).reshape(frame.height, -1).tolist()]


def choose_rows(frame: pl.DataFrame, columns: Sequence[Column], *, seed: int) -> pl.DataFrame:
    """About 50 rows that show each column missing where it ever is, each frequent category, and each end of a range.

    Parameters
    ----------
    frame
        Rows to choose from.
    columns
        The features.
    seed
        Of the random order in which rows are looked at.

    Returns
    -------
    DataFrame
        The features of the chosen rows, at most 80; fewer than 50 only if ``frame`` has fewer.
    """
    random = np.random.default_rng(derive_seed(seed, "golden rows"))
    shuffled = frame.select([column.name for column in columns])[random.permutation(frame.height)]
    chosen: set[int] = set()
    for shown in _worth_showing(shuffled, columns):
        places = shown.arg_true()
        if len(chosen) < _MOST_ROWS and len(places) and chosen.isdisjoint(places.to_list()):
            chosen.add(int(places[0]))
    for place in range(frame.height):
        if len(chosen) >= _ROWS:
            break
        chosen.add(place)
    return shuffled[sorted(chosen)]


def _worth_showing(frame: pl.DataFrame, columns: Sequence[Column]) -> Iterator[pl.Series]:
    """For everything that should be shown, which rows show it."""
    for column in columns:
        values = frame[column.name]
        if values.dtype.is_float():
            values = values.fill_nan(None)
        yield values.is_null()
        known = values.drop_nulls()
        if column.kind in (ColumnKind.NUMERIC, ColumnKind.DATE):
            shown: list[Any] = [known.min(), known.max()] if len(known) else []
        else:
            shown = known.value_counts(sort=True)[known.name][:_LEVELS_PER_COLUMN].to_list()
        for value in shown:
            yield (values == value).fill_null(value=False)


def edge_rows(base: Mapping[str, Any], contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    """Synthetic rows at the edges of what may be asked: name of the edge, and the row.

    Nothing known at all; each column missing alone (at most 50); only categories that training never saw; the ends
    of every range, and far beyond them; dates far away.

    Parameters
    ----------
    base
        An ordinary row, from which the edges depart.
    contract
        Ranges and kinds of the features.
    """
    yield "all missing", dict.fromkeys(base)
    for column in contract.columns[:_MOST_GAPS]:
        yield f"{column.name} missing", {**base, column.name: None}
    if texts := _everywhere(contract, ColumnKind.TEXT, lambda _: ""):
        yield "empty text", {**base, **texts}
        yield "unseen words", {**base, **dict.fromkeys(texts, _UNSEEN_WORDS)}
    yield "unseen categories", {**base, **_everywhere(contract, ColumnKind.CATEGORY, lambda _: _UNSEEN)}
    for name, value in _NUMBERS.items():
        yield name, {**base, **_everywhere(contract, ColumnKind.NUMERIC, value)}
    for name, moment in _DATES.items():
        yield name, {**base, **dict.fromkeys(_everywhere(contract, ColumnKind.DATE, lambda _: None), moment)}


def _everywhere(contract: Contract, kind: ColumnKind, value: Callable[[ColumnContract], Any]) -> dict[str, Any]:
    """A value for every column of a kind."""
    return {column.name: value(column) for column in contract.columns if column.kind is kind}


def _beyond(column: ColumnContract, spans: float) -> float | None:
    """A number so many spans above the range, or below it; None if training saw no number, or a double cannot hold it."""
    if column.low is None or column.high is None:
        return None
    end = column.high if spans > 0 else column.low
    number = end + spans * max(column.high - column.low, 1.0)
    return number if math.isfinite(number) else None


_NUMBERS: dict[str, Callable[[ColumnContract], float | None]] = {
    "lowest": lambda column: column.low,
    "highest": lambda column: column.high,
    "far below": lambda column: _beyond(column, -_FAR),
    "far above": lambda column: _beyond(column, _FAR),
    "zero": lambda column: 0.0,  # noqa: ARG005 - one signature for all
}


def as_frame(requests: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> pl.DataFrame:
    """Requests as the table that training would have read: numbers as Float64, dates as moments, the rest as text."""
    return pl.DataFrame([_as_series([row.get(column.name) for row in requests], column) for column in columns])


def _as_series(values: list[Any], column: Column) -> pl.Series:
    """One column of requests."""
    if column.kind is ColumnKind.NUMERIC:
        return pl.Series(column.name, values, dtype=pl.Float64, strict=False)
    if column.kind is ColumnKind.BOOLEAN:
        return pl.Series(column.name, values, dtype=pl.Boolean)
    texts = pl.Series(column.name, [None if value is None else str(value) for value in values], dtype=pl.String)
    if column.kind is ColumnKind.DATE:
        return texts.str.to_datetime(time_unit="us", strict=False) if texts.null_count() < len(texts) else texts
    return texts
