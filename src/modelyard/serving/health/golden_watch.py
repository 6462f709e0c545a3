"""Golden rows replayed while the server runs: memory, libraries and the user's own features may change beneath it."""

import asyncio
import dataclasses
import datetime as dt
import logging
import sys
import time
from typing import Any

import numpy as np

from modelyard.core import ModelyardError, Record
from modelyard.packaging import Parity, Scorer
from modelyard.packaging.golden import replay
from modelyard.serving.endpoint import ActiveModel, Endpoint

__all__ = ["GoldenWatch", "Replay", "replayed"]

_logger = logging.getLogger("modelyard.serving")

_LEAST_S = 1.0
"""Between two replays, however often they are asked for."""


@dataclasses.dataclass(frozen=True)
class Replay(Record):
    """What one replay found.

    Parameters
    ----------
    model, version
        What was replayed.
    parity
        How far answers are from those of training.
    out_of_range
        Golden rows whose answer lies outside of all that is expected of any of them.
    at, seconds
        When, and how long it took.
    """

    model: str
    version: str
    parity: Parity
    out_of_range: int
    at: dt.datetime
    seconds: float

    @property
    def ok(self) -> bool:
        """True if the model may answer."""
        return self.parity.ok and not self.out_of_range


class GoldenWatch:
    """Replays the golden rows of the model that answers.

    Parameters
    ----------
    endpoint
        Its model is replaced by one that may not answer, or may again.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._turn = asyncio.Lock()
        self._last: Replay | None = None
        self._looked = -_LEAST_S

    async def look(self) -> Replay:
        """Replay now, in a thread; or tell what was found, if that is less than a second old."""
        async with self._turn:
            model = self._endpoint.active
            last = self._last
            fresh = time.monotonic() - self._looked < _LEAST_S
            if last is not None and fresh and (last.model, last.version) == (model.name, model.version):
                return last
            found = await asyncio.to_thread(replayed, model)
            self._last, self._looked = found, time.monotonic()
            if self._endpoint.active is model and found.ok != model.is_verified:
                self._tell(found)
                parity = dataclasses.replace(found.parity, ok=found.ok)
                self._endpoint.active = dataclasses.replace(model, parity=parity)
            return found

    def gauges(self) -> dict[str, tuple[str, float]]:
        """The last replay as gauges: name to help and value; none before the first."""
        last = self._last
        if last is None:
            return {}
        parity = last.parity
        return {
            "modelyard_golden_ok": ("Whether the last replay of the golden rows came out as expected.", float(last.ok)),
            "modelyard_golden_rows": ("Golden rows replayed.", parity.rows),
            "modelyard_golden_max_abs_difference": (
                "Largest difference in the last replay.",
                parity.max_abs_difference,
            ),
            "modelyard_golden_out_of_range_rows": ("Golden rows outside of the expected range.", last.out_of_range),
            "modelyard_golden_seconds": ("Time that the last replay took.", last.seconds),
            "modelyard_golden_timestamp_seconds": (
                "When the last replay was, in seconds since 1970.",
                last.at.timestamp(),
            ),
        }

    @staticmethod
    def _tell(found: Replay) -> None:
        """Say once that a model answers no longer, or again."""
        facts: dict[str, Any] = {
            "version": found.version,
            "max_abs_difference": found.parity.max_abs_difference,
            "tolerance": found.parity.tolerance,
            "out_of_range": found.out_of_range,
        }
        if found.ok:
            _logger.warning("the golden rows are reproduced again, so answers are given", extra=facts)
        else:
            _logger.error("the golden rows are no longer reproduced, so no answers are given", extra=facts)


def replayed(model: ActiveModel) -> Replay:
    """Replay a model's golden rows; a scorer that fails at it disagrees."""
    started = time.perf_counter()
    scorer = model.scorer
    golden = scorer.golden
    try:
        parity = replay(golden, scorer)
        outside = _out_of_range(scorer)
    except ModelyardError as error:
        _logger.warning("the golden rows cannot be scored", extra={"why": error.sentence})
        parity = Parity(len(golden.rows), sys.float_info.max, golden.tolerance, ok=False)
        outside = len(golden.rows)
    seconds = time.perf_counter() - started
    return Replay(model.name, model.version, parity, outside, dt.datetime.now(dt.UTC), round(seconds, 6))


def _out_of_range(scorer: Scorer) -> int:
    """Golden rows with an answer that is no number, or lies outside of all expected ones."""
    rows = scorer.golden.rows
    if not rows:
        return 0
    expected = np.array([row.expected for row in rows])
    slack = scorer.golden.tolerance * np.maximum(1.0, np.abs(expected).max())
    got = scorer.score_rows([row.features for row in rows]).reshape(len(rows), -1)
    inside = np.isfinite(got) & (got >= expected.min() - slack) & (got <= expected.max() + slack)
    return int((~inside.all(axis=1)).sum())
