"""One policy through the periods of a history."""

import dataclasses
import datetime as dt
import time
from collections.abc import Callable

import numpy as np

from modelyard.core import digest_json
from modelyard.monitoring.causes import ProfileWithOutcomes
from modelyard.monitoring.records import MonitorReport
from modelyard.retraining.replay.asking import LOG_PERIODS, Asked, Moment, asked, look
from modelyard.retraining.replay.challenging import Attempt, challenge
from modelyard.retraining.replay.history import History, Period
from modelyard.retraining.replay.models import Array, Served, watched
from modelyard.retraining.replay.policies import Policy
from modelyard.retraining.replay.records import Step
from modelyard.retraining.windows.recipe import Recipe
from modelyard.training.metrics import score

__all__ = ["Memory", "Walk", "Walked"]

Told = Callable[[int], None]
NOTHING = Asked((), "")


@dataclasses.dataclass(frozen=True)
class Memory:
    """What several policies would work out alike: profiles, reports and retrainings, by what determines them."""

    profiles: dict[str, tuple[ProfileWithOutcomes, int]] = dataclasses.field(default_factory=dict)
    reports: dict[tuple[str, int, int, float | None], MonitorReport] = dataclasses.field(default_factory=dict)
    attempts: dict[tuple[str, int, str], Attempt] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Walked:
    """What one policy did.

    Parameters
    ----------
    steps
        By period.
    answers, thresholds
        Of every row replayed, in order.
    seconds
        That it took.
    """

    steps: tuple[Step, ...]
    answers: Array
    thresholds: Array
    seconds: float


class Walk:
    """A policy on its way; every decision is made with what was known at its moment.

    Parameters
    ----------
    history, recipe, policy
        The past, the configuration of every model, and when to retrain.
    first
        The champion at the start.
    memory
        Shared with the walks of other policies through the same history.
    """

    def __init__(self, history: History, recipe: Recipe, policy: Policy, first: Served, memory: Memory) -> None:
        self._history = history
        self._recipe = recipe
        self._policy = policy
        self._memory = memory
        self._served = first
        self._since = history.first
        self._trained, self._known_then = history.periods[0].start, first.learnt.known
        self._decided: dt.datetime | None = None
        self._profiled = ""
        shape = (len(history.truth) - history.first, *first.held_out.shape[1:])
        self._answers = np.full(shape, np.nan)
        self._thresholds = np.full(shape[0], first.threshold)

    def through(self, told: Told) -> Walked:
        """All periods, in order."""
        start = time.perf_counter()
        steps = []
        for number, period in enumerate(self._history.periods):
            steps.append(self._step(number, period))
            told(number + 1)
        return Walked(tuple(steps), self._answers, self._thresholds, time.perf_counter() - start)

    def _step(self, number: int, period: Period) -> Step:
        """Score a period, then decide."""
        history, champion = self._history, self._served
        here = slice(period.begin - history.first, period.end - history.first)
        rows = slice(period.begin, period.end)
        self._answers[here] = champion.scorer.score_frame(history.frame[rows])
        self._thresholds[here] = champion.threshold
        value = score(
            history.problem.primary_metric, history.truth[rows], self._answers[here], threshold=champion.threshold
        )
        known = history.known_at(period.until)
        moment = Moment(period.until, known, self._trained, self._decided, self._known_then)
        found, spent = self._asked(number, period, moment)
        attempt = self._attempt(moment) if found.is_due else None
        return Step(
            start=period.start,
            end=period.until,
            rows=period.end - period.begin,
            champion=champion.number,
            value=float(value) if np.isfinite(value) else None,
            pulled=found.pulled,
            held=found.held,
            retrained=attempt is not None and attempt.rows_fitted > 0,
            promoted=attempt is not None and attempt.served is not None,
            rows_fitted=spent + (attempt.rows_fitted if attempt else 0),
            said=attempt.said if attempt else "",
            cause=found.cause,
        )

    def _asked(self, number: int, period: Period, moment: Moment) -> tuple[Asked, int]:
        """What the policy says now; and rows fitted to know what the champion is held against."""
        if not self._policy.retrains:
            return NOTHING, 0
        if not self._policy.watches:
            return asked(self._policy, moment, None), 0
        profile, spent = self._held_against()
        first = self._history.periods[max(0, number + 1 - LOG_PERIODS)].begin
        begin = max(self._since, first)
        answers = self._answers[begin - self._history.first : period.end - self._history.first]
        key = (self._served.key, begin, period.end, self._policy.performance)
        if key not in self._memory.reports:
            log = (begin, period.end, answers)
            report = look(self._history, self._policy, self._served, profile, log, moment.known)
            self._memory.reports[key] = report
        return asked(self._policy, moment, self._memory.reports[key]), spent

    def _held_against(self) -> tuple[ProfileWithOutcomes, int]:
        """The champion's profile, and the rows fitted for it if it is new to this walk."""
        key, profiles = self._served.key, self._memory.profiles
        if key not in profiles:
            profiles[key] = watched(self._history, self._recipe, self._served)
        profile, fitted = profiles[key]
        spent = 0 if self._profiled == key else fitted
        self._profiled = key
        return profile, spent

    def _attempt(self, moment: Moment) -> Attempt:
        """A challenger; if the gates say yes it serves from the next period on."""
        champion, window = self._served, self._policy.window
        key = (champion.key, moment.known, digest_json(None if window is None else window.to_dict()))
        if key not in self._memory.attempts:
            self._memory.attempts[key] = challenge(
                self._history, self._recipe, champion, moment.known, window, champion.number + 1
            )
        attempt = self._memory.attempts[key]
        self._decided, self._known_then = moment.now, moment.known
        if attempt.rows_fitted:  # what the data stopped has trained nothing
            self._trained = moment.now
        if attempt.served is not None:
            self._served = dataclasses.replace(attempt.served, number=champion.number + 1)
            self._since = next(
                (one.begin for one in self._history.periods if one.start >= moment.now), len(self._history.truth)
            )
        return attempt
