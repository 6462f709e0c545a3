"""A retraining of the replay: the fresh rows divided, a challenger fitted, and the real gates asked."""

import dataclasses

import numpy as np
import numpy.typing as npt

from modelyard.core import DataError
from modelyard.data.splits.extension import fresh_shares
from modelyard.data.splits.gap import leave_gap
from modelyard.data.splits.strategies import Part, Shares, by_time
from modelyard.evaluation.systems import resampling_units
from modelyard.evaluation.threshold import choose_threshold
from modelyard.problem import MetricInput, metric_spec
from modelyard.retraining.duel import UNDECLARED_THRESHOLD, Duel
from modelyard.retraining.gates import comparison_gate, data_gate, segments_gate
from modelyard.retraining.records import GateResult
from modelyard.retraining.replay.history import History
from modelyard.retraining.replay.models import (
    Learnt,
    Rows,
    Served,
    fit_on,
    needs_threshold,
    serve,
)
from modelyard.retraining.windows.backtest import KnownRows
from modelyard.retraining.windows.choosing import choose_among
from modelyard.retraining.windows.recipe import Recipe
from modelyard.retraining.windows.records import WindowPolicy
from modelyard.training.model import FittedModel

__all__ = ["Attempt", "challenge", "first_champion"]

_LATEST = 1 / 5


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What came of a retraining: the new champion if there is one, the last gate's words, and the rows of all fits."""

    served: Served | None
    said: str
    rows_fitted: int


def first_champion(history: History, recipe: Recipe, window: WindowPolicy | None) -> Served:
    """The first part divided by the project's shares, by time, and its champion.

    Raises
    ------
    DataError
        If the first part cannot be divided.
    """
    plan = history.problem.split
    learnt = _divided(history, np.arange(history.first), Shares(plan.train, plan.validation, plan.test))
    chosen = _window(history, recipe, learnt.train, window)
    developed, _ = fit_on(history, recipe, learnt.train, chosen)
    return serve(history, recipe, learnt, chosen, developed, 1)[0]


def challenge(
    history: History, recipe: Recipe, champion: Served, known: int, window: WindowPolicy | None, number: int
) -> Attempt:
    """A challenger on the rows known by now, and what the gates say: data, comparison, segments.

    Parameters
    ----------
    known
        So many rows of the history have a label.
    window
        On which rows; None tests windows.
    number
        Of the new champion, if it becomes one.
    """
    fresh = np.arange(champion.learnt.known, known)
    enough = data_gate(len(fresh), len(fresh), history.problem.retraining.min_new_rows)
    if not enough.passed:
        return Attempt(None, enough.detail, 0)
    try:
        part = _divided(history, fresh, fresh_shares(len(fresh), in_order=True))
    except DataError as error:
        return Attempt(None, error.sentence, 0)
    learnt = Learnt(np.concatenate([champion.learnt.both, part.train]), part.validation, known)
    if obstacle := _one_class(history, learnt):
        return Attempt(None, obstacle, 0)
    chosen = _window(history, recipe, learnt.train, window)
    developed, fitted = fit_on(history, recipe, learnt.train, chosen)
    gates = _asked(history, recipe, champion, learnt, developed, chosen)
    if refusal := next((gate for gate in gates if not gate.passed), None):
        return Attempt(None, f"{refusal.gate}: {refusal.detail}", fitted)
    served, refitted = serve(history, recipe, learnt, chosen, developed, number)
    return Attempt(served, gates[0].detail, fitted + refitted)


def _asked(
    history: History, recipe: Recipe, champion: Served, learnt: Learnt, developed: FittedModel, window: WindowPolicy
) -> tuple[GateResult, ...]:
    """The comparison with the champion on fresh rows, and by segment."""
    problem, frame = history.problem, history.frame[learnt.validation]
    duel = Duel(
        frame=frame,
        truth=history.truth[learnt.validation],
        champion=champion.scorer.score_frame(frame),
        challenger=developed.predict(frame),
        thresholds=_thresholds(history, recipe, champion, learnt.train, window),
        units=resampling_units(problem, frame),
    )
    return comparison_gate(problem, duel), segments_gate(problem, duel)


def _thresholds(
    history: History, recipe: Recipe, champion: Served, train: Rows, window: WindowPolicy
) -> tuple[float, float]:
    """The champion's own, and the challenger's from its latest training rows: not from the rows of the duel."""
    problem = history.problem
    if not needs_threshold(problem) or metric_spec(problem.primary_metric).input is not MetricInput.LABEL:
        return UNDECLARED_THRESHOLD, UNDECLARED_THRESHOLD
    cut = len(train) - int(len(train) * _LATEST)
    earlier, later = train[:cut], train[cut:]
    model, _ = fit_on(history, recipe, earlier, window)
    scores, truth = model.predict(history.frame[later]), history.truth[later]
    return champion.threshold, choose_threshold(problem, truth, scores, seed=recipe.seed).value


def _divided(history: History, rows: Rows, shares: Shares) -> Learnt:
    """Rows divided by time; with ``split.gap`` as the project file leaves it."""
    moments = history.moments[rows].alias("time")
    codes: npt.NDArray[np.int8] = by_time(moments, shares)
    if isinstance(history.problem.split.gap, str):
        codes = leave_gap(codes, moments, history.problem.split.gap)
    known = int(rows[-1]) + 1
    return Learnt(rows[codes == Part.TRAIN], rows[codes == Part.VALIDATION], known)


def _one_class(history: History, learnt: Learnt) -> str:
    """Why nothing can be compared; empty if it can."""
    if not history.problem.task.is_classification or len(np.unique(history.truth[learnt.validation])) > 1:
        return ""
    return "split: the fresh rows to compare on hold one class only."


def _window(history: History, recipe: Recipe, train: Rows, window: WindowPolicy | None) -> WindowPolicy:
    """The policy's window, or the one that a backtest over the training rows finds."""
    if window is not None:
        return window
    rows = KnownRows(history.frame[train], history.truth[train], history.moments[train], None)
    return choose_among(rows, recipe, history.problem).policy
