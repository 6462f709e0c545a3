"""From rows to answers that are on record: check, score, log, count."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from modelyard.core import StateError
from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import FeedbackRecord, FieldError, Flag, Prediction, RefusedRequestError, Row
from modelyard.serving.prediction_log import LogKind, PredictionLog
from modelyard.serving.rest import ServingMetrics
from modelyard.serving.settings import ServingSettings

__all__ = ["Answering"]

_ENOUGH_ERRORS = 1_000  # the caller has much to correct then; the rest is not looked at


@dataclasses.dataclass(frozen=True, slots=True)
class Answering:
    """Answers rows and takes feedback; nothing is acknowledged that is not in the log.

    Parameters
    ----------
    settings
        The limits.
    metrics
        Counts what happens.
    predictions, feedback
        The logs.
    """

    settings: ServingSettings
    metrics: ServingMetrics
    predictions: PredictionLog
    feedback: PredictionLog

    @classmethod
    def open(cls, model: ActiveModel, settings: ServingSettings, metrics: ServingMetrics) -> "Answering":
        """With logs in the folder of the settings.

        Raises
        ------
        ModelyardError
            If the log folder cannot be made or written to.
        """
        logs = [
            PredictionLog(
                settings.log_folder,
                kind,
                columns=model.kinds if kind is LogKind.PREDICTIONS else None,
                segment_bytes=settings.segment_bytes,
                max_pending_bytes=settings.max_pending_log_bytes,
            )
            for kind in (LogKind.PREDICTIONS, LogKind.FEEDBACK)
        ]
        return cls(settings, metrics, *logs)

    def take_over(self, model: ActiveModel) -> None:
        """Another model answers from now on: the log says what its columns are."""
        self.predictions.describe(model.kinds)

    async def answer(
        self, model: ActiveModel, rows: Sequence[Row], started: float, *, uncertainty: bool = False
    ) -> list[Prediction]:
        """Check, score and log rows that came at ``started`` (:func:`time.perf_counter`); say how sure, if asked.

        A large request is worked off in slices, between which others have their turn.

        Raises
        ------
        RefusedRequestError
            413 for too many rows, 422 for rows that break the contract, 503 if the log takes nothing.
        """
        self._limit(len(rows))
        at = dt.datetime.now(dt.UTC)
        flags = await self._checked(model, rows)
        answers, records = await self._scored(model, rows, flags, at=at, started=started, uncertainty=uncertainty)
        await self.keep(model, answers, records)
        return answers

    async def keep(
        self, model: ActiveModel, answers: Sequence[Prediction], records: Sequence[PredictionRecord]
    ) -> None:
        """Log and count what is about to be answered.

        Raises
        ------
        RefusedRequestError
            With status 503, if the log takes nothing.
        """
        await _record(self.predictions, records)
        self._count(model, answers)

    def step(self, name: str, model: ActiveModel, rows: int) -> contextlib.AbstractContextManager[None]:
        """What surrounds a step that takes long, such as ``explain``; nothing here, a span where requests are traced."""
        del name, model, rows
        return contextlib.nullcontext()

    async def take_feedback(self, records: Sequence[FeedbackRecord]) -> None:
        """Log labels that came back.

        Raises
        ------
        RefusedRequestError
            413 for too many, 503 if the log takes nothing.
        """
        self._limit(len(records))
        await _record(self.feedback, records)
        self.metrics.feedback += len(records)

    async def close(self) -> None:
        """Write what is pending and close the logs."""
        await self.predictions.drain()
        await self.feedback.drain()

    def _limit(self, rows: int) -> None:
        """Refuse more rows than one request may have."""
        if rows > self.settings.max_rows:
            raise RefusedRequestError(
                413,
                "too-many-rows",
                f"the request has {rows} rows, more than {self.settings.max_rows}",
                cure="Send fewer rows at once, or use batch scoring",
            )

    async def _checked(self, model: ActiveModel, rows: Sequence[Row]) -> list[tuple[Flag, ...]]:
        """Flags by row, if the contract lets every row pass."""
        size = self.settings.slice_rows
        flags: list[tuple[Flag, ...]] = []
        errors: list[FieldError] = []
        for first in range(0, len(rows), size):
            if first:
                await asyncio.sleep(0)
            some_flags, some_errors = model.check(rows[first : first + size], first)
            flags += some_flags
            errors += some_errors
            if len(errors) >= _ENOUGH_ERRORS:
                break
        if errors:
            raise self.refusal(model, errors)
        return flags

    def refusal(self, model: ActiveModel, errors: Sequence[FieldError]) -> RefusedRequestError:
        """The refusal of rows that break the contract, counted by field."""
        self._count_rejections(model, errors)
        return RefusedRequestError(
            422,
            "contract-violated",
            "the rows break the model's contract, so nothing was predicted",
            cure="Correct the fields named in 'errors'; GET /docs shows what each field may hold",
            errors=errors,
        )

    async def _scored(
        self,
        model: ActiveModel,
        rows: Sequence[Row],
        flags: Sequence[tuple[Flag, ...]],
        *,
        at: dt.datetime,
        started: float,
        uncertainty: bool,
    ) -> tuple[list[Prediction], list[PredictionRecord]]:
        """Answers for checked rows, and their records."""
        size = self.settings.slice_rows
        answers: list[Prediction] = []
        records: list[PredictionRecord] = []
        for first in range(0, len(rows), size):
            if first:
                await asyncio.sleep(0)
            part = slice(first, first + size)
            some_answers, some_records = model.predict(rows[part], flags[part], at, started, uncertainty=uncertainty)
            answers += some_answers
            records += some_records
        return answers, records

    def _count(self, model: ActiveModel, answers: Sequence[Prediction]) -> None:
        """Count what was answered."""
        metrics = self.metrics
        key = (model.name, model.version)
        metrics.predictions[key] = metrics.predictions.get(key, 0) + len(answers)
        for answer in answers:
            if model.classes:
                label = (str(answer.label),)
                metrics.labels[label] = metrics.labels.get(label, 0) + 1
            for flag in answer.flags:
                mark = (flag.field, flag.rule)
                metrics.flags[mark] = metrics.flags.get(mark, 0) + 1

    def _count_rejections(self, model: ActiveModel, errors: Sequence[FieldError]) -> None:
        """Count what was refused; fields that the contract does not know share one label, so that labels are bounded."""
        rejections = self.metrics.rejections
        for error in errors:
            key = (error.field if error.field in model.columns else "other", error.rule)
            rejections[key] = rejections.get(key, 0) + 1


async def _record(log: PredictionLog, records: Sequence[Any]) -> None:
    """Write to a log; if it takes nothing, no answer leaves."""
    try:
        await log.write(records)
    except StateError as error:
        raise RefusedRequestError(
            503,
            "log-unavailable",
            "the request cannot be recorded at the moment, so it is not answered; nothing of it was kept",
            cure="Send it again in a moment",
            headers={"retry-after": "1"},
        ) from error
