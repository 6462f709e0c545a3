"""The router: each row goes to its variant, and whatever the new version does, the champion is there to answer."""

import asyncio
import dataclasses
import logging
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelyard.core import new_id
from modelyard.rollout import Phase, State, StepKind, share_of
from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import Flag, Prediction, Row
from modelyard.serving.roles import BASELINE, CANARY, ROLES, SHADOW, STABLE
from modelyard.serving.routing.shadow import Comparison, ShadowLane, is_score
from modelyard.serving.routing.tally import Tally
from modelyard.serving.slices import Asked, predict_in_slices

if TYPE_CHECKING:
    from modelyard.governance import Rollout

__all__ = ["Routed", "Router", "Routing"]

_logger = logging.getLogger("modelyard.serving")

_TOLD_FAILURES = 3
"""Failures of a candidate whose traceback goes to the process's log; the others are counted."""


@dataclasses.dataclass
class Routing:
    """The place where requests see whether a version is rolled out: None in ``router`` if not.

    Parameters
    ----------
    router
        Divides requests.
    aborted
        Rollouts that this process took back by itself.
    broken_glass
        Promotions past the gates that nobody has reviewed.
    """

    router: "Router | None" = None
    aborted: int = 0
    broken_glass: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Routed:
    """What became of a request: answers and records in the order of its rows, and who gave them."""

    answers: list[Prediction]
    records: list[PredictionRecord]
    parts: list[tuple[ActiveModel, list[Prediction]]]


class Router:
    """Divides requests between the champion and the version that is rolled out.

    With a key each row goes by its own key, so that a caller keeps its variant, also within a request with many rows;
    without one a request goes as a whole, since nobody could tell its rows apart. The variant is found by where the key
    falls in [0, 1): below the weight it is the canary's, and from the other end a slice of equal size is the
    champion's baseline. Whoever is in the canary stays there while the weight rises.

    The champion's contract decides what is refused. A row that it lets pass and that the new version cannot answer, or
    answers with a score that is none, is a failure of the new version, and the champion answers.

    Parameters
    ----------
    rollout
        Which one; its id is the salt.
    candidate
        The version, verified.
    lane
        Asks the version in shadow; None if there is no shadow.
    """

    def __init__(self, rollout: "Rollout", candidate: ActiveModel, lane: ShadowLane | None = None) -> None:
        self.rollout = rollout
        self.candidate = dataclasses.replace(candidate, role=CANARY)
        self.lane = lane
        self.tallies = {role: Tally() for role in ROLES}
        self.phase = Phase.PAUSED
        self.share = 0.0
        self.shadow_share = 0.0
        self._from_baseline = 1.0
        self._baseline: ActiveModel | None = None
        self._told = 0

    def follow(self, state: State) -> None:
        """From now on divide by this state."""
        plan = self.rollout.plan
        self.phase = state.phase
        self.share = 0.0 if state.phase.is_over else state.weight / 100
        is_compared = plan.has_baseline and 0 < self.share < 1
        self._from_baseline = max(self.share, 1 - self.share) if is_compared else math.inf
        step = plan.steps[state.step] if state.step < len(plan.steps) else None
        is_shadow = step is not None and step.kind is StepKind.SHADOW and not state.phase.is_over
        self.shadow_share = step.weight / 100 if step is not None and is_shadow else 0.0

    def role_of(self, place: float) -> str:
        """Who answers what fell there."""
        if place < self.share:
            return CANARY
        return BASELINE if place >= self._from_baseline else STABLE

    async def answered(
        self, model: ActiveModel, rows: Sequence[Row], flags: Sequence[tuple[Flag, ...]], asked: Asked
    ) -> Routed:
        """Answer rows that the champion's contract lets pass."""
        parts = self._divided(rows) if self.share else {STABLE: range(len(rows))}
        answers: list[Any] = [None] * len(rows)
        records: list[Any] = [None] * len(rows)
        given: list[tuple[ActiveModel, list[Prediction]]] = []
        for role, places in parts.items():
            some_rows, some_flags = [rows[place] for place in places], [flags[place] for place in places]
            who, some_answers, some_records = await self._part(role, model, some_rows, some_flags, asked)
            given.append((who, some_answers))
            for place, answer, record in zip(places, some_answers, some_records, strict=True):
                answers[place], records[place] = answer, record
        return Routed(answers, records, given)

    def shadow(self, rows: Sequence[Row], answers: Sequence[Prediction], asked: Asked) -> None:
        """Have the version answer in shadow what was answered already; nobody waits for it."""
        if self.lane is not None and self.shadow_share and share_of(self.rollout.id, answers[0].id) < self.shadow_share:
            self.lane.offer(rows, answers, asked.at)

    def hear(self, comparison: Comparison) -> None:
        """Count what the version answered in shadow."""
        tally = self.tallies[SHADOW]
        if not comparison.scores:
            tally.failed(invalid=comparison.is_invalid)
            return
        tally.answered(comparison.latency_ms, comparison.scores)
        tally.compared(comparison.others, comparison.agreed)

    def begin_windows(self) -> None:
        """What was counted until now is judged."""
        for tally in self.tallies.values():
            tally.begin_window()

    def close(self) -> None:
        """End the shadow's thread."""
        if self.lane is not None:
            self.lane.close()

    def _divided(self, rows: Sequence[Row]) -> dict[str, Sequence[int]]:
        """Numbers of rows by role."""
        salt, key = self.rollout.id, self.rollout.plan.key
        by_request = share_of(salt, new_id())
        if key is None:
            return {self.role_of(by_request): range(len(rows))}
        parts: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            value = row.get(key)
            place = by_request if value is None or value == "" else share_of(salt, str(value))
            parts.setdefault(self.role_of(place), []).append(number)
        return dict(parts)

    async def _part(
        self, role: str, model: ActiveModel, rows: list[Row], flags: list[tuple[Flag, ...]], asked: Asked
    ) -> tuple[ActiveModel, list[Prediction], list[PredictionRecord]]:
        """One variant's rows; what the new version fails at, the champion answers."""
        began = time.perf_counter()
        if role == CANARY:
            found = await self._from_candidate(rows, asked)
            if found is not None:
                self._count(CANARY, found[0], began)
                return self.candidate, *found
            role, began = STABLE, time.perf_counter()
        who = self._champion(model) if role == BASELINE else model
        answers, records = await predict_in_slices(who, rows, flags, asked)
        self._count(role, answers, began)
        return who, answers, records

    async def _from_candidate(
        self, rows: list[Row], asked: Asked
    ) -> tuple[list[Prediction], list[PredictionRecord]] | None:
        """What the new version says; None if it fails in any way."""
        try:
            flags, errors = await self._checked(rows, asked.slice_rows)
            if errors:
                raise ValueError(f"its contract refuses {errors[0]}")  # noqa: TRY301 - it is a failure like the others
            answers, records = await predict_in_slices(self.candidate, rows, flags, asked)
        except Exception as error:  # noqa: BLE001 - the edge to a version nobody knows yet: the champion answers
            self._fail(error)
            return None
        if all(is_score(answer.score, self.candidate.classes) for answer in answers):
            return answers, records
        self.tallies[CANARY].failed(invalid=True)
        return None

    async def _checked(self, rows: list[Row], size: int) -> tuple[list[tuple[Flag, ...]], list[str]]:
        """Flags by the candidate's own contract, and the field that it refuses first."""
        flags: list[tuple[Flag, ...]] = []
        for first in range(0, len(rows), size):
            if first:
                await asyncio.sleep(0)
            some, errors = self.candidate.check(rows[first : first + size], first)
            if errors:
                return [], [errors[0].field]
            flags += some
        return flags, []

    def _fail(self, error: Exception) -> None:
        self.tallies[CANARY].failed(invalid=False)
        self._told += 1
        if self._told <= _TOLD_FAILURES:
            extra = {"version": self.candidate.version}
            _logger.error("the version that is rolled out failed, the champion answers", extra=extra, exc_info=error)

    def _count(self, role: str, answers: Sequence[Prediction], began: float) -> None:
        latency_ms = (time.perf_counter() - began) * 1000
        self.tallies[role].answered(latency_ms, [answer.score for answer in answers])

    def _champion(self, model: ActiveModel) -> ActiveModel:
        """The champion as baseline."""
        if self._baseline is None or self._baseline.scorer is not model.scorer:
            self._baseline = dataclasses.replace(model, role=BASELINE)
        return self._baseline
