"""A category with many levels as the target's mean in each level, shrunk towards the overall mean."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record, derive_seed
from modelyard.features.values import categories_in, category_of

__all__ = ["MAX_TARGET_LEVELS", "TargetEncoding", "cross_fitted_block", "deal_parts", "fit_target"]

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

MAX_TARGET_LEVELS = 5_000
"""Levels remembered; the rarer ones would be shrunk to the overall mean anyway, and count as unseen."""

_PARTS = 5
_SPECIAL = 2  # codes after the levels': unseen, missing


@dataclasses.dataclass(frozen=True)
class TargetEncoding(Record):
    """What the target was on average in a level, as the training rows had it.

    Training itself never sees these means of its own rows: see :func:`cross_fitted_block`.

    Parameters
    ----------
    column
        Name of the column read.
    levels
        Known levels, most frequent first.
    means
        For each level the shrunk mean of the target: one number, or the shares of the classes if there are several.
    other
        What stands for an unseen level: the overall mean.
    missing
        What stands for a missing value.
    center, scale
        The features are ``(mean - center) / scale``, one pair per number.
    """

    column: str
    levels: tuple[str, ...]
    means: tuple[tuple[float, ...], ...]
    other: tuple[float, ...]
    missing: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        if len(self.other) == 1:
            return (f"{self.column} (target mean)",)
        return tuple(f"{self.column} (share of class {place + 1})" for place in range(len(self.other)))

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``)."""
        table = np.array([*self.by_level.values(), self._unseen, self._gap], dtype=np.float64)
        return table[_codes(categories_in(series), self.levels)]

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        category = category_of(value)
        return self._gap if category is None else self.by_level.get(category, self._unseen)

    @functools.cached_property
    def by_level(self) -> dict[str, tuple[float, ...]]:
        """The features of every known level."""
        return {level: self._scaled(mean) for level, mean in zip(self.levels, self.means, strict=True)}

    @functools.cached_property
    def _unseen(self) -> tuple[float, ...]:
        """The features of a level that training did not see."""
        return self._scaled(self.other)

    @functools.cached_property
    def _gap(self) -> tuple[float, ...]:
        """The features of a missing value."""
        return self._scaled(self.missing)

    def _scaled(self, means: tuple[float, ...]) -> tuple[float, ...]:
        return tuple((m - c) / s for m, c, s in zip(means, self.center, self.scale, strict=True))


def _codes(categories: pl.Series, levels: tuple[str, ...]) -> Codes:
    """The place of each level; ``len(levels)`` for an unseen one, one more for a missing one."""
    known = categories.cast(pl.Enum(list(levels)), strict=False).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    return np.where(categories.is_null().to_numpy(), len(levels) + 1, np.where(known < 0, len(levels), known))


def fit_target(
    column: str, categories: pl.Series, levels: tuple[str, ...], target: Matrix, *, standardise: bool
) -> TargetEncoding | None:
    """The encoding learnt from all training rows; None if the levels' means differ by no more than chance makes them.

    A level's mean is drawn towards the overall mean by ``n / (n + s² / t²)``, ``n`` being its rows, ``s²`` the
    variance within levels and ``t²`` that between their means (Micci-Barreca, 2001, section 3.2: the empirical Bayes
    estimate; both variances by the analysis of variance, Searle, 1971). So the smoothing needs no parameter: a level
    counts for as much as levels of that column have shown to be worth.

    Parameters
    ----------
    categories
        The column as text.
    levels
        Its levels, most frequent first.
    target
        Shape (rows, outputs): values, or 0 and 1 for each class that is encoded.
    standardise
        True for linear models: mean 0 and standard deviation 1 over the training rows.
    """
    kept = levels[:MAX_TARGET_LEVELS]
    codes = _codes(categories, kept)
    overall = target.mean(axis=0)
    means = overall + _deviations(codes, len(kept) + _SPECIAL, target)
    if not np.any(means != overall):
        return None
    block = means[codes]
    center = block.mean(axis=0) if standardise else np.zeros_like(overall)
    spread = block.std(axis=0) if standardise else np.ones_like(overall)
    scale = np.where(spread > 0, spread, 1.0)
    rows = [tuple(row) for row in means.tolist()]
    return TargetEncoding(
        column, kept, tuple(rows[:-2]), tuple(overall.tolist()), rows[-1], tuple(center.tolist()), tuple(scale.tolist())
    )


def _deviations(codes: Codes, size: int, target: Matrix) -> Matrix:
    """Shrunk distances of the levels' means from the overall mean, shape (levels, outputs); 0 for absent levels."""
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    present = counts > 0
    rows, levels = counts.sum(), int(present.sum())
    found = np.zeros((size, target.shape[1]))
    if levels < 2 or rows <= levels:
        return found
    typical = (rows - (counts**2).sum() / rows) / (levels - 1)
    for output in range(target.shape[1]):
        centred = target[:, output] - target[:, output].mean()
        sums = np.bincount(codes, weights=centred, minlength=size)
        means = np.divide(sums, counts, out=np.zeros(size), where=present)
        explained = float((counts * means**2).sum())
        within = max(float((centred**2).sum()) - explained, 0.0) / (rows - levels)
        between = max(explained / (levels - 1) - within, 0.0) / typical
        if between > 0:
            found[:, output] = means * (counts * between / (counts * between + within))
    found[size - _SPECIAL] = 0.0  # levels too rare to be kept count as unseen, in training too
    return found


def deal_parts(rows: int, groups: pl.Series | None) -> Codes:
    """The part, 0 to 4, in which each training row's own target is kept from it; rows of one group share a part."""
    generator = np.random.default_rng(derive_seed(0, "cross-fitting"))
    if groups is None:
        return generator.permutation(rows) % _PARTS
    ranks = groups.cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).to_numpy() - 1
    dealt: Codes = (generator.permutation(int(ranks.max()) + 1) % _PARTS)[ranks]
    return dealt


def cross_fitted_block(encoding: TargetEncoding, series: pl.Series, target: Matrix, parts: Codes) -> Matrix:
    """The features of the training rows themselves: each row's mean is learnt from the other four parts.

    Else a model would meet, in training, means that hold the very answer it is to learn, and trust them too much.
    The overall mean is that of all rows in every part: else its own value would tell which part a row is in.
    """
    codes = _codes(categories_in(series), encoding.levels)
    size = len(encoding.levels) + _SPECIAL
    means = np.empty_like(target)
    for part in range(_PARTS):
        own = parts == part
        means[own] = _deviations(codes[~own], size, target[~own])[codes[own]]
    block: Matrix = (np.array(encoding.other) + means - np.array(encoding.center)) / np.array(encoding.scale)
    return block
