"""Which row goes where, and why: the strategy that the problem asks for, applied to a table."""

import dataclasses

import numpy as np
import polars as pl

from modelyard.core import DataError, derive_seed
from modelyard.data.splits.gap import leave_gap
from modelyard.data.splits.own_test import comes_later, has_other_groups
from modelyard.data.splits.strategies import (
    LEFT_OUT,
    Codes,
    Part,
    Shares,
    by_column,
    by_group,
    by_time,
    quantile_bins,
    randomly,
    stratified,
)
from modelyard.problem import Problem

__all__ = ["Division", "divide"]


@dataclasses.dataclass(frozen=True)
class Division:
    """Which row goes where, and why; the own test table if there is one.

    Parameters
    ----------
    strategy, reason
        As in :class:`~modelyard.data.splits.split.SplitRecord`.
    codes
        The part of each row, as :class:`~modelyard.data.splits.strategies.Part`; -1 for rows in a gap.
    own_test
        The sealed rows, if they come from a table of their own.
    """

    strategy: str
    reason: str
    codes: Codes
    own_test: pl.DataFrame | None

    @property
    def left_out(self) -> int:
        """Rows that are in no part."""
        return int((self.codes == LEFT_OUT).sum())


def divide(frame: pl.DataFrame, problem: Problem, own_test: pl.DataFrame | None) -> Division:
    """Give every row its part.

    Raises
    ------
    DataError
        If a column that the plan needs is absent or unfit, or a part would be empty.
    """
    plan = problem.split
    shares = Shares(plan.train, plan.validation, plan.test)
    if own_test is not None:
        shares = shares.without_test()
    strategy, reason = _strategy(problem, frame, own_test)
    seed = derive_seed(plan.seed, "split")
    codes = _codes(strategy, frame, problem, shares, seed)
    if strategy == "column" and shares.validation > 0 and not (codes == Part.VALIDATION).any():
        codes = _hold_out_validation(codes, frame, problem, shares, seed, own_test)
        reason += " It names no validation rows, so they are drawn from the training rows."
    if plan.gap is not None:
        codes = leave_gap(codes, frame[_time_column(problem, strategy)], plan.gap)
        reason += f" A gap of {plan.gap} is left before each later part, as long as labels take to come."
    if own_test is not None:
        reason += " The test part is a table of your own."
    _refuse_empty_parts(codes, shares)
    return Division(strategy, reason, codes, own_test)


def _strategy(problem: Problem, frame: pl.DataFrame, own_test: pl.DataFrame | None) -> tuple[str, str]:
    """The strategy and one sentence on why.

    A test table of one's own is the better witness of what is asked: where it lies among the rows to learn from in time, or has
    the same groups, the rows are not divided by them. Lags of a series and a gap need parts that follow one another in
    any case.
    """
    plan, data = problem.split, problem.data
    if plan.strategy != "auto":
        return plan.strategy, f"The project file asks for strategy {plan.strategy!r}."
    if plan.column is not None:
        return "column", f"Column {plan.column!r} is declared to name the parts."
    passed_over = []
    if data.time is not None:
        in_order = data.series is not None or plan.gap is not None
        if own_test is None or in_order or comes_later(own_test[data.time], frame[data.time]):
            return (
                "time",
                f"A time column, {data.time!r}, is declared: the model is tested on later rows than it learns from.",
            )
        passed_over.append(f"the test table's rows lie among the others in time ({data.time!r})")
    if data.group is not None:
        if own_test is None or has_other_groups(own_test[data.group], frame[data.group]):
            return (
                "group",
                f"A group column, {data.group!r}, is declared: the model is tested on groups it has never seen.",
            )
        passed_over.append(f"the test table's rows are of the same groups ({data.group!r})")
    why = " and ".join(passed_over) if passed_over else "no time or group is declared"
    why = f"{why[0].upper()}{why[1:]}: rows are drawn at random"
    if problem.task.is_classification:
        return "stratified", f"{why}, with equal class shares."
    return "random", f"{why}."


def _codes(strategy: str, frame: pl.DataFrame, problem: Problem, shares: Shares, seed: int) -> Codes:
    target = frame[problem.data.target]
    if strategy == "random":
        return randomly(frame.height, shares, seed)
    if strategy == "stratified":
        return stratified(target if problem.task.is_classification else quantile_bins(target), shares, seed)
    name = {"time": problem.data.time, "group": problem.data.group, "column": problem.split.column}[strategy]
    if name is None:
        raise DataError(
            f"strategy {strategy!r} needs a {strategy} column",
            where="split.strategy",
            cure=f"Set data.{strategy}, or choose another strategy",
        )
    if strategy == "time":
        return by_time(frame[name], shares)
    if strategy == "column":
        return by_column(frame[name], shares)
    return by_group(frame[name], shares, seed, labels=target if problem.task.is_classification else None)


def _time_column(problem: Problem, strategy: str) -> str:
    """The column that a gap is measured in."""
    if strategy != "time" or problem.data.time is None:
        raise DataError(
            "a gap can only be left between parts that follow one another in time",
            where="split.gap",
            got=f"strategy {strategy!r}",
            cure="Set data.time and strategy: time, or remove the gap",
        )
    return problem.data.time


def _hold_out_validation(
    codes: Codes, frame: pl.DataFrame, problem: Problem, shares: Shares, seed: int, own_test: pl.DataFrame | None
) -> Codes:
    """Draw validation rows from the training rows, as if no column were declared."""
    train = np.flatnonzero(codes == Part.TRAIN)
    plan = problem.split.model_copy(update={"strategy": "auto", "column": None})
    strategy, _ = _strategy(problem.model_copy(update={"split": plan}), frame, own_test)
    codes = codes.copy()
    codes[train] = _codes(strategy, frame[train], problem, shares.without_test(), seed)
    return codes


def _refuse_empty_parts(codes: Codes, shares: Shares) -> None:
    empty = [part.name.lower() for part in Part if shares.as_tuple[part] > 0 and not (codes == part).any()]
    if empty:
        raise DataError(
            f"the {' and the '.join(empty)} part would be empty",
            where="split",
            got=f"{len(codes):,} rows",
            cure="Bring more rows, or set larger shares or a smaller gap under split",
        )
