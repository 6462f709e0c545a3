"""The shape of a column of numbers in a few hundred counts that add up exactly.

A number's cell depends on its distance from the reference's median, in units of the reference's spread: 64 cells while that
distance plus one doubles. So cells are narrow where training had its rows, grow outwards, and reach every float. Counts of
cells add up without rounding and in any order, which the quantile sketches that draw at random (KLL) do not.
After Masson, Rim and Lee 2019, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees".
"""

import dataclasses
from typing import Self

import numpy as np
import numpy.typing as npt

from modelyard.core import Record
from modelyard.data.profile import FeatureReference

__all__ = ["Ruler", "Shape"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_BLOCK = 1 << 15
"""Numbers that are placed at once: what is made of them on the way stays in the processor's cache."""

_DROPPED_BITS = 52 - 6
_ONE = int(np.float64(1).view(np.int64) >> _DROPPED_BITS)


@dataclasses.dataclass(frozen=True)
class Ruler:
    """From numbers to cells and back.

    Parameters
    ----------
    centre, spread
        The middle edge of the reference's bins, and half the distance from the first to the last; ``spread`` is above 0.
    """

    centre: float
    spread: float

    @classmethod
    def of(cls, reference: FeatureReference) -> Self:
        """The ruler that a package's bins imply; 0 and 1 where they imply none."""
        edges = reference.edges
        if not edges:
            return cls(reference.low or 0.0, 1.0)
        return cls(edges[len(edges) // 2], (edges[-1] - edges[0]) / 2 or abs(edges[0]) or 1.0)

    def places(self, numbers: Floats) -> Places:
        """The cell of each finite number; 0 is the centre's."""
        scaled = numbers - self.centre
        scaled /= self.spread
        below = scaled < 0
        np.abs(scaled, out=scaled)
        scaled += 1.0
        cells = scaled.view(np.int64)
        cells >>= _DROPPED_BITS
        cells -= _ONE
        cells ^= -below.astype(np.int64)  # all bits of what lies below turn round: 0, 1, 2 become -1, -2, -3
        return cells

    def lowest(self, places: Places) -> Floats:
        """The inner end of each cell, the one towards the centre, as a number."""
        return self._numbers(np.where(places < 0, ~places, places), places)

    def highest(self, places: Places) -> Floats:
        """The outer end of each cell."""
        return self._numbers(np.where(places < 0, ~places, places) + 1, places)

    def _numbers(self, cells: Places, places: Places) -> Floats:
        bits = (cells + _ONE) << _DROPPED_BITS
        away = np.minimum(bits.view(np.float64) - 1.0, np.finfo(np.float64).max / (4 * max(self.spread, 1.0)))
        return self.centre + self.spread * np.where(places < 0, -away, away)


@dataclasses.dataclass(frozen=True)
class Shape(Record):
    """Rows by cell.

    Parameters
    ----------
    places, counts
        Cells in use, rising, and the rows in each.
    """

    places: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, ruler: Ruler, numbers: Floats) -> Self:
        """The shape of finite numbers."""
        if len(numbers) == 0:
            return cls()
        blocks = [ruler.places(numbers[begin : begin + _BLOCK]) for begin in range(0, len(numbers), _BLOCK)]
        lowest = min(int(block.min()) for block in blocks)
        highest = max(int(block.max()) for block in blocks)
        counts = np.zeros(highest - lowest + 1, dtype=np.int64)
        for block in blocks:
            counts += np.bincount(block - lowest, minlength=len(counts))
        used = np.flatnonzero(counts)
        return cls(tuple((used + lowest).tolist()), tuple(counts[used].tolist()))

    def __add__(self, other: "Shape") -> "Shape":
        """The shape of both sets of rows together."""
        both = dict(zip(self.places, self.counts, strict=True))
        for place, count in zip(other.places, other.counts, strict=True):
            both[place] = both.get(place, 0) + count
        places = tuple(sorted(both))
        return Shape(places, tuple(both[place] for place in places))

    def quantiles(self, ruler: Ruler, levels: npt.ArrayLike) -> Floats:
        """Quantiles, interpolated within cells; NaN without rows.

        The true quantile lies in the cell that is interpolated in.
        """
        if not self.places:
            return np.full(np.shape(np.asarray(levels)), np.nan)
        places, counts = np.asarray(self.places), np.asarray(self.counts, dtype=np.float64)
        ends = np.cumsum(counts)
        ranks = np.asarray(levels, dtype=np.float64) * ends[-1]
        cell = np.minimum(np.searchsorted(ends, ranks, side="left"), len(ends) - 1)
        inner, outer = ruler.lowest(places[cell]), ruler.highest(places[cell])
        below, above = np.minimum(inner, outer), np.maximum(inner, outer)
        part = (ranks - ends[cell] + counts[cell]) / counts[cell]
        return np.asarray(below + (above - below) * part)
