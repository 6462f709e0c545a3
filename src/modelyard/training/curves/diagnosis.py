"""The curve in words: whether more rows help, and whether the winner over- or underfits, by stated rules."""

import dataclasses
from collections.abc import Sequence

from modelyard.problem import metric_spec
from modelyard.report import format_number
from modelyard.training.curves.records import CurvePoint, Forecast, LearningCurve, MoreRows
from modelyard.training.curves.subsets import LEAST_ROWS
from modelyard.training.folds import FoldPlan
from modelyard.training.records import Candidate, CandidateRole

__all__ = ["Fit", "diagnose", "judge", "too_few"]

_MET = 0.1
_WIDE = 0.5


@dataclasses.dataclass(frozen=True)
class Fit:
    """What the words rest on: the winner, the naive baseline, all candidates, the folds' rule, and what matters."""

    winner: Candidate
    naive: Candidate
    candidates: tuple[Candidate, ...]
    strategy: str
    margin: float


def judge(metric: str, forecasts: Sequence[Forecast], fit: Fit, *, harmed: bool) -> tuple[MoreRows, str]:
    """Whether twice the rows improve the metric by the margin: beyond the interval, within it, or not.

    Parameters
    ----------
    harmed
        All rows do worse than a part of them did, beyond chance.
    """
    twice, tenfold = forecasts
    title, rows = metric_spec(metric).title, "a history" if fit.strategy == "time" else "rows"
    margin = f"the {format_number(fit.margin)} that would matter (2 % of the lead over the naive answer)"
    if harmed:
        said = f"All rows do worse than the {'latest' if fit.strategy == 'time' else 'fewer'} ones alone: more do not help."
        return MoreRows.HARM, f"{said} Look for what changed in the older rows." if fit.strategy == "time" else said
    more = "twice as long" if fit.strategy == "time" else "twice as many"
    subject = f"A history {more}" if rows == "a history" else f"{more.capitalize()} rows"
    gain = f"{subject} would improve {title} by about {_with_interval(twice)}, ten times by {_with_interval(tenfold)}"
    if twice.low >= fit.margin:
        return MoreRows.HELP, f"More rows help. {gain}."
    if twice.high < fit.margin:
        return MoreRows.DO_NOT_HELP, f"More rows of this kind do not help. {gain}: less at twice than {margin}."
    return (
        MoreRows.UNCERTAIN,
        f"Whether more rows help cannot be told. {gain}; at twice that may be more or less than {margin}.",
    )


def _with_interval(forecast: Forecast) -> str:
    return f"{format_number(forecast.gain)} ({format_number(forecast.low)} to {format_number(forecast.high)})"


def diagnose(metric: str, last: CurvePoint, fit: Fit) -> str:
    """Over- or underfitting at all rows.

    The gap between the figures on rows learnt from and on rows held out is measured by the lead over the naive answer:
    up to a tenth of it the two have met, from a half on the winner overfits. It underfits if they have met and a more
    flexible candidate does better by the margin.
    """
    sign = 1 if metric_spec(metric).greater_is_better else -1
    lead = abs((fit.winner.mean or 0.0) - (fit.naive.mean or 0.0))
    gap = sign * (last.train - last.held)
    title = metric_spec(metric).title
    seen = f"{title} is {format_number(last.train)} on the rows learnt from and {format_number(last.held)} on rows held out"
    if gap >= _WIDE * lead:
        by_design = (
            " Trees grown to the end always do; the figure on held-out rows is the one to go by."
            if fit.winner.family == "random_forest"
            else ""
        )
        return f"It overfits: {seen}.{by_design or ' A simpler or more regularised model may do as well.'}"
    if gap > _MET * lead:
        return f"It fits somewhat closer than it generalises, as flexible models do: {seen}."
    better = _flexible(sign, fit)
    if better is not None:
        return f"It underfits: {seen}, and the more flexible {better.name} reaches {format_number(better.mean)}."
    return f"It does not overfit: {seen}. What is left is noise, or needs other columns."


def _flexible(sign: int, fit: Fit) -> Candidate | None:
    """The best candidate of a higher rank, if it is ahead by the margin."""
    ahead = [
        item
        for item in fit.candidates
        if item.role is CandidateRole.CANDIDATE
        and item.is_complete
        and item.complexity > fit.winner.complexity
        and sign * ((item.mean or 0.0) - (fit.winner.mean or 0.0)) > fit.margin
    ]
    return max(ahead, key=lambda item: sign * (item.mean or 0.0), default=None)


def too_few(metric: str, plan: FoldPlan, rows: int, margin: float, *, stopped: bool = False) -> LearningCurve:
    """No curve, and why: it was stopped, or the rows do not allow it."""
    fewest = min(len(fold.train) for fold in plan.folds)
    if stopped:
        why = "too few points of the learning curve could be computed"
    elif fewest < 4 * LEAST_ROWS:
        why = f"a fold learns from {fewest:,} rows, and a learning curve needs {4 * LEAST_ROWS}"
    else:
        why = "parts of the rows would lack a class"
    answer = f"Whether more rows help cannot be told: {why}."
    return LearningCurve(metric, rows, (), None, (), margin, MoreRows.UNCERTAIN, answer)
