"""How strongly columns go together, by one measure for all kinds: numbers are cut into tenths, rare levels are merged."""

import itertools
import math

import numpy as np
import numpy.typing as npt

from modelyard.audit.context import AuditContext
from modelyard.audit.records import Associations
from modelyard.core import derive_seed
from modelyard.data import ColumnKind

__all__ = ["associations", "cramers_v"]

Codes = npt.NDArray[np.int64]

_MOST_COLUMNS = 30
_MOST_ROWS = 10_000
_BINS = 10
_LEVELS = 20
_FEWEST_ROWS = 50


def associations(context: AuditContext) -> Associations | None:
    """Cramér's V of every pair, corrected for bias (Bergsma, 2013, "A bias-correction for Cramér's V"), on at most 10,000
    rows; None for fewer than two features or 50 rows.
    """
    columns = sorted(context.features, key=lambda column: -context.scores.get(column.name, 0.0))[:_MOST_COLUMNS]
    rows = context.sample.height
    if len(columns) < 2 or rows < _FEWEST_ROWS:
        return None
    chosen = np.random.default_rng(derive_seed(context.seed, "associations")).permutation(rows)[:_MOST_ROWS]
    binned = [context.binned[column.name] for column in columns]
    coarse = [
        _coarse(bins.codes[chosen], bins.size, ordered=column.kind in (ColumnKind.NUMERIC, ColumnKind.DATE))
        for column, bins in zip(columns, binned, strict=True)
    ]
    strengths = np.eye(len(columns))
    for i, j in itertools.combinations(range(len(columns)), 2):
        strengths[i, j] = strengths[j, i] = round(cramers_v(coarse[i], coarse[j]), 4)
    names = tuple(column.name for column in columns)
    return Associations(names, tuple(tuple(float(value) for value in row) for row in strengths))


def cramers_v(first: Codes, second: Codes) -> float:
    """Bias-corrected Cramér's V of two columns of codes from 0; 0 if either is constant.

    >>> codes = np.arange(1_000) % 4
    >>> round(cramers_v(codes, codes), 3), round(cramers_v(codes, np.arange(1_000) // 4 % 5), 3)
    (1.0, 0.0)
    """
    n = len(first)
    width = int(second.max()) + 1
    table = np.bincount(first * width + second, minlength=(int(first.max()) + 1) * width).reshape(-1, width)
    table = table[table.any(axis=1)][:, table.any(axis=0)].astype(np.float64)
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    fewest = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1))
    return min(1.0, math.sqrt(phi2 / (fewest - 1))) if fewest > 1 else 0.0


def _coarse(codes: Codes, size: int, *, ordered: bool) -> Codes:
    """Codes in fewer bins: neighbours merged if they are ordered, else the rarest. The last bin is the gaps'."""
    gaps, bins = size - 1, size - 1
    if ordered and bins > _BINS:
        merged = codes * _BINS // bins
        return np.where(codes == gaps, _BINS, merged)
    if not ordered and size > _LEVELS:
        kept = np.argsort(-np.bincount(codes, minlength=size), kind="stable")[: _LEVELS - 1]
        place = np.full(size, _LEVELS - 1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        return place[codes]
    return codes
