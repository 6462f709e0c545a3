"""What makes rows and texts nearly, but not exactly, the same: numbers on a grid, and MinHash of word triples.

Numbers are rounded to cells of their middle half on several shifted grids. Neighbours by chance part when the cells
become finer; copies that were rounded, jittered or retried do not. Texts are compared by MinHash (Broder, "On the
resemblance and containment of documents", 1997).
"""

import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed

__all__ = [
    "ALIKE",
    "BAND",
    "COARSER",
    "FINENESS",
    "GRIDS",
    "SHINGLE",
    "STABLE",
    "Signatures",
    "grid_cells",
    "middle_half",
    "minhash",
    "words_of",
]

FINENESS = 100.0
"""Cells in the middle half of a column."""

COARSER = 4.0
"""How many times finer the cells are in which copies must stay together."""

STABLE = 0.5
"""Share of the rows that shared a cell which must still share the finer one."""

GRIDS = 4
SHINGLE = 3
"""Words of a text that are compared together."""

ALIKE = 0.8
"""Share of the hashes in which texts agree that are nearly the same."""

BAND = 4
"""Hashes by which texts that may be alike are looked up."""

_HASHES = 64
_PRIME = (1 << 31) - 1
_CONTINUOUS = 100

Signatures = npt.NDArray[np.int64]
"""MinHash signatures, shape (texts, 64)."""


def middle_half(values: pl.Series) -> float | None:
    """Width of the middle half of a column of many different numbers; None for other columns."""
    if not values.dtype.is_float() or values.n_unique() < _CONTINUOUS:
        return None
    low, high = np.quantile(values.drop_nulls().to_numpy(), [0.25, 0.75])
    return float(high - low) if np.isfinite(high - low) and high > low else None


def grid_cells(scales: Mapping[str, float], fineness: float, shifts: npt.NDArray[np.float64]) -> list[pl.Expr]:
    """Each column of ``scales`` as the cell in which its number lies, on a grid that is shifted by a part of a cell."""
    return [
        (pl.col(name) * (fineness / scale) + shift).floor()
        for (name, scale), shift in zip(scales.items(), shifts.tolist(), strict=True)
    ]


def words_of(text: str) -> str:
    """The words of a text in small letters, a blank between them.

    >>> words_of("Call me, NOW!")
    'call me now'
    """
    return " ".join(re.findall(r"\w+", text.lower()))


def minhash(texts: Sequence[str], seed: int) -> Signatures:
    """The signatures of texts of :data:`SHINGLE` words or more; equal seeds make them comparable."""
    random = np.random.default_rng(derive_seed(seed, "minhash"))
    factor = random.integers(1, _PRIME, (_HASHES, 1), dtype=np.int64)
    shift = random.integers(0, _PRIME, (_HASHES, 1), dtype=np.int64)
    found = np.empty((len(texts), _HASHES), dtype=np.int64)
    for place, text in enumerate(texts):
        words = words_of(text).split()
        triples = {" ".join(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}
        hashes = np.array([zlib.crc32(triple.encode()) & _PRIME for triple in triples], dtype=np.int64)
        found[place] = ((factor * hashes + shift) % _PRIME).min(axis=1)
    return found
