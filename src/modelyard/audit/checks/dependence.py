"""Rows that are not independent: groups that a split would tear, and targets that drift with time."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.entities import SCORE_GAP
from modelyard.audit.registry import Threshold, at_least_rows, check, declared
from modelyard.audit.signal import score_name
from modelyard.core import Finding, Severity, derive_seed
from modelyard.data import ColumnKind

__all__ = ["explained_share", "group_outside_split", "target_drift", "time_outside_split", "undeclared_group"]

_PERIODS = 10
_MIN_DRIFT_ROWS = 500
_DRIFT_SHARE = 0.01
_IGNORING_GROUPS = frozenset({"random", "stratified", "time"})
_IGNORING_TIME = frozenset({"random", "stratified", "group"})


@check("D9", "group-outside-split")
def group_outside_split(context: AuditContext) -> Iterator[Finding]:
    """A declared group whose rows the chosen strategy does not keep together.

    Harm: The score tells how well known groups are predicted, not new ones.
    """
    group, strategy = context.roles.group, context.problem.split.strategy
    if group is None or strategy not in _IGNORING_GROUPS:
        return
    yield Finding(
        id="group-outside-split",
        severity=Severity.WARNING,
        subject=group,
        message=f"Rows are split by strategy {strategy!r}, which may put rows of one {group!r} on both sides.",
        why="The score then tells how well known groups are predicted, and flatters the model for new ones.",
        action="Set split.strategy to group, unless production meets the same groups again.",
        evidence={"strategy": strategy},
        row="D9",
    )


@check(
    "D9",
    "undeclared-group",
    thresholds=(
        Threshold(
            "gap of held-out scores",
            SCORE_GAP,
            "the patients of the test data show 0.97; half a tenth can be noise",
        ),
    ),
    needs=(at_least_rows(20),),
    trains=True,
)
def undeclared_group(context: AuditContext) -> Iterator[Finding]:
    """Columns that seem to name entities with many rows each; see :mod:`modelyard.audit.entities`.

    Harm: A random split lets the model recognise entities again, and flatters it.
    """
    measure = score_name(context.task)
    for entity in context.undeclared_entities:
        values = context.sample[entity.name].n_unique()
        yield Finding(
            id="undeclared-group",
            severity=Severity.WARNING,
            subject=entity.name,
            message=f"Its {values:,} values seem to be entities with many rows each: held-out {measure} is "
            f"{entity.mixed:.2f} on rows of known ones and {entity.apart:.2f} on new ones.",
            why="A random split puts rows of one entity on both sides, and the model recognises it again.",
            action=f"Set data.group to {entity.name!r}, unless production meets the same ones again.",
            evidence={"mixed": entity.mixed, "apart": entity.apart, "fixed_within": list(entity.fixed)},
            row="D9",
        )


@check("D9", "time-outside-split")
def time_outside_split(context: AuditContext) -> Iterator[Finding]:
    """A declared time that the split ignores (a warning), or dates in the table and no declared time.

    Harm: The model has seen later rows; what it will lose in production stays hidden.
    """
    strategy, time = context.problem.split.strategy, context.roles.time
    if time is not None and strategy in _IGNORING_TIME:
        yield _untimed(time, Severity.WARNING, f"Rows are split by strategy {strategy!r} although a time is declared.")
    dates = [column.name for column in context.features_of(ColumnKind.DATE)]
    if time is None and dates and strategy not in ("time", "column"):
        yield _untimed(dates[0], Severity.INFO, "There are dates in the table, but none is declared as its time.")


def _untimed(subject: str, severity: Severity, message: str) -> Finding:
    """A split that lets the model see later rows."""
    return Finding(
        id="time-outside-split",
        severity=severity,
        subject=subject,
        message=message,
        why="A model that has seen later rows knows what production will not know, and drift stays hidden.",
        action="Set data.time to the column that orders the rows, and split.strategy to time.",
        evidence={},
        row="D9",
    )


@check(
    "D9",
    "target-drift",
    thresholds=(
        Threshold(
            "share of variance between tenths", _DRIFT_SHARE, "below 1 % a steady model loses less than its own noise"
        ),
        Threshold("rows", _MIN_DRIFT_ROWS, "fifty for each tenth"),
    ),
    needs=(
        declared("time"),
        at_least_rows(_MIN_DRIFT_ROWS),
    ),
)
def target_drift(context: AuditContext) -> Iterator[Finding]:
    """A target that changes over the declared time: ten periods explain at least 1 % of its variance.

    The share explained is corrected for chance (the epsilon squared of Kelley, 1935). Needs 500 rows.

    Harm: A model ages, and random folds hide it.
    """
    time = context.roles.time
    if time is None or time not in context.sample.columns or context.sample.height < _MIN_DRIFT_ROWS:
        return
    random = np.random.default_rng(derive_seed(context.seed, "ties")).permutation(context.sample.height)
    order = context.sample.select(pl.col(time), pl.Series("\0tie", random)).select(pl.arg_sort_by([time, "\0tie"]))
    sorted_target = context.target[order.to_series().to_numpy()]
    periods = np.array_split(sorted_target, _PERIODS)
    means = np.array([period.mean(axis=0) for period in periods]) * context.target_unit
    share = explained_share(sorted_target, periods)
    if share < _DRIFT_SHARE:
        return
    output = int(np.ptp(means, axis=0).argmax())
    yield Finding(
        id="target-drift",
        severity=Severity.WARNING,
        subject=context.roles.target,
        message=f"The target drifts over {time!r}: by tenths of the training rows its mean runs from "
        f"{means[:, output].min():.3g} to {means[:, output].max():.3g}.",
        why="What held in the past holds less in the future; a model ages, and random folds hide it.",
        action="Keep the time-ordered split, watch performance closely, and plan to retrain.",
        evidence={"explained": share, "means": [float(mean) for mean in means[:, output]]},
        row="D9",
    )


def explained_share(target: npt.NDArray[np.float64], periods: list[npt.NDArray[np.float64]]) -> float:
    """Share of the variance between periods, corrected for chance; summed over outputs."""
    total = float(((target - target.mean(axis=0)) ** 2).sum())
    within = float(sum(((period - period.mean(axis=0)) ** 2).sum() for period in periods))
    if total == 0:
        return 0.0
    rows = len(target)
    return 1.0 - (within / (rows - len(periods))) / (total / (rows - 1))
