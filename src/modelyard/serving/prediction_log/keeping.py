"""Keeping records by the policy: what is personal is taken out first, and a log that takes nothing means what was chosen."""

import asyncio
import contextvars
import dataclasses
import datetime as dt
import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from modelyard.core import StateError
from modelyard.serving.prediction_log.policy import LogPolicy, Privacy
from modelyard.serving.prediction_log.segments import LogKind
from modelyard.serving.prediction_log.writer import PredictionLog, Told

__all__ = ["LEFT_OUT", "Keeper"]

LEFT_OUT: contextvars.ContextVar[bool] = contextvars.ContextVar("modelyard_left_out", default=False)
"""True in a request whose answers leave without a record."""

_logger = logging.getLogger("modelyard.serving")


@dataclasses.dataclass
class _Gap:
    """Answers that left without a record, since the log took none."""

    at: dt.datetime
    until: dt.datetime
    answers: int


class Keeper:
    """Writes predictions to the log, or leaves them out where the policy allows that.

    A gap is logged itself, once the log takes records again: from when to when, and how many answers. A process that is
    killed before that takes the knowledge of its gap with it.

    Parameters
    ----------
    policy
        What was chosen.
    folder
        Of the log.
    columns
        What the model knows.

    Raises
    ------
    ConfigError
        If the policy names columns that the model does not know, or a key or an address that cannot be used.
    """

    def __init__(self, policy: LogPolicy, folder: Path, columns: Collection[str]) -> None:
        self.policy = policy
        self.left_out = 0
        self._folder = folder
        self._privacy = Privacy(policy, columns)
        self._gap: _Gap | None = None
        self._recording: asyncio.Task[None] | None = None
        self._shipper = None
        if policy.sink is not None:
            from modelyard.serving.prediction_log.shipping import Shipper
            from modelyard.serving.prediction_log.sink import LogDatabase

            self._shipper = Shipper(folder, LogDatabase(policy.sink), pause_s=policy.ship_s)
            self._shipper.start()

    @property
    def answers_always(self) -> bool:
        """True if answers leave even without a record."""
        return self.policy.on_full == "answer"

    async def keep(self, log: PredictionLog, records: Sequence[Any]) -> None:
        """Record predictions, or leave them out and say so.

        Raises
        ------
        StateError
            If the log takes nothing, or is too far ahead of its copy, and the policy is to refuse.
        """
        try:
            self._refuse_if_behind()
            await log.write(self._privacy.cleaned(records))
        except StateError as error:
            if not self.answers_always:
                raise
            self.leave_out(len(records), error)
            LEFT_OUT.set(True)
            return
        if self._gap is not None:
            await self._record_gap()

    def hand_in(self, log: PredictionLog, records: Sequence[Any], told: Told) -> None:
        """Record predictions for a caller on the event loop who does not wait but is ``told``, also of a refusal."""
        told = told if self._gap is None else self._and_record_gap(told)
        try:
            self._refuse_if_behind()
            log.hand_in(self._privacy.cleaned(records), told)
        except StateError as error:
            told(error)

    def gauges(self) -> dict[str, tuple[str, float]]:
        """Figures for the metrics."""
        found = {"modelyard_log_left_out_total": ("Answers that left without a record.", float(self.left_out))}
        if self._shipper is not None:
            found |= {
                "modelyard_log_shipped_total": (
                    "Records copied to the database.",
                    float(self._shipper.records_shipped),
                ),
                "modelyard_log_shipping_failures_total": ("Attempts that failed.", float(self._shipper.failures)),
                "modelyard_log_backlog_bytes": (
                    "Bytes that are not in the database yet.",
                    float(self._shipper.backlog_bytes),
                ),
            }
        return found

    async def close(self) -> None:
        """Copy what is left; the logs are closed by then."""
        if self._recording is not None:
            await self._recording
        if self._gap is not None:
            await self._record_gap()
        if self._shipper is not None:
            await asyncio.to_thread(self._shipper.close)

    def _refuse_if_behind(self) -> None:
        waiting = self._shipper.backlog_bytes if self._shipper is not None else 0
        if waiting > self.policy.max_backlog_bytes:
            raise StateError(
                "the log is too far ahead of its copy in the database",
                where=str(self._folder),
                got=f"{waiting} bytes waiting",
                cure="See that the database runs; the log goes on when it has caught up",
            )

    def leave_out(self, answers: int, error: StateError) -> None:
        """Answers leave without a record, since the policy allows it: remember how many, and when."""
        now = dt.datetime.now(dt.UTC)
        if self._gap is None:
            self._gap = _Gap(now, now, 0)
            _logger.error("answers leave without a record: %s", error)
        self._gap.until = now
        self._gap.answers += answers
        self.left_out += answers

    def _and_record_gap(self, told: Told) -> Told:
        """Tell, and once the log takes records again also log the gap."""

        def told_first(error: StateError | None) -> None:
            told(error)
            if error is None and self._gap is not None:
                self._recording = asyncio.get_running_loop().create_task(self._record_gap())

        return told_first

    async def _record_gap(self) -> None:
        """Log the gap; if that fails, it stays open."""
        gap, self._gap = self._gap, None
        if gap is None:
            return
        try:
            await asyncio.to_thread(_append, self._folder, gap)
        except StateError:
            self._gap = gap
            return
        _logger.warning("answers are on record again", extra={"left_out": gap.answers, "since": gap.at.isoformat()})


def _append(folder: Path, gap: _Gap) -> None:
    log = PredictionLog(folder, LogKind.GAPS)
    try:
        log.append([dataclasses.asdict(gap)])
    finally:
        log.close()
