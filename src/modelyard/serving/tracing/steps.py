"""Answering with a span around each step: check, score, log."""

import contextlib
import dataclasses
from collections.abc import Sequence

from modelyard.serving.answering import Answering
from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import Flag, Prediction, Row
from modelyard.serving.slices import Asked
from modelyard.serving.tracing.spans import Tracing

__all__ = ["TracedAnswering"]


@dataclasses.dataclass(frozen=True)
class TracedAnswering(Answering):
    """Answers as ever, and makes spans meanwhile; what is not traced does not know of it.

    Parameters
    ----------
    tracing
        Makes the spans.
    """

    tracing: Tracing

    @classmethod
    def around(cls, answering: Answering, tracing: Tracing) -> "TracedAnswering":
        """The same, traced."""
        parts = {field.name: getattr(answering, field.name) for field in dataclasses.fields(answering)}
        return cls(**parts, tracing=tracing)

    def step(self, name: str, model: ActiveModel, rows: int) -> contextlib.AbstractContextManager[None]:
        """A span."""
        return self.tracing.step(name, _facts(model, rows))

    async def keep(
        self, model: ActiveModel, answers: Sequence[Prediction], records: Sequence[PredictionRecord]
    ) -> None:
        """Log and count within a span."""
        with self.step("log", model, len(records)):
            await super().keep(model, answers, records)

    async def _checked(self, model: ActiveModel, rows: Sequence[Row]) -> list[tuple[Flag, ...]]:
        with self.step("check", model, len(rows)):
            return await super()._checked(model, rows)

    async def _scored(
        self, model: ActiveModel, rows: Sequence[Row], flags: Sequence[tuple[Flag, ...]], asked: Asked
    ) -> tuple[list[Prediction], list[PredictionRecord]]:
        with self.step("score", model, len(rows)):
            return await super()._scored(model, rows, flags, asked)


def _facts(model: ActiveModel, rows: int) -> dict[str, str | int]:
    return {"modelyard.model": model.name, "modelyard.version": model.version, "modelyard.rows": rows}
