"""Features that say the same: exact copies, and clusters of numbers that move together."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, at_least_rows, at_most_features, check
from modelyard.audit.signal import some_rows
from modelyard.core import Finding, Severity, derive_seed
from modelyard.data import ColumnKind

__all__ = ["clusters", "collinear_features", "copied_columns"]

_STRONG = 0.95
_MOST_CELLS = 4_000_000
"""So many numbers are held against one another: rows are drawn if the sample has more. 32 MB a copy."""

_COMPARED_FIRST = 1_000
_MOST_FEATURES = 2_000
"""The table of correlations has this many squared numbers: 32 MB."""


@check("D11", "copied-column")
def copied_columns(context: AuditContext) -> Iterator[Finding]:
    """Features that equal another one in every row.

    Harm: Importance that belongs to one feature is shared out.
    """
    seen: dict[tuple[str, int, int], list[str]] = {}
    for column in context.features:
        values = context.frame[column.name]
        distinct = context.measured.distinct(column.name) + (values.null_count() > 0)
        if distinct < 2:
            continue
        first = int(values.head(_COMPARED_FIRST).hash(seed=1).implode().hash(seed=2)[0])
        alike = seen.setdefault((str(values.dtype), distinct, first), [])
        twin = next((name for name in alike if context.frame[name].equals(values)), None)
        alike.append(column.name)
        if twin is None:
            continue
        yield Finding(
            id="copied-column",
            severity=Severity.WARNING,
            subject=column.name,
            message=f"The column equals {twin!r} in every row.",
            why="A copy adds nothing, and shares the importance that belongs to one feature.",
            action="Exclude one of the two.",
            evidence={"equals": twin},
            row="D11",
        )


@check(
    "D11",
    "collinear-features",
    thresholds=(
        Threshold(
            "correlation", _STRONG, "from 0.95 the variance of a linear weight is more than tenfold (1 / (1 - r²))"
        ),
    ),
    needs=(
        at_least_rows(30),
        at_most_features(_MOST_FEATURES),
    ),
)
def collinear_features(context: AuditContext) -> Iterator[Finding]:
    """Clusters of numeric features linked by a correlation of 0.95 or more, one finding for each.

    Harm: Single weights and importances cannot be read: they are split at random.
    """
    names = [
        column.name
        for column in context.features_of(ColumnKind.NUMERIC)
        if context.sample[column.name].dtype.is_numeric()
    ]
    if len(names) < 2 or context.sample.height < 30:
        return
    rows = some_rows(context.sample.height, _MOST_CELLS // len(names), derive_seed(context.seed, "collinear"))
    correlation = _correlations(context.sample.select(names)[rows])
    for cluster in clusters(np.abs(correlation) >= _STRONG):
        members = [names[place] for place in cluster]
        inside = np.abs(correlation[np.ix_(cluster, cluster)])
        yield Finding(
            id="collinear-features",
            severity=Severity.INFO,
            subject=", ".join(members[:5]) + (" …" if len(members) > 5 else ""),
            message=f"{len(members)} features move together; the strongest correlation is {_highest(inside):.3f}.",
            why="Linear weights and importances are split among them at random, so single ones cannot be read.",
            action="Keep the one that is easiest to explain, or read their importance as one.",
            evidence={"features": members, "correlation": _highest(inside)},
            row="D11",
        )


def _correlations(frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Pearson correlations of the columns' ranks and of their values, whichever is weaker; gaps count as the mean.

    One far value makes two columns correlate by value, and a step function by rank; redundancy shows in both.
    """
    values = _standardised(frame)
    ranks = _standardised(frame.select(pl.all().rank("average")))
    by_value, by_rank = values.T @ values / len(values), ranks.T @ ranks / len(ranks)
    return np.where(np.abs(by_value) < np.abs(by_rank), by_value, by_rank)


def _standardised(frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Mean 0 and standard deviation 1; constant columns are 0 everywhere."""
    matrix = frame.select(pl.all().cast(pl.Float64)).to_numpy().copy()
    matrix[~np.isfinite(matrix)] = np.nan
    filled = np.where(np.isnan(matrix).all(axis=0), 0.0, matrix)
    with np.errstate(over="ignore", invalid="ignore"):
        centred = np.nan_to_num(filled - np.nanmean(filled, axis=0), posinf=0.0, neginf=0.0)
        spread = np.sqrt((centred**2).mean(axis=0))
    usable = np.isfinite(spread) & (spread > 0)
    return np.where(usable, centred / np.where(usable, spread, 1.0), 0.0)


def clusters(linked: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Connected sets of two members or more, in the order of their first member."""
    left = list(range(len(linked)))
    found = []
    while left:
        cluster, frontier = {left[0]}, [left[0]]
        while frontier:
            fresh = set(np.flatnonzero(linked[frontier.pop()]).tolist()) - cluster
            cluster |= fresh
            frontier.extend(fresh)
        left = [place for place in left if place not in cluster]
        if len(cluster) > 1:
            found.append(sorted(cluster))
    return found


def _highest(inside: npt.NDArray[np.float64]) -> float:
    """The strongest correlation of two different members."""
    return float(inside[np.triu_indices(len(inside), k=1)].max())
