"""Large requests are scored in slices, between which others have their turn."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import Flag, Prediction, Row

__all__ = ["Asked", "predict_in_slices"]


class Asked(NamedTuple):
    """How a request asks.

    Parameters
    ----------
    at, started
        When it came, by the calendar and by :func:`time.perf_counter`.
    slice_rows
        Rows between two turns of the event loop.
    uncertainty
        Whether answers say how sure they are.
    """

    at: dt.datetime
    started: float
    slice_rows: int
    uncertainty: bool = False


async def predict_in_slices(
    model: ActiveModel, rows: Sequence[Row], flags: Sequence[tuple[Flag, ...]], asked: Asked
) -> tuple[list[Prediction], list[PredictionRecord]]:
    """Answers for checked rows, and their records; see :meth:`ActiveModel.predict`."""
    size = asked.slice_rows
    if len(rows) <= size:
        return model.predict(rows, flags, asked.at, asked.started, uncertainty=asked.uncertainty)
    answers: list[Prediction] = []
    records: list[PredictionRecord] = []
    for first in range(0, len(rows), size):
        if first:
            await asyncio.sleep(0)
        part = slice(first, first + size)
        some_answers, some_records = model.predict(
            rows[part], flags[part], asked.at, asked.started, uncertainty=asked.uncertainty
        )
        answers += some_answers
        records += some_records
    return answers, records
