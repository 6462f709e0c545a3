"""From rows to answers that are on record: check, score, log, count."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
from collections.abc import Awaitable, Sequence

from modelyard.core import StateError
from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import FeedbackRecord, FieldError, Flag, Prediction, RefusedRequestError, Row
from modelyard.serving.formats.refusals import contract_violated, log_unavailable, too_many_rows
from modelyard.serving.prediction_log import LogKind, PredictionLog
from modelyard.serving.prediction_log.keeping import Keeper
from modelyard.serving.rest import ServingMetrics
from modelyard.serving.routing.router import Routing
from modelyard.serving.settings import ServingSettings
from modelyard.serving.slices import Asked, predict_in_slices

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
    keeper
        Writes predictions by the log's policy.
    routing
        Whether a version is rolled out.
    """

    settings: ServingSettings
    metrics: ServingMetrics
    predictions: PredictionLog
    feedback: PredictionLog
    keeper: Keeper
    routing: Routing

    @classmethod
    def open(cls, model: ActiveModel, settings: ServingSettings, metrics: ServingMetrics) -> "Answering":
        """With logs in the folder of the settings.

        Raises
        ------
        ModelyardError
            If the log folder cannot be made or written to, or its policy does not fit the model.
        """
        predictions, feedback = (
            PredictionLog(
                settings.log_folder,
                kind,
                columns=model.kinds if kind is LogKind.PREDICTIONS else None,
                segment_bytes=settings.segment_bytes,
                max_pending_bytes=settings.max_pending_log_bytes,
            )
            for kind in (LogKind.PREDICTIONS, LogKind.FEEDBACK)
        )
        keeper = Keeper(settings.log, settings.log_folder, model.columns)
        return cls(settings, metrics, predictions, feedback, keeper, Routing())

    def take_over(self, model: ActiveModel) -> None:
        """Another model answers from now on: the log says what its columns are."""
        self.predictions.describe(model.kinds)

    async def answer(
        self,
        model: ActiveModel,
        rows: Sequence[Row],
        started: float,
        *,
        uncertainty: bool = False,
        is_named: bool = False,
    ) -> list[Prediction]:
        """Check, score and log rows that came at ``started`` (:func:`time.perf_counter`); say how sure, if asked.

        A large request is worked off in slices, between which others have their turn. While a version is rolled out, it
        answers some of the rows in place of ``model``, unless the caller named the version (``is_named``).

        Raises
        ------
        RefusedRequestError
            413 for too many rows, 422 for rows that break the contract, 503 if the log takes nothing.
        """
        self._limit(len(rows))
        asked = Asked(dt.datetime.now(dt.UTC), started, self.settings.slice_rows, uncertainty)
        flags = await self._checked(model, rows)
        return await self.conclude(model, rows, flags, asked, is_named=is_named)

    async def conclude(
        self,
        model: ActiveModel,
        rows: Sequence[Row],
        flags: Sequence[tuple[Flag, ...]],
        asked: Asked,
        *,
        is_named: bool = False,
    ) -> list[Prediction]:
        """Score, log and count rows that the contract let pass; as :meth:`answer`.

        Raises
        ------
        RefusedRequestError
            With status 503, if the log takes nothing.
        """
        router = self.routing.router
        if router is None or is_named or not rows:
            answers, records = await self._scored(model, rows, flags, asked)
            await self.keep(model, answers, records)
            return answers
        with self.step("score", model, len(rows)):
            routed = await router.answered(model, rows, flags, asked)
        with self.step("log", model, len(rows)):
            await _kept(self.keeper.keep(self.predictions, routed.records))
        for who, some in routed.parts:
            self.count(who, some)
        router.shadow(rows, routed.answers, asked)
        return routed.answers

    async def keep(
        self, model: ActiveModel, answers: Sequence[Prediction], records: Sequence[PredictionRecord]
    ) -> None:
        """Log and count what is about to be answered.

        Raises
        ------
        RefusedRequestError
            With status 503, if the log takes nothing.
        """
        await _kept(self.keeper.keep(self.predictions, records))
        self.count(model, answers)

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
        await _kept(self.feedback.write(records))
        self.metrics.feedback += len(records)

    async def close(self) -> None:
        """Write what is pending and close the logs."""
        await self.predictions.drain()
        await self.feedback.drain()
        await self.keeper.close()

    def _limit(self, rows: int) -> None:
        """Refuse more rows than one request may have."""
        if rows > self.settings.max_rows:
            raise too_many_rows(rows, self.settings.max_rows)

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
        cure = "Correct the fields named in 'errors'; GET /docs shows what each field may hold"
        return contract_violated(errors, cure=cure)

    async def _scored(
        self, model: ActiveModel, rows: Sequence[Row], flags: Sequence[tuple[Flag, ...]], asked: Asked
    ) -> tuple[list[Prediction], list[PredictionRecord]]:
        """Answers for checked rows, and their records."""
        return await predict_in_slices(model, rows, flags, asked)

    def count(self, model: ActiveModel, answers: Sequence[Prediction]) -> None:
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


async def _kept(writing: Awaitable[None]) -> None:
    """Wait for a log; if it takes nothing, no answer leaves."""
    try:
        await writing
    except StateError as error:
        raise log_unavailable() from error
