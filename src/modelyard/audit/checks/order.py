"""Rows whose order tells something, and features that change within the training period."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.checks.dependence import explained_share
from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Need, Threshold, at_least_rows, check, declared
from modelyard.audit.signal import Binned
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind

__all__ = ["feature_drift", "row_order"]

_PERIODS = 10
_MIN_ROWS = 500
_SHARE = 0.01
_NEIGHBOURS = 0.1
_NOTED_DRIFT = 0.15
_STRONG_DRIFT = 0.5
_MOST_NAMED = 5


def _order_is_explained(context: AuditContext) -> str:
    """Why the order of the rows is no news."""
    if context.roles.time is not None:
        return "the rows have a declared time; see target-drift"
    if context.roles.group is not None or context.undeclared_entities:
        return "the rows belong to groups, which may stand together"
    return ""


@check(
    "D9",
    "row-order",
    thresholds=(
        Threshold("share of variance between tenths", _SHARE, "as for target-drift"),
        Threshold("correlation with the row before", _NEIGHBOURS, "independent rows of 500 stay below 0.09"),
        Threshold("rows", _MIN_ROWS, "fifty for each tenth"),
    ),
    needs=(at_least_rows(_MIN_ROWS), Need("neither time nor group", _order_is_explained)),
    trains=True,
)
def row_order(context: AuditContext) -> Iterator[Finding]:
    """A target that depends on where its row stands, or resembles the row before, though no time is declared.

    Harm: The table has a hidden order (time, batches, sorting); random folds mix what production will keep apart.
    """
    target = context.target
    tenths = np.array_split(target, _PERIODS)
    share = explained_share(target, tenths)
    likeness = max(_with_next(target[:, output]) for output in range(target.shape[1]))
    if share < _SHARE and likeness < max(_NEIGHBOURS, 4 / np.sqrt(len(target))):
        return
    yield Finding(
        id="row-order",
        severity=Severity.WARNING,
        subject=context.roles.target,
        message=f"The target depends on the order of the rows: tenths explain {share:.1%} of its variance, and it "
        f"correlates {likeness:.2f} with the row before.",
        why="The table has a hidden order: time, batches or sorting. A random split mixes what production keeps apart.",
        action="Find out what orders the rows; declare data.time if it is time, or data.group if it is batches.",
        evidence={"explained": share, "with_the_row_before": likeness},
        row="D9",
    )


def _with_next(values: npt.NDArray[np.float64]) -> float:
    """Correlation of each value with the next; 0 if they are all equal."""
    centred = values - values.mean()
    total = float((centred**2).sum())
    return float((centred[1:] * centred[:-1]).sum()) / total if total > 0 else 0.0


@check(
    "D9",
    "feature-drift",
    thresholds=(
        Threshold("Cramér's V for a note", _NOTED_DRIFT, "steady features of 500 rows stay below 0.11"),
        Threshold("Cramér's V for a warning", _STRONG_DRIFT, "the feature nearly tells which tenth a row is from"),
    ),
    needs=(declared("time"), at_least_rows(_MIN_ROWS)),
)
def feature_drift(context: AuditContext) -> Iterator[Finding]:
    """Features whose distribution changes over the declared time, within the training part; the five strongest.

    Measured by the bias-corrected V of Cramér (Bergsma, 2013) between tenths of the time and tenths of the feature.

    Harm: The model is asked about values that it saw seldom, and its newest rows are not like its oldest.
    """
    time = context.roles.time
    if time is None or time not in context.sample.columns:
        return
    moments = context.sample[time].to_physical().cast(pl.Float64, strict=False).rank("average").fill_null(0).to_numpy()
    period = np.minimum((moments / (len(moments) + 1) * _PERIODS).astype(np.int64), _PERIODS - 1)
    drifts = [
        (_association(_coarse(context.binned[column.name]), period), column.name)
        for column in context.features
        if column.name != time and column.kind is not ColumnKind.DATE
    ]
    for strength, name in sorted(drifts, key=lambda pair: (-pair[0], pair[1]))[:_MOST_NAMED]:
        if strength < _NOTED_DRIFT:
            return
        yield Finding(
            id="feature-drift",
            severity=Severity.WARNING if strength >= _STRONG_DRIFT else Severity.INFO,
            subject=name,
            message=f"The feature changes over {time!r} within the training part: Cramér's V {strength:.2f}.",
            why="The newest rows are not like the oldest; what was learnt from the old ones may no longer hold.",
            action="See whether it is a season, growth, or a change of meaning; in the last case, drop the older rows.",
            evidence={"cramers_v": strength},
            row="D9",
        )


def _coarse(binned: Binned) -> npt.NDArray[np.int64]:
    """Codes of about ten bins of equal size, neighbours together."""
    counts = np.bincount(binned.codes, minlength=binned.size)
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    place = np.minimum((middle * _PERIODS).astype(np.int64), _PERIODS - 1)
    coarse: npt.NDArray[np.int64] = place[binned.codes]
    return coarse


def _association(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> float:
    """Bias-corrected V of Cramér, 0 to 1."""
    table = np.bincount(left * _PERIODS + right, minlength=_PERIODS**2).reshape(_PERIODS, _PERIODS).astype(np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, columns = table.shape
    n = table.sum()
    if min(rows, columns) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    squared = max(float(((table - expected) ** 2 / expected).sum() / n) - (rows - 1) * (columns - 1) / (n - 1), 0.0)
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(squared / least))
