"""Explainable boosting as lookups: each feature's bin, then the scores of the terms that it stands in."""

import dataclasses
from bisect import bisect_right
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.files import damaged
from modelyard.packaging.predictors.linear import LinearPredictor, Link
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, Matrix
from modelyard.packaging.predictors.tables.written import read_tables, write_tables

__all__ = ["AdditivePredictor", "AdditiveTables"]

_FILE = "additive.npz"
_TYPES = {
    "axis_features": np.int64,
    "axis_starts": np.int64,
    "cuts": np.float64,
    "terms": np.int64,
    "term_starts": np.int64,
    "scores": np.float64,
    "intercept": np.float64,
}
_OTHER_BINS = 3
"""Missing, unknown, and one bin more than there are cuts."""

Places = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class AdditiveTables:
    """Terms of one or two features.

    Parameters
    ----------
    axis_features, axis_starts
        By axis: its feature, and where its cuts begin; shapes (axes,) and (axes + 1,).
    cuts
        Ascending within an axis; a value at a cut lies above it.
    terms, term_starts
        By term: its axes (-1 for no second one), and where its scores begin; shapes (terms, 2) and (terms,).
    scores
        By bin of the first axis, within it by bin of the second, shape (bins of all terms, outputs). Bin 0 is missing.
    intercept
        Shape (outputs,).
    features
        Number of features of a row.
    """

    axis_features: Places
    axis_starts: Places
    cuts: Matrix
    terms: Places
    term_starts: Places
    scores: Matrix
    intercept: Matrix
    features: int


class AdditivePredictor:
    """The sum of all terms, and the link.

    Parameters
    ----------
    tables
        The terms.
    link
        From the sum to the output.

    Raises
    ------
    ValueError
        If the tables do not fit together.
    """

    kind: ClassVar[str] = "additive"
    tolerance: ClassVar[float] = DOUBLE_TOLERANCE

    def __init__(self, tables: AdditiveTables, link: Link) -> None:
        self._tables = tables
        self._widths = np.diff(tables.axis_starts) + _OTHER_BINS
        _check(tables, self._widths)
        self._link = Link(link)
        outputs = len(tables.intercept)
        self._last = LinearPredictor(np.eye(outputs), np.zeros(outputs), self._link)
        # The walk of one row is plain Python: faster than NumPy below some hundred features.
        self._axes = list(
            zip(
                tables.axis_features.tolist(),
                tables.axis_starts.tolist(),
                tables.axis_starts[1:].tolist(),
                strict=False,
            )
        )
        self._cuts = tables.cuts.tolist()
        self._terms = [
            (first, second, int(self._widths[second]) if second >= 0 else 1, start)
            for (first, second), start in zip(tables.terms.tolist(), tables.term_starts.tolist(), strict=True)
        ]
        self._scores = tables.scores.tolist()
        self._intercept = tables.intercept.tolist()

    @property
    def features(self) -> int | None:
        """Number of features of a row."""
        return self._tables.features

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return len(self._intercept)

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row."""
        cuts, scores = self._cuts, self._scores
        bins = []
        for feature, low, high in self._axes:
            value = features[feature]
            bins.append(bisect_right(cuts, value, low, high) - low + 1 if value == value else 0)  # noqa: PLR0124 - NaN
        bins.append(0)  # the second axis of a term that has none, under the number -1
        reached = [scores[start + bins[first] * width + bins[second]] for first, second, width, start in self._terms]
        return self._last.predict_row([sum(parts) for parts in zip(self._intercept, *reached, strict=True)])

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        tables = self._tables
        bins = [self._bins(matrix, axis) for axis in range(len(self._axes))]
        bins.append(np.zeros(len(matrix), dtype=np.int64))
        sums = np.repeat(tables.intercept[np.newaxis], len(matrix), axis=0)
        for first, second, width, start in self._terms:
            sums += tables.scores[start + bins[first] * width + bins[second]]
        return self._last.predict_matrix(sums)

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix:
        """The terms against their mean over the background; a term of two features counts for both in halves.

        Shape (rows, outputs, features + 1), the base in the last place; sums are raw scores.
        """
        average = self._by_feature(background).mean(axis=0)
        amounts = self._by_feature(matrix) - average
        base = np.broadcast_to(self._tables.intercept + average.sum(axis=1), amounts.shape[:2])
        return np.concatenate([amounts, base[..., np.newaxis]], axis=2)

    def _by_feature(self, matrix: Matrix) -> Matrix:
        """What each feature's terms add, shape (rows, outputs, features)."""
        tables = self._tables
        bins = [self._bins(matrix, axis) for axis in range(len(self._axes))]
        bins.append(np.zeros(len(matrix), dtype=np.int64))
        added = np.zeros((len(matrix), self.outputs, tables.features))
        for first, second, width, start in self._terms:
            reached = tables.scores[start + bins[first] * width + bins[second]]
            axes = (first,) if second < 0 else (first, second)
            for axis in axes:
                added[:, :, tables.axis_features[axis]] += reached / len(axes)
        return added

    def _bins(self, matrix: Matrix, axis: int) -> Places:
        feature, low, high = self._axes[axis]
        values = matrix[:, feature]
        places = np.searchsorted(self._tables.cuts[low:high], values, side="right") + 1
        return np.where(np.isnan(values), 0, places)

    def to_files(self) -> dict[str, bytes]:
        """One archive."""
        return write_tables(_FILE, self._tables, self._link)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read what :meth:`to_files` wrote; a lookup that would leave the tables is refused."""
        try:
            fields, link = read_tables(files, _FILE, _TYPES)
            return cls(AdditiveTables(**fields), link)
        except (IndexError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error


def _check(tables: AdditiveTables, widths: Places) -> None:
    """Refuse tables that point outside of each other."""
    axes = len(tables.axis_features)
    if tables.axis_starts.shape != (axes + 1,) or (widths < _OTHER_BINS).any():
        raise ValueError("each axis needs its cuts")
    if axes and (tables.axis_features.min() < 0 or tables.axis_features.max() >= tables.features):
        raise ValueError("an axis lies outside the row")
    if tables.axis_starts[0] != 0 or tables.axis_starts[-1] != len(tables.cuts):
        raise ValueError("the cuts do not belong to the axes")
    if tables.terms.shape != (len(tables.term_starts), 2) or tables.scores.shape[1:] != tables.intercept.shape:
        raise ValueError("each term needs its axes and its scores")
    if not len(tables.terms):
        return
    first, second = tables.terms.T
    if first.min() < 0 or second.min() < -1 or tables.terms.max() >= axes or tables.term_starts.min() < 0:
        raise ValueError("a term stands on no axis")
    ends = tables.term_starts + widths[first] * np.where(second < 0, 1, widths[second])
    if ends.max() > len(tables.scores):
        raise ValueError("scores are missing")
