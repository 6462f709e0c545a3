"""The shadow's lane: a bounded queue and a thread, off the way of every answer. What does not fit is dropped and counted."""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from modelyard.core import ModelyardError
from modelyard.serving.endpoint import ActiveModel, PredictionRecord
from modelyard.serving.formats import Prediction, Row
from modelyard.serving.prediction_log import PredictionLog
from modelyard.serving.prediction_log.policy import Privacy
from modelyard.serving.roles import SHADOW

__all__ = ["Comparison", "ShadowLane", "is_score"]

_WAITING = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """One request as the version in shadow answered it.

    Parameters
    ----------
    latency_ms
        How long it took.
    scores, others
        Its scores, and the champion's, row by row; empty if it failed.
    agreed
        Rows for which both decided alike.
    is_invalid
        True if a score was none; False with empty scores means that it failed.
    """

    latency_ms: float
    scores: list[float] = dataclasses.field(default_factory=list)
    others: list[float] = dataclasses.field(default_factory=list)
    agreed: int = 0
    is_invalid: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Work:
    rows: Sequence[Row]
    answers: Sequence[Prediction]
    at: dt.datetime


class ShadowLane:
    """Asks a version what was answered already, and logs what it says with the role ``shadow`` and the answer's id.

    Its records have segments of their own, so that no answer's record waits for them.

    Parameters
    ----------
    model
        The version.
    log
        Its log; one that takes nothing costs the records, not the answers.
    privacy
        Takes out what is personal before anything is written.
    hear
        Is told each comparison, on the event loop that is running now.
    """

    def __init__(
        self, model: ActiveModel, log: PredictionLog, privacy: Privacy, hear: Callable[[Comparison], None]
    ) -> None:
        self._model = dataclasses.replace(model, role=SHADOW)
        self._log = log
        self._privacy = privacy
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.Queue[_Work | None] = queue.Queue(_WAITING)
        self._ends = False
        self.dropped = 0
        self.unlogged = 0
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, rows: Sequence[Row], answers: Sequence[Prediction], at: dt.datetime) -> None:
        """Take a request if there is room; never waits."""
        try:
            self._waiting.put_nowait(_Work(rows, answers, at))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Drop what waits and end the thread."""
        self._ends = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join()
        self._log.close()

    def _work(self) -> None:
        """The thread: one request after another."""
        while not self._ends and (work := self._waiting.get()) is not None:
            comparison = self._compared(work)
            with contextlib.suppress(RuntimeError):  # the loop is gone, and with it those who listen
                self._loop.call_soon_threadsafe(self._hear, comparison)

    def _compared(self, work: _Work) -> Comparison:
        began = time.perf_counter()
        try:
            flags, errors = self._model.check(work.rows)
            if errors:
                return Comparison(0.0)
            answers, records = self._model.predict(work.rows, flags, work.at, began)
        except Exception:  # noqa: BLE001 - the edge to a version that nobody knows yet; it is counted as a failure
            return Comparison(0.0)
        latency_ms = (time.perf_counter() - began) * 1000
        scores = [answer.score for answer in answers]
        if not all(is_score(score, self._model.classes) for score in scores):
            return Comparison(latency_ms, is_invalid=True)
        self._note(records, work.answers)
        agreed = sum(one.label == other.label for one, other in zip(answers, work.answers, strict=True))
        return Comparison(latency_ms, scores, [answer.score for answer in work.answers], agreed)

    def _note(self, records: Sequence[PredictionRecord], answers: Sequence[Prediction]) -> None:
        """Records under the ids of the answers, so that labels join to both."""
        pairs = zip(self._privacy.cleaned(records), answers, strict=True)
        try:
            self._log.append([msgspec.structs.replace(record, id=answer.id) for record, answer in pairs])
        except ModelyardError:
            self.unlogged += len(records)


def is_score(score: float, classes: Sequence[str]) -> bool:
    """True for a probability, or for a finite number if there are no classes.

    >>> is_score(1.2, ("no", "yes")), is_score(1.2, ()), is_score(float("nan"), ())
    (False, True, False)
    """
    return 0 <= score <= 1 if classes else math.isfinite(score)
