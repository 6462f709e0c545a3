"""Scoring a table: checked and scored whole, in a thread, logged row by row like every other prediction."""

import asyncio
import datetime as dt
from collections.abc import Collection, Sequence

import polars as pl

from modelyard.packaging.golden import as_requests
from modelyard.serving.answering import Answering
from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import FieldError, Flag, Prediction, Row
from modelyard.serving.rest import Line
from modelyard.serving.slices import Asked
from modelyard.serving.tables.forms import TableForm, TableLimits

__all__ = ["TableAnswering"]

_MOST_IN_LINE = 4
_ENOUGH_ERRORS = 1_000
_KEPT_AT_ONCE = 1_024  # records that wait for the disk together, and that hold up others while they are encoded


class TableAnswering:
    """Answers tables, one at a time.

    Parameters
    ----------
    answering
        Keeps and counts what is answered and refused.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        settings = answering.settings
        self._limits = TableLimits(settings.max_table_rows, settings.max_table_bytes)
        self._line = Line(_MOST_IN_LINE, "tables")

    async def answer(
        self, model: ActiveModel, body: bytes, form: TableForm, started: float, *, uncertainty: bool = False
    ) -> list[Prediction]:
        """Predictions for the rows of a table.

        Raises
        ------
        RefusedRequestError
            400 for bytes that are no table, 413 for one too large, 422 for one that breaks the contract, 503 if too many
            are in line or the log takes nothing.
        """
        async with self._line.place():
            frame = await asyncio.to_thread(_read, body, form, model.columns, self._limits)
            with self._answering.step("check", model, frame.height):
                flags, errors = await asyncio.to_thread(_checked, model, frame)
                if errors:
                    raise self._answering.refusal(model, errors)
            asked = Asked(dt.datetime.now(dt.UTC), started, self._answering.settings.slice_rows, uncertainty)
            if self._answering.routing.router is not None:  # a version is rolled out: rows find their own way
                rows = await asyncio.to_thread(_rows, model, _whole(model, frame))
                return await self._answering.conclude(model, rows, flags, asked)
            with self._answering.step("score", model, frame.height):
                answers, records = await asyncio.to_thread(_scored, model, frame, flags, asked)
            for first in range(0, len(answers), _KEPT_AT_ONCE):
                part = slice(first, first + _KEPT_AT_ONCE)
                await self._answering.keep(model, answers[part], records[part])
        return answers


def _read(body: bytes, form: TableForm, wanted: Collection[str], limits: TableLimits) -> pl.DataFrame:
    """The table; PyArrow is loaded when the first one comes, since most servers never see one."""
    from modelyard.serving.tables.reading import read_body

    return read_body(body, form, wanted, limits)


def _checked(model: ActiveModel, frame: pl.DataFrame) -> tuple[list[tuple[Flag, ...]], list[FieldError]]:
    """Flags by row, and what forbids to score the table; the contract is held against whole columns."""
    violations = model.contract.check_frame(frame)
    broken = violations.filter("rejects").head(_ENOUGH_ERRORS)
    errors = [
        FieldError(item["column"], item["got"][:120], item["expected"][:240], row=item["row"], rule=item["rule"])
        for item in broken.iter_rows(named=True)
    ]
    flags: list[list[Flag]] = [[] for _ in range(frame.height)]
    for item in () if errors else violations.iter_rows(named=True):
        flag = Flag(item["column"], item["rule"], item["got"][:120], item["expected"][:240])
        for row in flags if item["row"] is None else (flags[item["row"]],):
            row.append(flag)
    return [tuple(row) for row in flags], errors


def _scored(
    model: ActiveModel, frame: pl.DataFrame, flags: Sequence[tuple[Flag, ...]], asked: Asked
) -> tuple[list[Prediction], list[PredictionRecord]]:
    """Answers and records; the table is scored as batch scoring does it."""
    whole = _whole(model, frame)
    scores = model.scorer.score_frame(whole)
    rows = _rows(model, whole)
    return model.predict(rows, flags, asked.at, asked.started, uncertainty=asked.uncertainty, scores=scores)


def _whole(model: ActiveModel, frame: pl.DataFrame) -> pl.DataFrame:
    """The table as the contract wants it, with what else of it is logged."""
    whole = model.contract.conformed(frame)
    beside = model.columns.intersection(frame.columns) - set(whole.columns)
    return whole.with_columns(frame.select(sorted(beside)))


def _rows(model: ActiveModel, whole: pl.DataFrame) -> list[Row]:
    """The table's rows as a request has them."""
    return as_requests(whole.select(sorted(model.columns & set(whole.columns))))
