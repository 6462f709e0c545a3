"""Answering rows with reasons: in a thread, one request at a time, and only so many in line."""

import asyncio
from collections.abc import Sequence
from typing import Any

from modelyard.core import StateError
from modelyard.serving.answering import Answering
from modelyard.serving.endpoint import ActiveModel
from modelyard.serving.explaining.answers import Explanation, explanation_of
from modelyard.serving.formats import ParsedRows, RefusedRequestError, Row
from modelyard.serving.rest import Line

__all__ = ["Explaining"]

_MOST_IN_LINE = 8


class Explaining:
    """Predicts rows, and says why.

    Parameters
    ----------
    answering
        Checks, scores and logs the rows, as for every prediction.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._line = Line(_MOST_IN_LINE, "explanations")

    async def answer(self, model: ActiveModel, parsed: ParsedRows, started: float) -> dict[str, Any]:
        """The body of the answer: prediction and explanation of one row, or of each.

        Raises
        ------
        RefusedRequestError
            413 for more rows than can be explained at once, 422 for rows that break the contract or a model that cannot
            be explained, 503 if too many are in line or the log takes nothing.
        """
        async with self._line.place():
            explainer = model.scorer.explainer
            _limit(len(parsed.rows), await asyncio.to_thread(lambda: explainer.most_rows))
            answers = await self._answering.answer(model, parsed.rows, started, is_named=True)
            with self._answering.step("explain", model, len(parsed.rows)):
                reasons = await asyncio.to_thread(_explained, model, parsed.rows)
        found = [{"prediction": answer, "explanation": why} for answer, why in zip(answers, reasons, strict=True)]
        return found[0] if parsed.is_single else {"explanations": found}


def _limit(rows: int, most: int) -> None:
    """Refuse more rows than can be explained in about a second."""
    if not most:
        raise _cannot("this model has too many columns to be explained on request")
    if rows > most:
        raise RefusedRequestError(
            413, "too-many-rows", f"the request has {rows} rows, and at most {most} are explained at once"
        )


def _explained(model: ActiveModel, rows: Sequence[Row]) -> list[Explanation]:
    """The explanations of checked rows; takes milliseconds to a second."""
    try:
        reasons = model.scorer.explainer.explain(rows)
    except StateError as error:
        raise _cannot(error.sentence) from error
    return [explanation_of(row, found) for row, found in zip(rows, reasons, strict=True)]


def _cannot(what: str) -> RefusedRequestError:
    return RefusedRequestError(
        422, "no-explanation", what, cure="See the explanations in the model's evaluation report"
    )
