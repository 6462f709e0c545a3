"""The winner by the number of rows that it learns from, and what more rows would bring."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.core import derive_seed
from modelyard.problem import metric_spec
from modelyard.training.choosing.noise import Evidence
from modelyard.training.curves.cheapness import WITH_KNOWN_ROUNDS, counted, is_cheap
from modelyard.training.curves.diagnosis import Fit, diagnose, judge, too_few
from modelyard.training.curves.power_law import Law, fit_law
from modelyard.training.curves.records import CurvePoint, Forecast, LearningCurve
from modelyard.training.curves.subsets import arrival, shares_for, take
from modelyard.training.curves.units import PartResult, PartUnit, gathered, run_parts
from modelyard.training.families.family import Family
from modelyard.training.folds import inner_holdout
from modelyard.training.preparation import Setup
from modelyard.training.records import NAIVE, Candidate
from modelyard.training.search.cross_validation import CrossValidation, Recipe
from modelyard.training.search.matrices import FoldMatrices

__all__ = ["draw_learning_curve", "is_affordable"]

Array = npt.NDArray[np.float64]

_TIMES = (2, 10)
_INTERVAL = (0.05, 0.95)
_FEWEST_SIZES = 3
_LAWFUL = 0.24
"""The law is fitted from a quarter of the rows on. With fewer a model may have more parameters than rows, and its error
falls faster there than it ever will again: fitted from a sixteenth on, forecasts missed the truth more often than not."""

_MARGIN = 0.02
_SHARES_SUM = 1.94


def is_affordable(candidates: Sequence[Candidate], winner: Candidate) -> bool:
    """Whether the curve adds about a fifth to training at most, by counting and not by the clock.

    A linear model counts one, any other four. The curve costs the sum of its shares, and half of the last one if the
    rounds of boosting are known by then.
    """
    fits = _SHARES_SUM - (WITH_KNOWN_ROUNDS if winner.rounds is not None else 0.0)
    return is_cheap(fits * counted(winner), candidates)


def draw_learning_curve(
    validation: CrossValidation, matrices: FoldMatrices, setup: Setup, winner: Candidate, family: Family
) -> LearningCurve:
    """Fit the winner on growing parts of each fold's training rows, and judge it on the rows held out.

    The parts are nested, and divided by the rule of the folds. The encoder is the fold's own, which saw all of its
    training rows; the number of boosting rounds is found anew for each part.
    """
    question, naive = setup.question, next(item for item in validation.candidates if item.name == NAIVE)
    margin = _MARGIN * abs((winner.mean or 0.0) - (naive.mean or 0.0))
    shares = shares_for(setup.plan, setup.keys)
    if len(shares) < _FEWEST_SIZES:
        return too_few(question.metric, setup.plan, len(setup.truth), margin)
    recipe = Recipe.of(winner, family)
    work = {share: _units(validation, matrices, setup, recipe, share) for share in shares}
    results = run_parts(validation, [unit for units in work.values() for unit in units], step="curve")
    work = {share: units for share, units in work.items() if all(unit.key in results for unit in units)}
    if len(work) < _FEWEST_SIZES or 1.0 not in work:
        return too_few(question.metric, setup.plan, len(setup.truth), margin, stopped=True)
    figures = _measure(setup, work, results)
    fit = Fit(winner, naive, tuple(validation.candidates), setup.plan.strategy, margin)
    return _concluded(figures, setup, fit)


def _units(
    validation: CrossValidation, matrices: FoldMatrices, setup: Setup, recipe: Recipe, share: float
) -> list[PartUnit]:
    """One unit a fold; the rows of a part are written for the workers."""
    part = "" if share == 1.0 else f"part-{share:.6f}"
    for index, fold in enumerate(setup.plan.folds if part else ()):
        rows = take(arrival(setup.keys, fold, derive_seed(setup.seed, "curve", index)), share)
        stop = inner_holdout(setup.keys, fold.train[rows], derive_seed(setup.seed, "curve stop", index))
        matrices.write_part(index, part, rows, stop)
    return [PartUnit(whole, part, setup.question.metric) for whole in validation.units(recipe)]


@dataclasses.dataclass(frozen=True)
class _Figures:
    """What was measured, folds first, then sizes; ``held`` also under each draw of rows, the first as they are."""

    rows: Array
    train: Array
    held: Array


def _measure(setup: Setup, work: Mapping[float, Sequence[PartUnit]], results: Mapping[str, PartResult]) -> _Figures:
    """Rows, figures on them, and figures on the rows held out."""
    names = {str(share): units for share, units in work.items()}
    question = setup.question

    def out_of_fold(name: str) -> Array:
        return gathered(names[name], setup.plan, len(question.truth))

    evidence = Evidence(question.metric, question.truth, setup.plan, setup.keys, out_of_fold, seed=setup.seed)
    found = [[results[unit.key] for unit in units] for units in work.values()]
    rows = np.array([[float(result.rows) for result in size] for size in found]).T
    train = np.array([[result.train for result in size] for size in found], dtype=np.float64).T
    return _Figures(rows, train, np.stack([evidence.scores(name) for name in names], axis=1))


def _concluded(figures: _Figures, setup: Setup, fit: Fit) -> LearningCurve:
    """Fit the law to the figures and to each draw of folds and rows, and put it into words."""
    metric, total = setup.question.metric, len(setup.truth)
    greater = metric_spec(metric).greater_is_better
    errors = 1 - figures.held if greater else figures.held
    weights = _drawn_folds(errors.shape[0], errors.shape[2], derive_seed(setup.seed, "curve", "folds"))
    x = figures.rows / total
    lawful = x.mean(axis=0) >= _LAWFUL * x[:, -1].mean()
    law = fit_law(x[:, lawful], errors[:, lawful], weights)
    forecasts = tuple(_forecast(law, times, greater=greater) for times in _TIMES)
    points = _points(figures, weights)
    lost = _weighted(errors[:, -1] - errors[:, -2], weights)[1:]
    more_rows, answer = judge(metric, forecasts, fit, harmed=float(np.quantile(lost, _INTERVAL[0])) > 0)
    return LearningCurve(
        metric=metric,
        rows=total,
        points=points,
        law=(float(law.floor[0]), float(law.drop[0]), float(law.exponent[0])),
        forecasts=forecasts,
        margin=fit.margin,
        more_rows=more_rows,
        answer=answer,
        diagnosis=diagnose(metric, points[-1], fit),
    )


def _drawn_folds(folds: int, draws: int, seed: int) -> Array:
    """How often each fold counts in each draw; in the first, which is no draw, once."""
    drawn = np.random.default_rng(seed).multinomial(folds, np.full(folds, 1 / folds), size=draws).T.astype(np.float64)
    drawn[:, 0] = 1.0
    return np.asarray(drawn)


def _weighted(values: Array, weights: Array) -> Array:
    """Means over folds, one a draw."""
    return np.asarray((values * weights).sum(axis=0) / weights.sum(axis=0))


def _forecast(law: Law, times: int, *, greater: bool) -> Forecast:
    gains, error = law.gain(times), float(law.error(times)[0])
    low, high = (float(end) for end in np.quantile(gains[1:], _INTERVAL))
    gain = float(gains[0])
    return Forecast(times, 1 - error if greater else error, gain, min(low, gain), max(high, gain))


def _points(figures: _Figures, weights: Array) -> tuple[CurvePoint, ...]:
    """Means over folds, with intervals."""
    points = []
    for size in range(figures.rows.shape[1]):
        train = _weighted(figures.train[:, size, None], weights)
        held = _weighted(figures.held[:, size], weights)
        ends = (float(end) for values in (train, held) for end in np.quantile(values[1:], _INTERVAL))
        train_low, train_high, held_low, held_high = ends
        rows = float(figures.rows[:, size].mean())
        points.append(CurvePoint(rows, float(train[0]), train_low, train_high, float(held[0]), held_low, held_high))
    return tuple(points)
