"""Values far from the others, on a scale that forgives skew."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.columns import FAR
from modelyard.audit.context import AuditContext
from modelyard.audit.isolation import isolation_scores
from modelyard.audit.registry import Threshold, at_least_rows, at_most_features, check
from modelyard.audit.signal import some_rows
from modelyard.core import Finding, Severity, derive_seed
from modelyard.data import ColumnKind

__all__ = ["outliers", "strange_rows"]

_MOST_SHARE = 0.01
_MIN_DISTINCT = 20
_MIN_ROWS = 200
_MOST_FEATURES = 300
_FOREST_ROWS = 5_000
_STRANGE = 6.0


@check(
    "D7",
    "outliers",
    thresholds=(
        Threshold("robust distance", FAR, "normal columns of a million rows reach 3, log-normal ones 6"),
        Threshold("share of rows", _MOST_SHARE, "more is a second population, not slips"),
    ),
)
def outliers(context: AuditContext) -> Iterator[Finding]:
    """Numeric features and targets with values whose robust distance is above 7, if at most 1 % of the rows have one.

    Harm: A slip of the pen bends linear models and averages.
    """
    numeric = [column.name for column in context.features_of(ColumnKind.NUMERIC)]
    if not context.task.is_classification:
        numeric.append(context.roles.target)
    for name in numeric:
        numbers = context.measured.numbers(name)
        if numbers is None or numbers.distinct < _MIN_DISTINCT or not numbers.far:
            continue
        share = numbers.far / numbers.rows
        if share > _MOST_SHARE:
            continue
        yield Finding(
            id="outliers",
            severity=Severity.INFO,
            subject=name,
            message=f"{numbers.far:,} values ({share:.2%}) lie far from the others, the farthest at {numbers.farthest:.6g}.",
            why="A slip of the pen bends linear models and averages; a rare real case is worth keeping.",
            action="Decide in outliers.csv which are errors and which are real, and read it back: modelyard correct FILE.",
            evidence={"rows": numbers.far, "extreme": numbers.farthest, "distance": numbers.distance},
            row="D7",
        )


@check(
    "D7",
    "strange-rows",
    thresholds=(
        Threshold("distance of the isolation score", _STRANGE, "rows of sound generated tables reach 5.2"),
        Threshold("share of rows", _MOST_SHARE, "more is a second population, not slips"),
    ),
    needs=(at_least_rows(_MIN_ROWS), at_most_features(_MOST_FEATURES)),
    trains=True,
)
def strange_rows(context: AuditContext) -> Iterator[Finding]:
    """Rows that an isolation forest parts from the others much sooner than the rest; on at most 5,000 rows.

    After Liu, Ting and Zhou (ICDM 2008): 100 trees of 256 rows over the numeric features. Numbers are bent by an
    inverse hyperbolic sine first, so that a long tail is not strange in itself.

    Harm: A row wrong in many columns at once (a shifted line, another unit) bends everything that it touches.
    """
    numeric = [
        column.name
        for column in context.features_of(ColumnKind.NUMERIC)
        if context.frame[column.name].dtype.is_numeric() and context.measured.distinct(column.name) >= _MIN_DISTINCT
    ]
    if len(numeric) < 2:
        return
    rows = some_rows(context.sample.height, _FOREST_ROWS, derive_seed(context.seed, "forest"))
    bent = _bent(context.sample[rows].select(numeric))
    score = isolation_scores(bent, seed=derive_seed(context.seed, "isolation"))
    middle = float(np.median(score))
    distance = (score - middle) / max(float(np.median(np.abs(score - middle))) * 1.4826, 1e-9)
    strange = np.flatnonzero(distance >= _STRANGE)
    if len(strange) == 0 or len(strange) > _MOST_SHARE * len(rows):
        return
    worst = int(distance.argmax())
    far = [numeric[place] for place in np.argsort(-np.abs(bent[worst]), kind="stable")[:3]]
    yield Finding(
        id="strange-rows",
        severity=Severity.INFO,
        subject="",
        message=f"{len(strange):,} of {len(rows):,} rows looked at are unlike all others, the strangest above all in "
        f"{', '.join(far)}.",
        why="A row wrong in many columns at once (a shifted line, another unit) bends everything that it touches.",
        action="Look at these rows: correct errors at the source; acknowledge the finding if they are real.",
        evidence={
            "rows": len(strange),
            "row": int(rows[worst]),
            "columns": far,
            "distance": float(distance.max()),
        },
        row="D7",
    )


def _bent(frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Numbers as the inverse hyperbolic sine of their distance from the median in quartile ranges; gaps are 0."""
    matrix = frame.select(pl.all().cast(pl.Float64)).to_numpy().copy()
    matrix[~np.isfinite(matrix)] = np.nan
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0
    low, middle, high = np.nanquantile(matrix, [0.25, 0.5, 0.75], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.where((high > low) & np.isfinite(high - low), high - low, 1.0)
        bent: npt.NDArray[np.float64] = np.nan_to_num(np.arcsinh((matrix - middle) / spread), posinf=0.0, neginf=0.0)
    return bent
