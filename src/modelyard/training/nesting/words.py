"""The outer parts in figures and in one sentence."""

import statistics
from collections import Counter
from collections.abc import Sequence

from modelyard.problem import metric_spec
from modelyard.report import format_number, format_range
from modelyard.training.nesting.interval import mean_interval
from modelyard.training.nesting.records import NestedScore, OuterPart
from modelyard.training.preparation import Setup

__all__ = ["concluded"]

_LEAST = 2
_FEWEST = 3
"""Two parts leave one degree of freedom: their interval would reach beyond what any metric can be."""

_AGREEMENT = 0.8
"""From this share of outer parts on that one family wins, the choice is called steady."""


def concluded(parts: tuple[OuterPart, ...], made: int, setup: Setup, *, by_budget: bool = False) -> NestedScore:
    """What the parts say together; no figure unless all of them have a score, two at least.

    Parameters
    ----------
    made
        How many parts there are.
    by_budget
        Whether a budget's clock ended the search before the last of them; then the others suffice.
    """
    metric, wanted = setup.question.metric, setup.problem.training.nested or made
    families = dict(Counter(part.family for part in parts if part.family).most_common())
    finished = len(parts) == made or by_budget
    ended = f"the budget ended it after {len(parts)} of {made} outer parts" if by_budget else ""
    lost = next((f"outer part {index}: {part.error}" for index, part in enumerate(parts, 1) if part.error), "")
    if not finished or lost or len(parts) < _LEAST:
        why = lost or ended or f"it was stopped after {len(parts)} of {made} outer parts"
        sentence = f"Nested cross-validation gives no figure: {why}."
        return NestedScore(metric, wanted, parts, None, None, None, None, families, sentence, finished)
    mean, error, *ends = mean_interval(parts, setup.plan.strategy)
    low, high = ends if len(parts) >= _FEWEST else (None, None)
    said = [_figure(parts, metric, (mean, error, low, high)), _optimism(parts, metric), _agreement(parts, families)]
    fewer = [] if made == wanted else [f"The rows allow {made} outer parts, not {wanted}."]
    fewer += [f"{ended[0].upper()}{ended[1:]}."] if ended else []
    sentence = " ".join([*said, *fewer])
    return NestedScore(metric, wanted, parts, mean, error, low, high, families, sentence)


def _figure(parts: Sequence[OuterPart], metric: str, figures: tuple[float, float, float | None, float | None]) -> str:
    mean, error, low, high = figures
    interval = "too few parts for an interval" if low is None else f"95 % interval {format_range(low, high)}"
    return (
        f"Nested cross-validation, the whole search {len(parts)} times and each winner on rows that its search has not seen: "
        f"{metric_spec(metric).title} {format_number(mean)} ({interval}, standard error {format_number(error)})."
    )


def _optimism(parts: Sequence[OuterPart], metric: str) -> str:
    """How much better the winners looked on the folds that chose them."""
    sign = 1 if metric_spec(metric).greater_is_better else -1
    flattered = statistics.fmean(sign * ((part.claimed or 0.0) - (part.score or 0.0)) for part in parts)
    side = "better" if flattered > 0 else "worse"
    return f"On the folds that chose them the winners looked {format_number(abs(flattered))} {side}."


def _agreement(parts: Sequence[OuterPart], families: dict[str, int]) -> str:
    """Whether the searches agree on a family; the first of ``families`` won most often."""
    (name, most), *others = families.items()
    if not others:
        return f"All of them chose {name}."
    said = ", ".join(f"{family} {_times(count)}" for family, count in families.items())
    if most >= _AGREEMENT * len(parts):
        return f"They chose {said}."
    return f"They chose {said}: which family wins hangs on the rows, and {name} is no finding about these data."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
